import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from './clock.js';
import { ENGINE, type Engine } from './engine.js';
import { Happenings } from './happenings.js';
import { stringProblem, type Json } from './json.js';
import { ACTOR_NAME } from './message.js';
import { OptionError } from './messaging.errors.js';
import { outsideTurn } from './turn.scope.js';

/** Since when an actor takes no messages, in no process, and why. */
export interface Pause {
  /** ISO 8601. */
  since: string;
  reason: string;
}

/** Says that pauses have changed. */
const SIGNAL = 'callsheet:pauses';
/** How often a process looks, for a signal may be lost, ms. */
const LOOK_EVERY = 5_000;
/** What is bound of a paused actor has this and its name as owner. */
const OWNER = 'pause:';

/**
 * Pauses actors in all processes, until somebody resumes them: what is sent to them meanwhile is kept, turns in work go on. It is kept
 * in the store, so a process that starts meanwhile takes nothing either. Another thing than the pause of a `PauseError`, which is of
 * one process, and ends by itself.
 */
@Injectable()
export class Pauses {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly happenings: Happenings,
  ) {}

  /**
   * Pauses an actor; of one that is paused the reason changes. Resolves when it is stored: processes take no more messages within a
   * second or two, and if the signal is lost, within some more.
   *
   * @param reason 1 to 500 characters
   * @throws OptionError for another reason, and for what cannot be the name of an actor
   * @throws StoreError when the store does not answer
   */
  async pause(actor: string, reason: string): Promise<Pause> {
    const length = typeof reason === 'string' && !stringProblem(reason) ? reason.length : 0;
    if (length < 1 || length > 500) {
      throw new OptionError('reason', 'must be text of 1 to 500 characters');
    }
    const before = await this.get(actor);
    const pause = { since: before?.since ?? new Date(this.clock.now()).toISOString(), reason };
    await this.bind(actor, pause);
    this.tell(actor, { what: 'paused', reason });
    return pause;
  }

  /** Lets an actor go on. False when it is not paused. @throws as {@link pause} */
  async resume(actor: string): Promise<boolean> {
    const isChange = await this.bind(actor, undefined);
    if (isChange) this.tell(actor, { what: 'resumed' });
    return isChange;
  }

  /** Undefined when it is not paused. */
  async get(actor: string): Promise<Pause | undefined> {
    return toPause(await this.engine.bound(ownerOf(actor)));
  }

  /** Those that are paused, by name. */
  async all(): Promise<Map<string, Pause>> {
    return pausesIn((await this.engine.bindings())?.owners ?? {});
  }

  /**
   * Calls `changed` with the actors that are paused: now, and whenever that may be others. Resolves when it has been called first.
   *
   * @param changed called again, a little later, when it fails
   * @param failed told of what goes wrong after the first time
   * @returns what ends it
   * @throws what `changed` and the store reject with the first time
   */
  async watch(
    changed: (paused: ReadonlyMap<string, Pause>) => Promise<void>,
    failed: (error: Error) => void,
  ): Promise<() => void> {
    let version: string | undefined;
    let cancelLook = (): void => undefined;
    let isOver = false;
    const look = async (): Promise<void> => {
      const found = isOver ? undefined : await this.engine.bindings(version);
      if (!found || isOver) return;
      await changed(pausesIn(found.owners));
      version = found.version;
    };
    // One after the other: what was read first must not be told last.
    let looking = Promise.resolve();
    const lookAgain = (): Promise<void> => {
      looking = looking.then(look).catch(failed);
      return looking;
    };
    // The memory store loses no signal, and its clock may be a test's.
    const lookOn = (): void => {
      if (isOver || this.engine.queue === undefined) return;
      cancelLook = this.clock.after(LOOK_EVERY, () => void lookAgain().then(lookOn));
    };
    const end = await this.engine.onSignal(SIGNAL, () => void lookAgain());
    const over = (): void => {
      isOver = true;
      cancelLook();
      end().catch(() => undefined);
    };
    const first = looking.then(look);
    looking = first.catch(() => undefined);
    try {
      await first;
    } catch (error) {
      over();
      throw error;
    }
    lookOn();
    return over;
  }

  /** At once: it stands, whatever becomes of the turn of who did it. */
  private tell(actor: string, what: { what: string; reason?: string }): void {
    outsideTurn(() => this.happenings.tell('actor', () => ({ ...what, actor })));
  }

  private async bind(actor: string, pause: Pause | undefined): Promise<boolean> {
    const owner = ownerOf(actor);
    return outsideTurn(async () => {
      const isChange = await this.engine.bind(owner, pause as unknown as Json);
      // Also if nothing changed: the one who changed it may have died before it told anybody. Whoever misses it looks by himself.
      await this.engine.signal([{ name: SIGNAL, text: actor }]).catch(() => undefined);
      return isChange;
    });
  }
}

/** Whether what is bound to this owner is a pause: such leads no events. */
export function isPause(owner: string): boolean {
  return owner.startsWith(OWNER);
}

function ownerOf(actor: string): string {
  if (typeof actor === 'string' && ACTOR_NAME.test(actor)) return OWNER + actor;
  throw new OptionError('actor', 'must be the name of an actor');
}

function pausesIn(owners: Readonly<Record<string, Json>>): Map<string, Pause> {
  const paused = new Map<string, Pause>();
  for (const [owner, value] of Object.entries(owners)) {
    const pause = isPause(owner) ? toPause(value) : undefined;
    if (pause) paused.set(owner.slice(OWNER.length), pause);
  }
  return paused;
}

/** Whatever else may stand there, it is a pause. */
function toPause(value: Json | undefined): Pause | undefined {
  if (value === undefined) return undefined;
  const { since, reason } = Object(value) as Partial<Record<keyof Pause, unknown>>;
  return {
    since: typeof since === 'string' ? since : new Date(0).toISOString(),
    reason: typeof reason === 'string' ? reason : 'unknown',
  };
}
