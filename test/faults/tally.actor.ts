import { setTimeout as delay } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import {
  Actor,
  Actors,
  Handle,
  Message,
  RejectError,
  type Turn,
} from '../../libs/messaging/src/index.js';
import { NEW, tallied, type Commit } from './history.js';
import { Ledger, type End } from './ledger.js';

const n = z.number().int();

/** One more for a key. */
export class Add extends Message('tally.add', z.object({ key: z.string(), n }), { key: 'key' }) {}
/** What each committed turn leaves under an id of its own: a turn that is committed twice leaves two. */
export class Note extends Message('notes.keep', z.custom<Commit>()) {}
/** The timer of a key, which every turn moves. It is never due while a scenario runs. */
export class Ring extends Message('timers.ring', z.object({ key: z.string(), n })) {}
/** A timer that is due soon. */
export class Tick extends Message('ticks.tick', z.object({ due: z.number() })) {}

export const TallyState = z.object({
  count: n.default(NEW.count),
  last: n.default(NEW.last),
  digest: n.default(NEW.digest),
});

/** What the handlers do beside their work, in the process that they run in. */
export interface TallyOptions {
  /** Where it is written down. */
  ledger: string;
  /** How long a turn takes, ms: between the two. */
  work: [number, number];
  /** Write each commit to a table too. */
  sql: boolean;
}

export const TALLY_OPTIONS = Symbol('tally options');

/** Names executions and writes down when they began and ended. One for a process, so that names are too. */
export class Journal {
  private readonly ledger: Ledger;
  private runs = 0;

  constructor(@Inject(TALLY_OPTIONS) options: TallyOptions) {
    this.ledger = new Ledger(options.ledger);
  }

  begin({ id, key }: Turn, more: { n?: number; due?: number }): string {
    const run = `${process.pid}-${++this.runs}`;
    this.ledger.write({ kind: 'start', id, run, ...(key !== undefined && { key }), ...more });
    return run;
  }

  end(id: string, run: string, how: End['how']): void {
    this.ledger.write({ kind: 'end', id, run, how });
  }
}

/**
 * Counts, per key. Every tenth message is tried twice and every fiftieth is given up, so that retries and dead letters stand
 * between the others of a key.
 */
@Actor({ name: 'tally', state: TallyState, concurrency: 12, retry: { attempts: 3, delay: '20ms' } })
export class TallyActor {
  constructor(
    private readonly actors: Actors,
    private readonly journal: Journal,
    @Inject(TALLY_OPTIONS) private readonly options: TallyOptions,
  ) {}

  @Handle(Add)
  async add({ key, n }: Add, turn: Turn<typeof TallyState>): Promise<void> {
    const { id } = turn;
    const run = this.journal.begin(turn as unknown as Turn, { n });
    const [least, most] = this.options.work;
    await delay(least + Math.random() * (most - least));
    if (n % 10 === 3 && turn.attempt === 1) {
      this.journal.end(id, run, 'thrown');
      throw new Error('every tenth is tried again');
    }
    if (n % 50 === 7) {
      this.journal.end(id, run, 'rejected');
      throw new RejectError('every fiftieth is given up');
    }
    turn.state = tallied(turn.state, n);
    const tick = n % 10 === 5 ? `tick-${id}` : undefined;
    const commit: Commit = { of: id, run, key, n, ...(tick && { sent: [tick] }) };
    await this.actors.tell(new Note(commit));
    await this.actors.tell(new Ring({ key, n }), {
      id: `ring-${key}`,
      delay: '1h',
      replace: true,
    });
    if (tick) await this.actors.tell(new Tick({ due: Date.now() + 200 }), { id: tick, delay: 200 });
    if (this.options.sql) {
      await turn.sql`insert into public.tally (message, run, key, n) values (${id}, ${run}, ${key}, ${n})`;
    }
    this.journal.end(id, run, 'returned');
  }
}

@Actor({ name: 'ticks', concurrency: 12 })
export class TickActor {
  constructor(
    private readonly actors: Actors,
    private readonly journal: Journal,
    @Inject(TALLY_OPTIONS) private readonly options: TallyOptions,
  ) {}

  @Handle(Tick)
  async tick({ due }: Tick, turn: Turn): Promise<void> {
    const run = this.journal.begin(turn, { due });
    await this.actors.tell(new Note({ of: turn.id, run }));
    if (this.options.sql)
      await turn.sql`insert into public.tally (message, run) values (${turn.id}, ${run})`;
    this.journal.end(turn.id, run, 'returned');
  }
}
