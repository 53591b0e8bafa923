import type { Engine } from '../engine.js';
import type { Envelope } from '../envelope.js';
import type { Carried } from '../codec.js';
import type { Json } from '../json.js';
import { IdempotencyConflictError, MailboxFullError } from '../messaging.errors.js';
import { LANES } from '../priority.js';
import type { KeyRing } from './key.ring.js';
import { Payloads } from './payloads.js';

/** Verb of the message whose turn encrypts the state of its key anew. */
export const REENCRYPT = 'callsheet-reencrypt';

/** How many payloads of an actor are not encrypted with the first key, plain ones included. */
export interface RotationReport {
  actor: string;
  /** States that were encrypted anew, and those that still are not. */
  rotated: number;
  states: number;
  /** Rows in the journals of keys that have a state: they go as newer ones come. */
  rows: number;
  /** Messages that wait or are in work; undefined where the store cannot list them. */
  waiting: number | undefined;
  /** Ended messages that are kept for a while; undefined where the store cannot list them. */
  ended: number | undefined;
  /** Dead letters that were encrypted anew, and those that still are not: they cannot be decrypted, or time was up. */
  rewritten: number;
  dead: number;
  /** Whether there was more than is looked at: the counts are at least that. */
  isPartial: boolean;
}

/** What is asked of a BullMQ queue. */
interface JobLister {
  getJobs(types: string[], start: number, end: number): Promise<({ data: Json } | undefined)[]>;
}

const PAGE = 500;
/** The most that is looked at of each kind, for each actor. */
const MOST = 50_000;
const LIVE = ['active', 'waiting', 'prioritized', 'waiting-children', 'delayed'];
const FIRST_LOOK = 50;
const LAST_LOOK = 1_000;

/**
 * Has the states of these actors encrypted with the first key, by turns of their keys, and their dead letters, in place; counts what is not. May be run
 * again at any time, and while workers run: without workers that have the key nothing is rotated.
 */
export class Rotation {
  private readonly deadline: number;
  private readonly payloads: Payloads;

  /**
   * @param stored the engine that keeps what is encrypted
   * @param sending the one that encrypts
   * @param within how long to wait for turns, ms, over all actors
   */
  constructor(
    private readonly stored: Engine,
    private readonly sending: Pick<Engine, 'send'>,
    private readonly ring: KeyRing,
    within: number,
  ) {
    this.deadline = Date.now() + within;
    this.payloads = new Payloads(ring);
  }

  async rotate(actor: string): Promise<RotationReport> {
    const { rotated, states, rows, isPartial } = await this.keysOf(actor);
    const [waiting, ended, dead] = [
      await this.jobsOf(actor, LIVE),
      await this.jobsOf(actor, ['completed']),
      await this.lettersOf(actor),
    ];
    return {
      ...{ actor, rotated, states, rows },
      rewritten: dead.rewritten,
      waiting: waiting?.count,
      ended: ended?.count,
      dead: dead.count,
      isPartial: [isPartial, waiting?.isPartial, ended?.isPartial, dead.isPartial].includes(true),
    };
  }

  private async keysOf(
    actor: string,
  ): Promise<Pick<RotationReport, 'rotated' | 'states' | 'rows' | 'isPartial'>> {
    const found = { rotated: 0, states: 0, rows: 0, isPartial: false };
    let after: string | undefined;
    let read = 0;
    for (;;) {
      const page = await this.stored.states(actor, {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      const old = page.filter(({ state }) => !this.ring.isCurrent(state));
      if (old.length > 0 && Date.now() < this.deadline) {
        await this.ask(
          old.map(({ key, state }) => toRequest(actor, key, state.revision, this.ring)),
        );
      }
      const left = await this.settled(
        actor,
        old.map(({ key }) => key),
      );
      found.states += left;
      found.rotated += old.length - left;
      for (const { key } of page) {
        if (read > MOST) break;
        const rows = await this.rowsOf(actor, key);
        found.rows += rows.old;
        read += rows.read;
      }
      after = page.at(-1)?.key;
      if (page.length < PAGE) break;
    }
    return { ...found, isPartial: read > MOST };
  }

  /** All at once, or else one by one those that are taken. */
  private async ask(requests: readonly Envelope[]): Promise<void> {
    const send = (some: readonly Envelope[]): Promise<boolean> =>
      this.sending.send(some).then(
        () => true,
        (error: unknown) => {
          const isTaken = error instanceof MailboxFullError;
          if (isTaken || error instanceof IdempotencyConflictError) return false;
          throw error;
        },
      );
    if (await send(requests)) return;
    for (const request of requests) await send([request]);
  }

  /** Waits until the states of these keys are encrypted with the first key. @returns of how many they are not */
  private async settled(actor: string, keys: readonly string[]): Promise<number> {
    let left = keys;
    for (let look = FIRST_LOOK; left.length > 0; look = Math.min(2 * look, LAST_LOOK)) {
      const states = await Promise.all(left.map((key) => this.stored.state(actor, key)));
      left = left.filter((_, index) => states[index] && !this.ring.isCurrent(states[index]));
      if (left.length === 0 || Date.now() >= this.deadline) break;
      await new Promise((resolve) => setTimeout(resolve, look));
    }
    return left.length;
  }

  private async rowsOf(actor: string, key: string): Promise<{ old: number; read: number }> {
    const found = { old: 0, read: 0 };
    let before: string | undefined;
    while (found.read <= MOST) {
      const page = await this.stored.journal(actor, key, {
        limit: PAGE,
        ...(before !== undefined && { before }),
      });
      found.old += page.filter(({ row }) => !this.ring.isCurrent({ data: row })).length;
      found.read += page.length;
      before = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
    return found;
  }

  private async jobsOf(actor: string, types: readonly string[]): Promise<Counted | undefined> {
    if (!this.stored.queue) return undefined;
    const queue = this.stored.queue(actor) as JobLister;
    const pages = types.map((type) => async (from: number): Promise<Carried[]> => {
      const jobs = await queue.getJobs([type], from, from + PAGE - 1);
      return jobs.map((job) => ({ data: job?.data ?? null }));
    });
    const counted = { count: 0, isPartial: false };
    for (const page of pages) {
      for (let from = 0; ; from += PAGE) {
        const found = await page(from);
        counted.count += found.filter((each) => each.data && !this.ring.isCurrent(each)).length;
        if (found.length < PAGE) break;
        if (from > MOST) {
          counted.isPartial = true;
          break;
        }
      }
    }
    return counted;
  }

  /** What is redriven or discarded meanwhile is not counted: it is no dead letter any more. */
  private async lettersOf(actor: string): Promise<Counted & { rewritten: number }> {
    const found = { count: 0, rewritten: 0 };
    let after: { finishedAt: number; storageId: string } | undefined;
    for (let read = 0; read <= MOST; read += PAGE) {
      const page = await this.stored.deadLetters([actor], { limit: PAGE, ...(after && { after }) });
      for (const letter of page) {
        if (this.payloads.isCurrent(letter)) continue;
        const renewed = Date.now() < this.deadline ? this.payloads.renewed(letter) : undefined;
        if (!renewed) found.count++;
        else if (await this.stored.rewrite(renewed)) found.rewritten++;
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) return { ...found, isPartial: false };
      after = { finishedAt: last.finishedAt ?? 0, storageId: last.storageId };
    }
    return { ...found, isPartial: true };
  }
}

interface Counted {
  count: number;
  isPartial: boolean;
}

/** Once for each revision of a state: asking again changes nothing. */
function toRequest(actor: string, key: string, revision: number, { first }: KeyRing): Envelope {
  return {
    id: `${REENCRYPT} ${first ?? 'none'} ${actor} ${revision} ${key}`,
    type: `${actor}.${REENCRYPT}`,
    version: 1,
    actor,
    key,
    data: {},
    priority: LANES.normal,
    sentAt: Date.now(),
    headers: {},
    fingerprint: REENCRYPT,
  };
}
