import type { Job } from 'bullmq';
import type { MessageRecord } from '../../engine.js';
import { toRecord } from './bullmq.job.js';

/** How often a message that moves while it is read is read again. */
const MOST_LOOKS = 5;

/** A message, read whole though it may move meanwhile. @param look finds its job, wherever it is */
export async function whole(
  look: () => Promise<Job | undefined>,
): Promise<MessageRecord | undefined> {
  let before: string | undefined;
  for (let round = 1; ; round++) {
    // Twice: a message that becomes a dead letter, or is redriven, between two looks is in the place looked at first.
    const job = (await look()) ?? (await look());
    if (!job) return undefined;
    const state = await job.getState();
    // Whatever moves a message leaves something in it: it is read whole between two looks at the same state.
    const isWhole =
      (state === before && state !== 'unknown') || (state === 'completed' && job.finishedOn);
    if (isWhole || round === MOST_LOOKS) return toRecord(job, state);
    before = state;
  }
}
