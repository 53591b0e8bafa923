// A worker for kills.spec.ts: keyed turns with state, a send and a timer each, until it is killed.
// Usage: node kills.worker.mjs <store url> <file of what was started> <turns at a time>
import { appendFileSync } from 'node:fs';
import { createBullmqEngine } from '../../dist/libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { resolveOptions } from '../../dist/libs/messaging/src/messaging.options.js';

const [url, ledger, concurrency] = process.argv.slice(2);
const engine = createBullmqEngine(resolveOptions({ url, lockDuration: '1s' }));
await engine.open();

const message = (actor, id, fields) => ({
  id,
  actor,
  type: `${actor}.do`,
  version: 1,
  data: {},
  priority: 100,
  sentAt: Date.now(),
  headers: {},
  fingerprint: 'same',
  ...fields,
});

await engine.consume(
  'tally',
  { concurrency: Number(concurrency) },
  async ({ envelope, state, attempt }) => {
    const { key, data, id } = envelope;
    // Whole lines: what a killed process was about to write is not there at all.
    appendFileSync(ledger, `${JSON.stringify({ key, n: data.n, pid: process.pid })}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 15));
    if (data.n % 10 === 3 && attempt === 1) {
      const error = { name: 'Error', message: 'every tenth is tried again' };
      const failed = { attempt, startedAt: Date.now(), finishedAt: Date.now(), error };
      return { kind: 'retry', delay: 20, attempt: failed };
    }
    const { last = -1, count = 0 } = state?.data ?? {};
    const next = { last: data.n, count: count + 1, inOrder: data.n === last + 1 };
    if (state?.data.inOrder === false) next.inOrder = false;
    return {
      kind: 'done',
      effects: {
        sends: [
          message('notes', `note ${id}`, { data: { of: id } }),
          message('timers', `timer ${key}`, {
            data: { n: data.n },
            fingerprint: JSON.stringify(data.n),
            replace: true,
            dueAt: Date.now() + 3_600_000,
          }),
        ],
        state: { data: next, revision: state?.revision ?? 0, version: 1 },
      },
    };
  },
);
