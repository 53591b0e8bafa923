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
  groupId?: string;
}

/** How many jobs of an answer have their place looked up; the board's own pages have no more. */
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
    await Promise.all(shown.map(({ name, jobs }) => nameKeys(jobs, queueOf(name))));
    return result;
  };
}

async function nameKeys(jobs: BoardJob[], queue: ActorQueue | undefined): Promise<void> {
  const keyed = jobs.map(({ id = '', opts }) => ({ id, key: opts?.callsheet?.key }));
  const asked = keyed.filter((each): each is KeyedJob => each.key !== undefined);
  if (asked.length === 0) return;
  const before = await queue?.standingBefore(asked.slice(0, MOST_PLACED));
  for (const [index, { id, key }] of keyed.entries()) {
    if (key !== undefined) jobs[index]!.groupId = key + placed(before?.get(id));
  }
}

function placed(before: number | undefined): string {
  if (before === undefined) return '';
  if (before === 0) return ', first';
  return `, ${before}${before === MOST_BEFORE ? ' or more' : ''} before it`;
}
