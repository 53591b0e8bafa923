import { setTimeout as sleep } from 'node:timers/promises';
import { TurnSqlError } from '../../messaging.errors.js';

const ATTEMPTS = 5;
/** Deadlock, serialization failure: rolled back, safe to repeat. */
const ROLLED_BACK = new Set(['40P01', '40001']);

/** For how long a statement is repeated whose connection breaks, ms: a restart of the server takes less, the default lock lasts longer. */
const AWAY = 4_000;
/**
 * The server ended the session (25P03: because it was idle in a transaction for too long), is starting, or stops; the connection
 * broke, or was refused.
 */
const LOST_CODE = /^(57P0[123]|08...|25P03|ECONNRESET|ECONNREFUSED|EPIPE)$/;
/** What `pg` says when all connections are in use for too long. */
const ALL_IN_USE = 'timeout exceeded when trying to connect';
/** What `pg` says without a code. */
const LOST_MESSAGE = /^Connection terminated|^Client has encountered a connection error/;

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

/**
 * As `retryTransient`, and repeats a statement whose connection broke. Whether it was done all the same is not known then: only
 * for what can be done twice, or can tell when it `isRepeat`.
 */
export async function retryLost<T>(statement: (isRepeat: boolean) => Promise<T>): Promise<T> {
  let deadline: number | undefined;
  for (let isRepeat = false; ; isRepeat = true) {
    try {
      return await retryTransient(() => statement(isRepeat));
    } catch (error) {
      // It may have waited for others before, for long.
      deadline ??= Date.now() + AWAY;
      if (!isLost(error) || Date.now() >= deadline) throw error;
      await sleep(50 * (1 + Math.random()));
    }
  }
}

/** Repeats a statement as long as it did not come to its turn, because of a lock or for want of a connection. */
export async function retryBusy<T>(statement: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await statement();
    } catch (error) {
      if (!isLocked(error) && (error as Error).message !== ALL_IN_USE) throw error;
    }
  }
}

/** Whether somebody else has a lock for too long; nothing was done. */
export function isLocked(error: unknown): boolean {
  return (error as { code?: unknown }).code === '55P03';
}

function isRolledBack(error: unknown): boolean {
  const { code } = (error instanceof TurnSqlError ? error.cause : error) as { code?: string };
  return ROLLED_BACK.has(code ?? '');
}

/** Whether the connection broke: nobody knows what became of the statement. */
export function isLost(error: unknown): boolean {
  const { code, message, errors } = error as {
    code?: unknown;
    message?: string;
    errors?: unknown[];
  };
  // Node reports a refused connection to a name with several addresses so.
  if (Array.isArray(errors)) return errors.some(isLost);
  return typeof code === 'string' ? LOST_CODE.test(code) : LOST_MESSAGE.test(message ?? '');
}
