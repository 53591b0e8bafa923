import { afterEach, expect, it } from 'vitest';
import { POLL, queries } from './api/queries.js';
import { recount } from './recount.js';

afterEach(() => queries.clear());

const LIST = ['get', '/v1/actors', {}];
const ONE = ['get', '/v1/actors/{actor}', { params: { path: { actor: 'email' } } }];
const ASKED_AT = 1_000_000;

function counted(waiting: number) {
  return { waiting, delayed: 0, active: 0, done: 0, dead: 0 };
}

function answered(): void {
  const email = { name: 'email', counts: counted(1), throughput: 2 };
  const other = { name: 'other', counts: counted(7), throughput: 3 };
  queries.setQueryData(LIST, { items: [email, other] }, { updatedAt: ASKED_AT });
  queries.setQueryData(ONE, email, { updatedAt: ASKED_AT });
}

function tell(waiting: number, now: number): void {
  const rest = { done: 0, failed: 0, dead: 0, sent: 1 };
  recount([{ actor: 'email', counts: counted(waiting), ...rest }], now);
}

const isOld = () => [LIST, ONE].map((key) => queries.getQueryState(key)?.isInvalidated);

it('puts in the numbers that an event brings, and leaves all else as it was', () => {
  answered();
  tell(5, ASKED_AT + 1_000);
  const email = { name: 'email', counts: counted(5), throughput: 2 };
  expect(queries.getQueryData(ONE)).toEqual(email);
  expect(queries.getQueryData(LIST)).toEqual({
    items: [email, { name: 'other', counts: counted(7), throughput: 3 }],
  });
});

it('has actors asked for again once a poll would have come, however many events there are', () => {
  answered();
  for (let now = ASKED_AT + 1_000; now < ASKED_AT + POLL; now += 1_000) tell(now, now);
  expect(isOld()).toEqual([false, false]);
  tell(5, ASKED_AT + POLL);
  expect(isOld()).toEqual([true, true]);
});
