import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import type { Engine } from '../../libs/messaging/src/engine.js';
import { generateId, type Envelope } from '../../libs/messaging/src/envelope.js';
import { resolveOptions } from '../../libs/messaging/src/messaging.options.js';
import { serverSuite } from '../support/available.js';
import { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { startPostgres } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';
import { tempDir } from '../support/temp.js';

/** `npm run test:faults` runs the whole of it; `npm test` a part. */
const isFull = process.env['FAULTS'] === 'full';
const WORKER = path.join(import.meta.dirname, 'kills.worker.mjs');

interface Storm {
  url: string;
  messages: number;
  /** Of workers, in the middle of work. A run with fewer proves nothing, and fails. */
  kills: number;
  workers: number;
}

async function opened(url: string): Promise<Engine> {
  const engine = createBullmqEngine(resolveOptions({ url }));
  await engine.open();
  return engine;
}

/**
 * Sends to many keys, kills workers until all is handled, and compares what is left with what should be. Answers the turns
 * that began out of order.
 */
async function storm({ url, messages, kills, workers }: Storm): Promise<string[]> {
  const keys = 100;
  const ledger = path.join(tempDir(), 'started.jsonl');
  const lines = (): string[] =>
    existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').slice(0, -1) : [];
  const sender = await opened(url);
  for (let n = 0; n < messages / keys; n++) {
    const batch = Array.from({ length: keys }, (_, k): Envelope => {
      const common = { version: 1, priority: 100, sentAt: Date.now(), headers: {} };
      const id = generateId('tally');
      return { ...common, id, actor: 'tally', type: 'tally.do', key: `k${k}`, data: { n } };
    });
    await sender.send(batch);
  }
  await sender.close();

  const start = (): Child => new Child(process.execPath, [WORKER, url, ledger, '12']);
  const running = Array.from({ length: workers }, start);
  const starts = (child: Child): number =>
    lines().filter((line) => line.endsWith(`"pid":${child.pid}}`)).length;
  const isEmbedded = url.startsWith('pglite:');
  let killed = 0;
  // Bounded by kills: each waits until the victim is in the middle of work.
  while (killed < kills) {
    const victim = running[killed % workers]!;
    const isAtWork = (): boolean => {
      if (!victim.running) throw new Error(`a worker ended by itself:\n${victim.output}`);
      return starts(victim) > 12;
    };
    await eventually(isAtWork, { timeout: 30_000, interval: 20 });
    await victim.kill();
    running[killed % workers] = start();
    killed++;
  }
  let engine: Engine | undefined;
  try {
    if (isEmbedded) {
      // One process at a time: what is left is handled before anybody else looks.
      const last = messages / keys - 1;
      const isReached = (): boolean => {
        const reached = lines().filter((line) => line.includes(`"n":${last},`));
        return (
          new Set(reached.map((line) => (JSON.parse(line) as { key: string }).key)).size === keys
        );
      };
      await eventually(isReached, { timeout: 120_000, interval: 100 });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await running[0]!.stop('SIGTERM');
    }
    engine = await opened(url);
    const store = engine;
    // Handled messages are kept for a while only: what is left says when all is over.
    const isOver = async (): Promise<boolean> => {
      const { waiting, delayed, active } = await store.counts('tally');
      return waiting + delayed + active === 0;
    };
    await eventually(isOver, { timeout: 120_000, interval: 100 });
    for (const child of running) await child.kill();

    const last = messages / keys - 1;
    for (let k = 0; k < keys; k++) {
      const state = await engine.state('tally', `k${k}`);
      const expected = { last, count: messages / keys, inOrder: true };
      expect(state, `k${k}`).toMatchObject({ data: expected, revision: messages / keys });
      const timer = await engine.find(`timer k${k}`, ['timers']);
      expect(timer?.envelope.data).toEqual({ n: last });
    }
    expect(await engine.counts('tally')).toMatchObject({
      waiting: 0,
      delayed: 0,
      active: 0,
      dead: 0,
    });
    expect(await engine.counts('notes')).toMatchObject({ waiting: messages, done: 0 });
    expect(await engine.counts('timers')).toMatchObject({ delayed: keys });
    expect(await engine.keys('tally', { by: 'age', limit: 10 })).toEqual([]);
  } finally {
    await engine?.close();
  }
  const begun = lines().map((line) => JSON.parse(line) as Start);
  const { again, outOfOrder } = judge(begun);
  console.log(
    `${url.split(':')[0]}: ${messages} messages of ${keys} keys, ${killed} kills, ${again} turns begun again, ${outOfOrder.length} out of order`,
  );
  return outOfOrder;
}

interface Start {
  key: string;
  n: number;
}

/** Every start is of the message at the head: of the one before, again, or of the next. */
function judge(starts: readonly Start[]): { again: number; outOfOrder: string[] } {
  const reached = new Map<string, number>();
  const outOfOrder: string[] = [];
  let again = 0;
  for (const { key, n } of starts) {
    const before = reached.get(key) ?? -1;
    if (n === before) again++;
    else if (n !== before + 1) outOfOrder.push(`${key}: ${n} after ${before}`);
    reached.set(key, n);
  }
  return { again, outOfOrder };
}

describe('keyed turns whose workers are killed', { timeout: 600_000 }, () => {
  serverSuite('redis-server', 'Redis', () => {
    it('lose nothing, double nothing, and keep their order', async () => {
      const server = await startRedis({ appendonly: true });
      try {
        const size = isFull ? { messages: 40_000, kills: 30 } : { messages: 3_000, kills: 3 };
        expect(await storm({ url: server.url, workers: 2, ...size })).toEqual([]);
      } finally {
        await server.stop();
      }
    });
  });

  serverSuite('postgres', 'PostgreSQL', () => {
    it('lose nothing, double nothing, and keep their order', async () => {
      const server = await startPostgres();
      try {
        const size = isFull ? { messages: 10_000, kills: 30 } : { messages: 1_000, kills: 2 };
        expect(await storm({ url: await server.createDatabase(), workers: 2, ...size })).toEqual(
          [],
        );
      } finally {
        await server.stop();
      }
    });
  });

  it('are judged: a start out of order is seen', () => {
    const starts = [0, 1, 1, 2].map((n) => ({ key: 'k', n }));
    expect(judge(starts)).toEqual({ again: 1, outOfOrder: [] });
    const skipped = judge([...starts, { key: 'k', n: 4 }, { key: 'k', n: 3 }]);
    expect(skipped.outOfOrder).toEqual(['k: 4 after 2', 'k: 3 after 4']);
  });

  it('lose nothing on the embedded store, killed with its process', async () => {
    const size = isFull ? { messages: 6_000, kills: 20 } : { messages: 600, kills: 1 };
    const embedded = { url: `pglite:${tempDir()}`, workers: 1, ...size };
    expect(await storm(embedded)).toEqual([]);
  });
});
