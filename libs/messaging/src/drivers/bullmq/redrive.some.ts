import type { TurnBackend } from './bullmq.store.js';

const AT_ONCE = 100;

/**
 * Redrives up to a hundred dead letters, oldest first: one round of the dashboard's "retry all".
 *
 * @returns how many there were; BullMQ asks again until it is 0
 */
export async function redriveSome(backend: TurnBackend): Promise<number> {
  const [ids = []] = await backend.getRanges(['failed'], 0, AT_ONCE - 1, true);
  let redriven = 0;
  for (const id of ids) {
    const job = await backend.getJobData(id);
    if (job && (await backend.redrive(id, job.progress))) redriven++;
  }
  return redriven;
}
