import { setTimeout as delay } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { Actor, Actors, Handle, Message, On, type Turn } from '../../libs/messaging/src/index.js';
import { Ledger } from './ledger.js';

const n = z.number().int();

/** Makes a key publish. */
export class Ring extends Message('bells.ring', z.object({ key: z.string(), n }), { key: 'key' }) {}
/** Published by the turn of a {@link Ring}. */
export class Rung extends Message('rung.out', z.object({ of: z.string(), key: z.string(), n }), {
  key: 'key',
}) {}
/** What each committed turn of a subscriber leaves under an id of its own: one that is committed twice leaves two. */
export class Heard extends Message('heard.keep', z.object({ of: z.string(), by: z.string() })) {}

export const BellState = z.object({ rings: n.default(0) });

export interface FanoutOptions {
  url: string;
  /** Where it is written down that a turn began. */
  ledger: string;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
}

export const FANOUT_OPTIONS = Symbol('fanout options');

/** Publishes in its turns; every fifth is tried twice. */
@Actor({ name: 'bells', state: BellState, concurrency: 12, retry: { attempts: 3, delay: '20ms' } })
export class BellActor {
  private readonly ledger: Ledger;
  private runs = 0;

  constructor(
    private readonly actors: Actors,
    @Inject(FANOUT_OPTIONS) options: FanoutOptions,
  ) {
    this.ledger = new Ledger(options.ledger);
  }

  @Handle(Ring)
  async ring({ key, n }: Ring, turn: Turn<typeof BellState>): Promise<void> {
    const { id, attempt } = turn;
    this.ledger.write({ kind: 'start', id, run: `${process.pid}-${++this.runs}`, key, n });
    await delay(5);
    turn.state.rings += 1;
    await this.actors.publish(new Rung({ of: id, key, n }));
    if (n % 5 === 3 && attempt === 1) throw new Error('every fifth is tried again');
  }
}

/** One that subscribes to all. */
@Actor({ name: 'near', concurrency: 12 })
export class NearActor {
  constructor(private readonly actors: Actors) {}

  @On(Rung) async rung({ of }: Rung): Promise<void> {
    await this.actors.tell(new Heard({ of, by: 'near' }));
  }
}

/** One that subscribes by a pattern, to every third. */
@Actor({ name: 'far', concurrency: 12 })
export class FarActor {
  constructor(private readonly actors: Actors) {}

  @On('rung.*', { when: 'int(data.n) % 3 == 0' })
  async rung({ data }: { data: Readonly<Record<string, unknown>> }): Promise<void> {
    await this.actors.tell(new Heard({ of: String(data['of']), by: 'far' }));
  }
}
