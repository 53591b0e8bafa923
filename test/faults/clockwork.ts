import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Queue } from 'bullmq';
import assert from 'node:assert/strict';
import { CallsheetModule, ENGINE, type Engine } from '../../libs/messaging/src/index.js';
import { Schedules } from '../../libs/scheduler/src/index.js';
import type { OccurrenceRow, ScheduleRow } from '../../libs/scheduler/src/schedule.journal.js';
import type { ScheduleState } from '../../libs/scheduler/src/schedule.state.js';
import type { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { unaccounted } from '../support/schedule.oracle.js';
import { STARTED, Struck } from './clockwork.actor.js';
import { idOf, inputOf, type ApiOptions } from './clockwork.schedules.js';
import { Run } from './run.js';

/** Nothing of theirs may be given up. */
const ACTORS = ['chimes', 'schedules', 'schedule-deployments', 'schedule-watchdog'];

/** Schedules of all policies on one store, the processes that keep them, and what has become of them. */
export class Clockwork {
  readonly run: Run;
  readonly workers: Child[] = [];
  private readonly apis: Child[] = [];
  private readonly ids: string[] = [];

  private constructor(
    name: string,
    private readonly url: string,
    private readonly app: INestApplicationContext,
  ) {
    this.run = new Run(name);
  }

  static async open(name: string, url: string): Promise<Clockwork> {
    const app = await NestFactory.createApplicationContext(
      { module: Front, imports: [CallsheetModule.forRoot({ url })], providers: [Schedules] },
      { logger: false, abortOnError: false },
    );
    return new Clockwork(name, url, app);
  }

  worker(env: NodeJS.ProcessEnv = {}): Child {
    const worker = this.run.start('clockwork.worker.js', { url: this.url, lock: 2_000 }, env);
    this.workers.push(worker);
    return worker;
  }

  /** Ends a worker, and starts another in its place. */
  async exchange(by: 'kill -9' | 'SIGTERM'): Promise<void> {
    const place = this.run.nemesis.between(0, this.workers.length - 1);
    const [victim] = this.workers.splice(place, 1);
    if (by === 'SIGTERM') {
      this.worker();
      // One that has not started yet ends in another way.
      if (victim) await this.up(victim);
    }
    if (victim) await this.run.down(victim, by);
    if (by === 'kill -9') this.worker();
  }

  /** A process that asks for schedules and changes them, as an api does. */
  api(options: ApiOptions): void {
    this.apis.push(this.run.start('clockwork.api.js', { url: this.url, ...options }));
  }

  /** Ends the oldest api in order, if there is any, when another has started in its place. */
  async exchangeApi(options: ApiOptions): Promise<void> {
    const old = this.apis.shift();
    if (!old) return;
    this.api(options);
    await this.apisStarted();
    await this.run.down(old, 'SIGTERM');
  }

  /** All apis are at work: one that fails ends. */
  async apisStarted(): Promise<void> {
    for (const api of this.apis) {
      await eventually(() => api.output.includes(STARTED), { timeout: 60_000 });
      assert(api.running, api.output);
    }
  }

  /** All workers are at work: one that starts while the server is away refuses to. */
  async started(): Promise<void> {
    for (const worker of this.workers) await this.up(worker);
  }

  /** Waits until a worker has started, and is at work. */
  private async up(worker: Child): Promise<void> {
    await eventually(() => worker.output.includes(STARTED), { timeout: 60_000 });
    await this.run.reached(worker, 1);
  }

  /** Nobody is there for a while. */
  async allDown(ms: number): Promise<void> {
    const count = this.workers.length;
    for (const worker of this.workers.splice(0)) {
      await this.up(worker);
      await this.run.down(worker, 'SIGTERM');
    }
    await this.run.nemesis.harm('nobody', () => new Promise((done) => setTimeout(done, ms)));
    for (let n = 0; n < count; n++) this.worker();
  }

  /** @param seconds between two occurrences: each of them in turn */
  async create(count: number, seconds: readonly number[], takes = [0, 100, 700]): Promise<void> {
    const schedules = this.app.get(Schedules);
    const made = Array.from({ length: count }, async (_, n) => {
      const id = idOf(n);
      // Until the first worker is there.
      await eventually(() => schedules.put(id, inputOf(n, seconds, takes)), { timeout: 60_000 });
      this.ids.push(id);
    });
    await Promise.all(made);
  }

  /** How many runs have begun. */
  get begun(): number {
    return this.run.events().filter(({ kind }) => kind === 'start').length;
  }

  /** Waits until so many more runs have begun. */
  async reached(more: number): Promise<void> {
    const before = this.begun;
    await eventually(() => this.begun >= before + more, { timeout: 60_000, interval: 250 });
  }

  /** Stops all schedules, waits for the runs in work, and says what is wrong. */
  async judge(): Promise<Figures> {
    for (const api of this.apis.splice(0)) await this.run.down(api, 'SIGTERM');
    const schedules = this.app.get(Schedules);
    const engine = this.app.get<Engine>(ENGINE);
    await each(this.ids, async (id) => {
      await eventually(() => schedules.pause(id, 'the end'), { timeout: 60_000 });
    });
    const isIdle = async (): Promise<boolean> => {
      const records = await Promise.all(this.ids.map((id) => schedules.get(id)));
      return records.every((record) => record?.running.length === 0);
    };
    await eventually(isIdle, { timeout: 90_000, interval: 500 });
    const struck = await this.struck(engine);
    const wrong: string[] = [];
    const figures = { decided: 0, runs: 0, missed: 0, late: 0, again: 0 };
    const known = new Set<string>();
    for (const id of this.ids) await this.judgeOne(id, engine, { struck, known, wrong, figures });
    for (const run of struck.keys()) if (!known.has(run)) wrong.push(`${run}: from nowhere`);
    const starts = this.run.events().flatMap((event) => (event.kind === 'start' ? [event] : []));
    for (const { id } of starts)
      if (!known.has(id)) wrong.push(`${id}: began, but is in no journal`);
    for (const { id, at, due = 0 } of starts) {
      if (at < due - 100) wrong.push(`${id}: began ${due - at} ms too early`);
    }
    figures.again = starts.length - new Set(starts.map(({ id }) => id)).size;
    for (const letter of await engine.deadLetters(ACTORS, { limit: 100 })) {
      wrong.push(`dead letter ${letter.envelope.type} ${letter.envelope.id}: ${letter.reason}`);
    }
    const { waiting, done } = await engine.counts('schedules');
    console.log(
      `${this.run.name}: turns of schedules ${done}, waiting ${waiting}, ${JSON.stringify(figures)}`,
    );
    assert.deepEqual(wrong.slice(0, 20), [], `seed ${this.run.nemesis.seed}`);
    this.run.forget();
    return figures;
  }

  async close(): Promise<void> {
    await this.run.end();
    await this.app.close();
  }

  private async judgeOne(id: string, engine: Engine, all: Judging): Promise<void> {
    const { struck, known, wrong, figures } = all;
    const rows = (await engine.journal('schedules', id, { limit: 3_000 }))
      .map(({ row }) => row as unknown as ScheduleRow)
      .reverse();
    const stored = await engine.state('schedules', id);
    const state = stored?.data as unknown as ScheduleState;
    const waiting = state.buffer.map(({ nominal }): ScheduleRow => {
      return { kind: 'occurrence', outcome: 'skipped', nominal, at: 0 };
    });
    const { definition, createdAt, watermark } = state;
    const spans = definition ? [{ rule: definition.rule, from: createdAt }] : [];
    wrong.push(
      ...unaccounted([...rows, ...waiting], spans, watermark).map((each) => `${id}: ${each}`),
    );
    const decided = rows.filter((row): row is OccurrenceRow => row.kind === 'occurrence');
    const ends = new Map(
      rows.flatMap((row) => (row.kind === 'end' ? [[row.run, row.outcome] as const] : [])),
    );
    const endCount = rows.filter(({ kind }) => kind === 'end').length;
    const runs = decided.flatMap(({ run }) => (run === undefined ? [] : [run]));
    if (new Set(runs).size !== runs.length) wrong.push(`${id}: an id of a run was used twice`);
    if (endCount !== runs.length) wrong.push(`${id}: ${runs.length} runs, ${endCount} ends`);
    for (const run of runs) {
      known.add(run);
      const outcome = ends.get(run);
      const times = struck.get(run) ?? 0;
      const isRight = outcome === 'succeeded' ? times === 1 : times === 0 && outcome !== 'unknown';
      if (!isRight) wrong.push(`${run}: ended as ${outcome}, committed ${times} times`);
    }
    figures.runs += runs.length;
    for (const { count = 1, outcome } of decided) {
      figures.decided += count;
      if (outcome === 'late') figures.late += count;
      if (outcome === 'missed' || outcome === 'coalesced') figures.missed += count;
    }
  }

  /** How often each run was committed. */
  private async struck(engine: Engine): Promise<Map<string, number>> {
    const queue = engine.queue?.(Struck.meta.actor) as Queue;
    const found = new Map<string, number>();
    for (let from = 0; ; from += 2_000) {
      const jobs = await queue.getJobs(['prioritized', 'wait'], from, from + 1_999);
      for (const { data } of jobs) {
        const { run } = data as { run: string };
        found.set(run, (found.get(run) ?? 0) + 1);
      }
      if (jobs.length < 2_000) return found;
    }
  }
}

class Front {}

type Figures = Record<'decided' | 'runs' | 'missed' | 'late' | 'again', number>;

interface Judging {
  struck: ReadonlyMap<string, number>;
  known: Set<string>;
  wrong: string[];
  figures: Figures;
}

async function each<T>(all: readonly T[], act: (each: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += 20) {
    await Promise.all(all.slice(from, from + 20).map(act));
  }
}
