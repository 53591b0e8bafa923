import { setTimeout as sleep } from 'node:timers/promises';

const ATTEMPTS = 5;
/** Deadlock, serialization failure: rolled back, safe to repeat. */
const ROLLED_BACK = new Set(['40P01', '40001']);

/** Repeats a statement that PostgreSQL rolled back on behalf of others. */
export async function retryTransient<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isRolledBack(error)) throw error;
      await sleep(attempt * 10 * (1 + Math.random()));
    }
  }
}

/** Whether PostgreSQL undid a statement, or its transaction, on behalf of others. */
export function isRolledBack(error: unknown): boolean {
  return ROLLED_BACK.has((error as { code?: string }).code ?? '');
}
