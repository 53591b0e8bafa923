import type { TurnBackend } from './bullmq.store.js';

const AT_ONCE = 100;

/**
 * Redrives all dead letters that died up to `until`, oldest first: what BullMQ's `retryJobs` means for them. Letters that die again while
 * it runs are later than that, and stay.
 *
 * @param until epoch milliseconds
 */
export async function redriveAll(backend: TurnBackend, until = Date.now()): Promise<void> {
  for (;;) {
    const [ids = []] = await backend.getRanges(['failed'], 0, AT_ONCE - 1, true);
    let redriven = 0;
    for (const id of ids) {
      const job = await backend.getJobData(id);
      if (job && (job.finishedOn ?? 0) > until) return;
      if (job && (await backend.redrive(id, job.progress))) redriven++;
    }
    if (redriven === 0) return;
  }
}
