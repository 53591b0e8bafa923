import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { createBullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { toEnvelope } from '../../libs/messaging/src/drivers/bullmq/bullmq.job.js';
import type { Engine } from '../../libs/messaging/src/engine.js';
import { resolveOptions } from '../../libs/messaging/src/messaging.options.js';
import type { Commit, Remains, Tally } from './history.js';

const ACTORS = ['tally', 'ticks'];

/** All states in which a job was not handled yet. */
const UNDONE = ['prioritized', 'wait', 'delayed', 'waiting-children', 'active'] as const;

/** How many jobs are read at once. */
const PAGE = 2_000;

export async function opened(url: string): Promise<Engine> {
  const engine = await createBullmqEngine(resolveOptions({ url }));
  await engine.open();
  return engine;
}

/** What is in the store. Nothing may run on it meanwhile. */
export async function remainsOf(url: string, keys: readonly string[]): Promise<Remains> {
  const engine = await opened(url);
  try {
    const states: Record<string, Tally> = {};
    const timers: Record<string, number> = {};
    for (const key of keys) {
      const state = await engine.state('tally', key);
      if (state) states[key] = state.data as unknown as Tally;
      const timer = await engine.find(`ring-${key}`, ['timers']);
      if (timer) timers[key] = (timer.envelope.data as { n: number }).n;
    }
    const dead = await engine.deadLetters(ACTORS, { limit: 1_000_000 });
    const notes = await jobsOf(engine, 'notes', ['prioritized']);
    const undone = await Promise.all(ACTORS.map((actor) => jobsOf(engine, actor, UNDONE)));
    const mailboxes = await engine.keys('tally', { by: 'age', limit: 1_000 });
    return {
      commits: notes.map((job) => job.data as Commit),
      ...(engine.store.sql && { rows: [] }),
      dead: dead.map(({ envelope }) => envelope.id),
      pending: undone.flat().map((job) => toEnvelope(job).id),
      states,
      timers,
      leftovers: mailboxes.map(({ key, depth }) => `a mailbox of ${key} with ${depth} messages`),
    };
  } finally {
    await engine.close();
  }
}

/** What only the store itself can tell: rows of the user's table, keys of Redis that nobody owns. */
export async function withRaw(url: string, remains: Remains): Promise<Remains> {
  if (url.startsWith('redis:')) {
    return { ...remains, leftovers: [...remains.leftovers, ...(await ownerless(url))] };
  }
  const text = 'select message as of, run, key, n from public.tally';
  const rows = (await sql(url, text)) as { of: string; run: string; key: string; n: number }[];
  return { ...remains, rows };
}

/** The table that turns write to. */
export async function createTable(url: string): Promise<void> {
  await sql(url, 'create table public.tally (message text, run text, key text, n int)');
}

/** Runs a statement apart from the system under test: on PGlite, while nobody else has it open. */
async function sql(url: string, text: string): Promise<unknown[]> {
  if (url.startsWith('pglite:')) {
    const database = await PGlite.create(path.join(url.slice('pglite:'.length), 'callsheet-data'));
    try {
      return (await database.query(text)).rows;
    } finally {
      await database.close();
    }
  }
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

async function jobsOf(
  engine: Engine,
  actor: string,
  states: readonly (typeof UNDONE)[number][],
): ReturnType<Queue['getJobs']> {
  const queue = engine.queue?.(actor) as Queue;
  const jobs = [];
  for (const state of states) {
    for (let from = 0; ; from += PAGE) {
      const page = await queue.getJobs([state], from, from + PAGE - 1);
      jobs.push(...page);
      if (page.length < PAGE) break;
    }
  }
  return jobs;
}

/** Locks, and mailboxes, though nobody is at work and nothing waits. */
async function ownerless(url: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    const found: string[] = [];
    for await (const keys of redis.scanStream({ count: 1_000 })) {
      found.push(...(keys as string[]).filter((key) => /:lock$|:mailbox:/.test(key)));
    }
    return found;
  } finally {
    redis.disconnect();
  }
}
