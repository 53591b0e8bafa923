import { setTimeout as sleep } from 'node:timers/promises';

/** BullMQ asks again at once after an error; with its store gone that is thousands of errors a second. */
const PAUSE = 500;

/** Runs `operation`; when it rejects, waits half a second before rejecting too. */
export async function pauseAfterError<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    await sleep(PAUSE, undefined, { ref: false });
    throw error;
  }
}
