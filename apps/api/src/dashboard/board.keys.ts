import { MOST_BEFORE, type ActorQueue, type KeyedJob } from '@callsheet/messaging';
import type { createBullBoard } from '@bull-board/api';

type After = NonNullable<
  NonNullable<
    NonNullable<Parameters<typeof createBullBoard>[0]['options']>['handlerHooks']
  >['after']
>;

/** A job as the board answers it. What it calls group it shows beside the id; only BullMQ Pro has groups of its own. */
interface BoardJob {
  id?: string;
  opts?: { callsheet?: { key?: string } };
  finishedOn?: number;
  groupId?: string;
}

/** How many jobs of a queue have their place looked up, in one answer. */
const MOST_PLACED = 300;

/**
 * Says of each job that the board answers which key its message has, and how many stand before it in the mailbox of that key.
 *
 * @param queueOf the queue with this name on the board
 */
export function boardKeys(queueOf: (name: string) => ActorQueue | undefined): After {
  return async ({ request }, result) => {
    const { queues = [], job } = result.body as {
      queues?: { name: string; jobs: BoardJob[] }[];
      job?: BoardJob;
    };
    const shown = job ? [{ name: String(request.params['queueName']), jobs: [job] }] : queues;
    await Promise.all(shown.map(({ name, jobs }) => nameKeys(jobs, () => queueOf(name))));
    return result;
  };
}

async function nameKeys(jobs: BoardJob[], queueOf: () => ActorQueue | undefined): Promise<void> {
  const keyed = jobs.flatMap((job): { job: BoardJob; id: string; key: string }[] => {
    const { id = '', opts } = job;
    const key = opts?.callsheet?.key;
    return key === undefined ? [] : [{ job, id, key }];
  });
  if (keyed.length === 0) return;
  // What has ended stands nowhere.
  const asked = keyed.filter(({ job }) => !job.finishedOn).slice(0, MOST_PLACED);
  const places = asked.map(({ id, key }): KeyedJob => ({ id, key }));
  const before = places.length > 0 ? await queueOf()?.standingBefore(places) : undefined;
  for (const { job, id, key } of keyed) job.groupId = key + placed(before?.get(id));
}

function placed(before: number | undefined): string {
  if (before === undefined) return '';
  if (before === 0) return ', first';
  return `, ${before}${before === MOST_BEFORE ? ' or more' : ''} before it`;
}
