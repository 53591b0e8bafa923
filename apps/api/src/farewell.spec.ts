import { expect, it, vi } from 'vitest';
import { farewell } from './farewell.js';

function stage(client: { goesWhen?: 'closed' | 'cut off' }) {
  const there = new Set<object>();
  const leave = (): void => void setImmediate(() => there.delete(seat));
  const seat = {
    close: vi.fn<() => void>(() => {
      if (client.goesWhen === 'closed') leave();
    }),
    terminate: vi.fn<() => void>(() => {
      if (client.goesWhen === 'cut off') leave();
    }),
  };
  there.add(seat);
  return { seat, clients: () => [...there] as (typeof seat)[] };
}

it('does not cut off who goes when told so', async () => {
  const { seat, clients } = stage({ goesWhen: 'closed' });
  await farewell(clients);
  expect(clients()).toEqual([]);
  expect(seat.terminate).not.toHaveBeenCalled();
});

it('waits until who is cut off is gone', async () => {
  const { clients } = stage({ goesWhen: 'cut off' });
  await farewell(clients);
  expect(clients()).toEqual([]);
});

it('ends though a client never goes', async () => {
  const { seat, clients } = stage({});
  await farewell(clients);
  expect(clients()).toEqual([seat]);
  expect(seat.terminate).toHaveBeenCalledOnce();
});
