import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { CLOCK, type Clock } from './clock.js';
import { ENGINE, type Engine } from './engine.js';
import type { Json, JsonObject } from './json.js';
import { Signals } from './signals.js';
import { Teller, textsOf, toldBy } from './teller.js';
import { currentScope } from './turn.scope.js';

/** Something that happened, for people who look on. */
export interface Happening extends JsonObject {
  /** `dead-letter`, say. */
  kind: string;
  /** When, by the clock of the process in which it happened, epoch milliseconds. */
  at: number;
}

/** What is told of it; undefined is left out. */
export type Details = Readonly<Record<string, Json | undefined>>;

const SIGNAL = 'callsheet:happened';
/** How long they are gathered, ms: by then what they tell of has been committed. */
const GATHER = 200;
/** How many of a kind a process tells in a second. */
const MOST = 20;
/** How many wait to be told, while the store is slow. */
const MOST_GATHERED = 200;
/** Characters of a text. */
const LONGEST = 200;

const logger = new Logger('Callsheet');

/**
 * Tells all processes on the store what happens, seldom enough that each is told by itself: a message died, a schedule was paused. For
 * people who look on now: nothing is kept, and some of it may be lost. So it holds ids, names and numbers; whoever wants
 * more looks where the thing is. No data, no text of an error: signals are not encrypted.
 */
@Injectable()
export class Happenings implements OnModuleDestroy {
  private gathered: Happening[] = [];
  /** Of each kind how many are left out and not told of. */
  private readonly left = new Map<string, number>();
  private readonly told = new Map<string, { since: number; count: number }>();
  private readonly teller: Teller;

  constructor(
    @Inject(ENGINE) engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly signals: Signals,
  ) {
    this.teller = new Teller(engine, SIGNAL, GATHER, () => this.take());
  }

  /**
   * Tells of something. Inside a handler that writes, it joins the turn: it is told after the commit, and not at all if the turn
   * fails. Never throws, and nobody waits for it. Of each kind 20 a second are told; of more, how many there were: a happening
   * with `left` alone.
   *
   * @param details made only when it is told; texts are cut at 200 characters
   */
  tell(kind: string, details: () => Details): void {
    if (this.isTooMuch(kind)) {
      this.left.set(kind, (this.left.get(kind) ?? 0) + 1);
      return this.teller.wake();
    }
    const told = made(kind, details);
    if (!told) return;
    const happening = { ...told, kind, at: this.clock.now() };
    if (joinsTurn(happening)) return;
    this.gathered.push(happening);
    this.teller.wake();
  }

  /**
   * Calls `hear` with what happens from now on, in all processes.
   *
   * @returns what ends it
   * @throws StoreError when the store does not answer
   */
  listen(hear: (happening: Happening) => void): Promise<() => Promise<void>> {
    return this.signals.listen(SIGNAL, (text) => {
      for (const each of toldBy(text)) if (isHappening(each)) hear(each);
    });
  }

  onModuleDestroy(): Promise<void> {
    return this.teller.stop();
  }

  private isTooMuch(kind: string): boolean {
    const now = performance.now();
    const known = this.told.get(kind);
    const rate = known && now - known.since < 1_000 ? known : { since: now, count: 0 };
    this.told.set(kind, rate);
    return this.gathered.length >= MOST_GATHERED || ++rate.count > MOST;
  }

  private take(): Happening[] {
    const at = this.clock.now();
    const left = [...this.left].map(([kind, count]) => ({ kind, at, left: count }));
    this.left.clear();
    return [...this.gathered.splice(0), ...left];
  }
}

/** Whether it is told with the turn in which this code runs. */
function joinsTurn(happening: Happening): boolean {
  try {
    const scope = currentScope();
    for (const text of scope ? textsOf([happening]) : []) scope?.signal({ name: SIGNAL, text });
    return scope !== undefined;
  } catch {
    // A batch, a turn that only reads, or one that has told enough.
    return false;
  }
}

/** Undefined when that fails. */
function made(kind: string, details: () => Details): JsonObject | undefined {
  try {
    return shortened(details());
  } catch (error) {
    logger.warn(`a happening '${kind}' is not told: ${String(error)}`);
    return undefined;
  }
}

function shortened(details: Details): JsonObject {
  const told: JsonObject = {};
  for (const [name, value] of Object.entries(details)) {
    if (value !== undefined)
      told[name] = typeof value === 'string' ? value.slice(0, LONGEST) : value;
  }
  return told;
}

function isHappening(told: JsonObject): told is Happening {
  return typeof told['kind'] === 'string' && typeof told['at'] === 'number';
}
