import { Inject } from '@nestjs/common';
import { z } from 'zod';
import { Actor, Actors, Handle, Message, type Turn } from '../../libs/messaging/src/index.js';
import { Ledger } from './ledger.js';

/** One run of a schedule. */
export class Chime extends Message('chimes.chime', z.object({ takes: z.number() })) {}
/** What each committed run leaves under an id of its own: one that is committed twice leaves two. */
export class Struck extends Message('strikes.keep', z.object({ run: z.string() })) {}

/** What a worker says when it has started whole: turns of its first actor may have begun before. */
export const STARTED = 'started\n';

export interface ClockworkOptions {
  url: string;
  /** Where runs are written down. */
  ledger: string;
  /** How long a silent worker keeps its messages, ms. */
  lock: number;
}

export const CLOCKWORK_OPTIONS = Symbol('clockwork options');

@Actor({ name: 'chimes', concurrency: 100, retry: { attempts: 2, delay: '200ms' } })
export class ChimeActor {
  private readonly ledger: Ledger;
  private runs = 0;

  constructor(
    private readonly actors: Actors,
    @Inject(CLOCKWORK_OPTIONS) options: ClockworkOptions,
  ) {
    this.ledger = new Ledger(options.ledger);
  }

  @Handle(Chime)
  async chime({ takes }: Chime, { id, occurrence, signal, attempt }: Turn): Promise<void> {
    const due = occurrence?.getTime() ?? 0;
    this.ledger.write({ kind: 'start', id, run: `${process.pid}-${++this.runs}`, due });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, takes);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
    if (attempt === 1 && due % 7_000 === 0) throw new Error('some are tried again');
    await this.actors.tell(new Struck({ run: id }));
  }
}
