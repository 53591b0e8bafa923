import { MOST_BEFORE, type KeyedJob } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { boardKeys } from './board.keys.js';

/** What the jobs of a queue are shown with, before each of which so many stand. */
async function shownOf(before: number, count = 1, ended = 0) {
  const asked: (readonly KeyedJob[])[] = [];
  const queue = {
    name: 'account',
    standingBefore: (jobs: readonly KeyedJob[]) => {
      asked.push(jobs);
      return Promise.resolve(new Map(jobs.map(({ id }) => [id, before])));
    },
  };
  const jobs = Array.from({ length: count }, (_, n) => ({
    id: String(n),
    opts: { callsheet: { key: 'ada' } },
    ...(n < ended && { finishedOn: 1 }),
  }));
  const after = boardKeys((name) => (name === 'account:account' ? queue : undefined));
  const body = { queues: [{ name: 'account:account', jobs }] };
  const answer = await after({} as never, { body } as never);
  const { queues } = answer.body as unknown as { queues: { jobs: { groupId: string }[] }[] };
  return { groups: queues.flatMap((each) => each.jobs.map(({ groupId }) => groupId)), asked };
}

it.each([
  [0, 'ada, first'],
  [1, 'ada, 1 before it'],
  [MOST_BEFORE, 'ada, 1000 or more before it'],
])('says of a job with %i before it: %s', async (before, group) => {
  expect((await shownOf(before)).groups).toEqual([group]);
});

it('asks once for a page, and of a huge one for the first jobs only', async () => {
  const { groups, asked } = await shownOf(5, 301);
  expect(asked.map((jobs) => jobs.length)).toEqual([300]);
  expect([groups[299], groups[300]]).toEqual(['ada, 5 before it', 'ada']);
});

it('asks for none that has ended', async () => {
  const { groups, asked } = await shownOf(5, 302, 301);
  expect(asked.map((jobs) => jobs.map(({ id }) => id))).toEqual([['301']]);
  expect(groups.slice(300)).toEqual(['ada', 'ada, 5 before it']);
  expect((await shownOf(5, 2, 2)).asked).toEqual([]);
});
