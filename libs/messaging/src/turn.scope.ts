import { AsyncLocalStorage } from 'node:async_hooks';
import type { Checkpoint } from './checkpoint.js';
import type { Delivery, Signal, SqlStatement } from './engine.js';
import type { Envelope } from './envelope.js';
import { MOST_ROWS, toRow } from './journal.js';
import type { JsonObject } from './json.js';
import { TurnEndedError, TurnUsageError } from './messaging.errors.js';
import type { Turn } from './turn.js';

/** The most messages that one turn may send. */
const MOST_SENDS = 10_000;
/** The most signals. */
const MOST_SIGNALS = 1_000;
/** The most statements of SQL that it may run. */
const MOST_STATEMENTS = 1_000;

/** A turn at work, seen from inside the framework: it buffers what the handler sends until the commit. */
export class TurnScope {
  readonly sends: Envelope[] = [];
  readonly statements: SqlStatement[] = [];
  readonly rows: JsonObject[] = [];
  readonly signals: Signal[] = [];
  /** Whether state and journal of its key are to go. */
  isForgotten = false;
  private isOpen = true;

  constructor(
    readonly delivery: Delivery,
    readonly turn: Turn,
    readonly isRead: boolean,
    private readonly checkpoint?: Checkpoint,
    /** One of several in a handler: what is sent for it after it was told to stop is dropped, and the others go on. */
    private readonly isBatch = false,
    /** Whether the store commits SQL. */
    private readonly hasSql = false,
  ) {}

  /** Whether its handler has not ended. */
  get isAtWork(): boolean {
    return this.isOpen;
  }

  /** Adds messages to what the turn commits. */
  async join(envelopes: readonly Envelope[]): Promise<void> {
    if (!this.isOpen && this.isBatch) return;
    this.require();
    if (this.sends.length + envelopes.length > MOST_SENDS) {
      throw new TurnUsageError(`a turn may send at most ${MOST_SENDS} messages`);
    }
    this.sends.push(...envelopes);
    await this.checkpoint?.('send', this.delivery);
  }

  /** Adds a statement of SQL to what the turn commits. */
  async sql(strings: TemplateStringsArray, values: readonly unknown[]): Promise<void> {
    if (!this.hasSql) {
      throw new TurnUsageError('turn.sql needs a store that speaks SQL: PostgreSQL or PGlite');
    }
    if (!this.isOpen && this.isBatch) return;
    this.require();
    if (this.statements.length >= MOST_STATEMENTS) {
      throw new TurnUsageError(`a turn may run at most ${MOST_STATEMENTS} statements of SQL`);
    }
    const text = strings.reduce((before, part, index) => `${before}$${index}${part}`);
    this.statements.push({ text, params: [...values] });
  }

  /** Adds a signal to what is told when the turn has been committed. */
  signal(signal: Signal): void {
    if (!this.isOpen && this.isBatch) return;
    this.require();
    if (this.signals.length >= MOST_SIGNALS) {
      throw new TurnUsageError(`a turn may send at most ${MOST_SIGNALS} signals`);
    }
    this.signals.push(signal);
  }

  /** Adds a row to what the turn leaves in the journal of its key. */
  journal(row: JsonObject): void {
    this.requireKey('turn.journal writes into the journal of a key');
    if (this.rows.length >= MOST_ROWS) {
      throw new TurnUsageError(`a turn may add at most ${MOST_ROWS} rows to the journal`);
    }
    this.rows.push(toRow(row));
  }

  /** State and journal of its key go when the turn commits. */
  forget(): void {
    this.requireKey('turn.forget removes the state of a key');
    this.isForgotten = true;
  }

  /** Messages of a batch have no key. */
  private requireKey(what: string): void {
    this.require();
    if (this.turn.key !== undefined) return;
    throw new TurnUsageError(
      `${what}, and '${this.turn.type}' has none: declare Message(..., { key })`,
    );
  }

  /** @throws TurnEndedError, TurnUsageError when nothing may be sent from here */
  require(): void {
    if (!this.isOpen && !this.isBatch) throw new TurnEndedError(this.turn.id);
    if (this.isRead) {
      throw new TurnUsageError(
        'a @Read handler sends and writes nothing: handle the message with @Handle',
      );
    }
  }

  run<T>(work: () => T): T {
    return storage.run(this, work);
  }

  /** From now on nothing joins. */
  close(): void {
    this.isOpen = false;
  }
}

/** Several turns in one handler: nobody can tell which of them a send belongs to. */
const BATCH = Symbol('callsheet:batch');

const storage = new AsyncLocalStorage<TurnScope | typeof BATCH | undefined>();

/** Runs a batch handler. */
export function runBatch<T>(work: () => T): T {
  return storage.run(BATCH, work);
}

/**
 * Runs `work` as if it were outside of any turn. For what a handler only begins and what goes on after it: a timer, a
 * connection, a listener. What that sends later would else try to join a turn that is over.
 */
export function outsideTurn<T>(work: () => T): T {
  return storage.run(undefined, work);
}

/** The turn in which this code runs, if any. @throws TurnUsageError in a batch handler, where there are several */
export function currentScope(): TurnScope | undefined {
  const scope = storage.getStore();
  if (scope !== BATCH) return scope;
  throw new TurnUsageError(
    'a batch handler has several turns: send with turns[i].join(() => ...), or with { now: true }',
  );
}

/** Whether this code runs in a handler that has not ended. */
export function isInTurn(): boolean {
  const scope = storage.getStore();
  return scope instanceof TurnScope ? scope.isAtWork : scope !== undefined;
}

/** @throws TurnUsageError in a handler that only reads */
export function requireWriter(): void {
  const scope = storage.getStore();
  if (scope instanceof TurnScope && scope.isRead) scope.require();
}

/**
 * The turn in which this code runs: message, tenant, deadline, trace, for any provider that a handler calls. Undefined
 * outside of handlers, and in batch handlers, which have several.
 */
export function currentTurn(): Turn | undefined {
  const scope = storage.getStore();
  return scope instanceof TurnScope ? scope.turn : undefined;
}
