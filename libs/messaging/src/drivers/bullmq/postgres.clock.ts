import type { PostgresQueueBackend } from 'bullmq';

/** The database's clock, epoch ms. */
export const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** Statements of BullMQ's workers that go by a clock, each with the parameter that says what time it is. */
const CLOCKS: readonly [part: string, parameter: string][] = [
  ['FROM move_to_active(', '$4'],
  ['FROM move_to_completed_fetch(', '$10'],
  ['FROM move_stalled_jobs_to_wait(', '$3'],
  ['SET locked_until_ms = $5', '$5'],
];
/** When the next job is due, and the same by the clock of the worker, which waits for it: $3, or one parameter more. */
const DUE: readonly [text: string, here: string][] = [
  [
    'SELECT rate_limit_ttl, next_delay FROM next_signal($1, $2, $3)',
    `SELECT rate_limit_ttl, next_delay - ${NOW} + $3::bigint AS next_delay FROM next_signal($1, $2, ${NOW})`,
  ],
  [
    'SELECT next_delay($1) AS next_delay',
    `SELECT next_delay($1) - ${NOW} + $2::bigint AS next_delay`,
  ],
];

const known = new Map<string, string>();

/** What a backend of BullMQ keeps to itself: each of its statements goes through this. */
interface Asking {
  query(text: string, params: unknown[]): Promise<unknown>;
}

/**
 * Makes a backend claim, renew and recover jobs by the database's clock instead of the worker's: what is due, and whose lock has
 * run out, is then the same for all workers.
 */
export function onServerClock<T extends PostgresQueueBackend>(backend: T): T {
  const asking = backend as unknown as Asking;
  const query = asking.query.bind(backend);
  asking.query = (text, params) => {
    const done = known.get(text) ?? rewritten(text);
    known.set(text, done);
    const isMore = done.includes('next_delay($1) -');
    return query(done, isMore ? [...params, Date.now()] : params);
  };
  return backend;
}

function rewritten(text: string): string {
  const due = DUE.find(([part]) => text.includes(part));
  if (due) return text.replace(due[0], () => due[1]);
  const clock = CLOCKS.find(([part]) => text.includes(part));
  if (!clock) return text;
  // PostgreSQL wants every parameter to be used.
  const [, parameter] = clock;
  const time = new RegExp(`\\${parameter}(?!\\d)(::bigint)?`, 'g');
  return text.replaceAll(time, () => `(0 * ${parameter}::bigint + ${NOW})`);
}
