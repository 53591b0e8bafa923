import {
  ENGINE,
  Keys,
  MessageRegistry,
  type Engine,
  type JournalRow,
  type StoredState,
} from '@callsheet/messaging';
import { Inject, Injectable } from '@nestjs/common';
import type { Principal } from '../access/principal.js';
import { requireKnownActor } from '../actors/known.actor.js';
import { ProblemError } from '../problem.js';
import { isKept } from '../messages/sendable.messages.js';
import type { KeyFacts } from './key.view.js';

/** Finds keys by actor and key in a URL. */
@Injectable()
export class KeyFinder {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    private readonly registry: MessageRegistry,
    private readonly keys: Keys,
  ) {}

  /** @throws ProblemError not_found, also when the key has neither state nor messages */
  async get(actor: string, key: string, by: Principal): Promise<KeyFacts> {
    requireKnownActor(this.registry, actor);
    requireAdmin(actor, by);
    if (!isPossible(key)) throw missing(actor, key);
    const [state, quarantined, mailbox] = await Promise.all([
      this.engine.state(actor, key),
      this.engine.quarantined(actor),
      this.engine.key(actor, key),
    ]);
    const quarantine = quarantined.find((each) => each.key === key);
    if (!state && !quarantine && !mailbox) throw missing(actor, key);
    return { key, depth: mailbox?.depth ?? 0, since: mailbox?.since, state, quarantine };
  }

  /**
   * Rows of the journal of a key, newest first, none for a key without; and its state, which says what is secret in them.
   *
   * @throws ProblemError not_found
   */
  async journal(
    actor: string,
    key: string,
    page: { before?: string; limit: number },
    by: Principal,
  ): Promise<{ rows: JournalRow[]; state?: StoredState | undefined }> {
    requireKnownActor(this.registry, actor);
    requireAdmin(actor, by);
    if (!isPossible(key)) return { rows: [] };
    // The state last: what a row holds its turn has declared before, or with it.
    const rows = await this.engine.journal(actor, key, page);
    return { rows, state: await this.engine.state(actor, key) };
  }

  /**
   * Lets a quarantined key go on.
   *
   * @throws ProblemError not_found, also when the key is not quarantined
   */
  async release(actor: string, key: string): Promise<void> {
    requireKnownActor(this.registry, actor);
    if (isPossible(key) && (await this.keys.release(actor, key))) return;
    throw new ProblemError('not_found', `the actor '${actor}' has no quarantined key '${key}'`);
  }
}

/** What schedules, pipelines and routes are kept in holds data of others, of which their own calls show what may be shown. */
function requireAdmin(actor: string, { role }: Principal): void {
  if (role === 'admin' || !isKept(actor)) return;
  throw new ProblemError(
    'forbidden',
    `what '${actor}' keeps is for admins; it has calls of its own`,
  );
}

/** No message has another key, and not every store takes the NUL character. */
function isPossible(key: string): boolean {
  return key.length >= 1 && key.length <= 200 && !key.includes('\0');
}

function missing(actor: string, key: string): ProblemError {
  const detail = `the key '${key}' of the actor '${actor}' has neither state nor messages`;
  return new ProblemError('not_found', detail);
}
