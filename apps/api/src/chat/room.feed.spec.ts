import type { RoomMessage } from '@callsheet/contracts';
import type { Clock, Signals } from '@callsheet/messaging';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { RoomClient, RoomEvent } from './room.client.js';
import { RoomFeed } from './room.feed.js';
import type { RoomHistory } from './room.history.js';
import { RoomSettings } from './room.settings.js';

const message = (seq: number): RoomMessage => ({ seq, author: 'ada', text: 'x', at: '' });

/** A client that takes what it is sent only when it is told to. */
class HeldClient implements RoomClient {
  readonly events: RoomEvent[] = [];
  readonly held: (() => void)[] = [];
  isTerminated = false;
  isHeld = false;

  get pending(): number {
    return this.held.length;
  }

  get seqs(): number[] {
    return this.events.flatMap((event) => (event.type === 'message' ? [event.seq] : []));
  }

  send(event: RoomEvent, taken: () => void): void {
    this.events.push(event);
    if (this.isHeld) this.held.push(taken);
    else taken();
  }

  take(): void {
    this.isHeld = false;
    while (this.held.length > 0) this.held.shift()?.();
  }

  beat(): void {}
  close(): void {}
  terminate(): void {
    this.isTerminated = true;
  }
}

/** A room whose messages, signals and time a test makes. */
function stage() {
  const kept: RoomMessage[] = [];
  const world = { now: 0, reads: 0, signal: (): void => undefined };
  const history = {
    now: async () => ({ seq: kept.at(-1)?.seq ?? 0, members: [] }),
    after: async (_: string, seq: number) => {
      world.reads++;
      return kept.filter((each) => each.seq > seq);
    },
  } as unknown as RoomHistory;
  const signals = {
    listen: async (_: string, hear: () => void) => {
      world.signal = hear;
      return async () => undefined;
    },
  } as unknown as Signals;
  const settings = Object.assign(new RoomSettings(), { most: 3, patience: 1_000 });
  const clock = { now: () => world.now } as Clock;
  const feed = new RoomFeed('lobby', { history, signals, settings, clock });
  onTestFinished(() => feed.close());
  const say = (...seqs: number[]): void => void kept.push(...seqs.map(message));
  return { world, kept, feed, say };
}

it('reads once for many signals and clients, and hands to each what it has not had', async () => {
  const { world, feed, say } = stage();
  say(1, 2);
  const [one, two] = [new HeldClient(), new HeldClient()];
  feed.join(one, 0);
  feed.join(two, 1);
  await vi.waitFor(() => expect([one.seqs, two.seqs]).toEqual([[1, 2], [2]]));
  world.reads = 0;
  say(3, 4);
  for (let n = 0; n < 20; n++) world.signal();
  await vi.waitFor(() =>
    expect([one.seqs, two.seqs]).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4],
    ]),
  );
  expect(world.reads).toBe(1);
});

it('holds back what a slow client has no room for, and nobody else waits', async () => {
  const { world, feed, say } = stage();
  const [slow, fast] = [new HeldClient(), new HeldClient()];
  slow.isHeld = true;
  feed.join(slow, 0);
  feed.join(fast, 0);
  say(1, 2, 3, 4, 5, 6);
  await vi.waitFor(() => expect(fast.seqs).toEqual([1, 2, 3, 4, 5, 6]));
  expect([slow.pending, slow.seqs]).toEqual([4, [1, 2, 3]]);
  say(7);
  world.signal();
  await vi.waitFor(() => expect(fast.seqs).toHaveLength(7));
  expect(slow.seqs).toEqual([1, 2, 3]);
  slow.take();
  await vi.waitFor(() => expect(slow.seqs).toEqual([1, 2, 3, 4, 5, 6, 7]));
  expect(slow.isTerminated).toBe(false);
});

it('cuts off a client that takes nothing for too long', async () => {
  const { world, feed, say } = stage();
  const [slow, fast] = [new HeldClient(), new HeldClient()];
  slow.isHeld = true;
  feed.join(slow, 0);
  feed.join(fast, 0);
  say(1, 2, 3, 4);
  await vi.waitFor(() => expect(fast.seqs).toHaveLength(4));
  world.now = 1_000;
  say(5);
  world.signal();
  await vi.waitFor(() => expect(fast.seqs).toHaveLength(5));
  expect(slow.isTerminated).toBe(false);
  world.now = 1_001;
  world.signal();
  await vi.waitFor(() => expect(slow.isTerminated).toBe(true));
});

it('tells what is missing between two messages', async () => {
  const { feed, say } = stage();
  say(4, 5);
  const client = new HeldClient();
  feed.join(client, 1);
  await vi.waitFor(() => expect(client.seqs).toEqual([4, 5]));
  expect(client.events.slice(0, 2)).toEqual([
    { type: 'room', room: 'lobby', seq: 1, members: [] },
    { type: 'gap', after: 1, next: 4 },
  ]);
});
