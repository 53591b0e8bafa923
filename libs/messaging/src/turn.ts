import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonObject } from './json.js';

/**
 * What a handler gets beside its message: one attempt to handle it. What it leaves (state, messages sent through Actors,
 * reply) is committed in one step with the end of the message, or not at all.
 *
 *     deposit(message: Deposit, turn: Turn<typeof AccountState>)
 */
export interface Turn<S extends StandardSchemaV1 = StandardSchemaV1<unknown, undefined>> {
  /** The message's id, the same in every attempt: use it as idempotency key towards other systems. */
  readonly id: string;
  /** Type of the message, `<actor>.<verb>` or `<topic>.<event>`. */
  readonly type: string;
  /** Topic under which it was published: its type, unless the publisher said otherwise. */
  readonly topic: string;
  /** Which instance of the actor this is; undefined when its messages have no key. */
  readonly key: string | undefined;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** How many attempts the message has in all. */
  readonly attempts: number;
  /** Of the message, as a number: 1 is served first; 'high' is 10, 'normal' 100, 'low' 1,000. */
  readonly priority: number;
  /** When the message was sent. */
  readonly sentAt: Date;
  /** When the turn started: use it in place of `Date.now()`, and tests can move it. */
  readonly now: Date;
  /** Not started after this time; undefined: never too late. */
  readonly deadline: Date | undefined;
  /** Nominal time, when the message is an occurrence of a schedule. */
  readonly occurrence: Date | undefined;
  /** What the sender attached. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tenant: string | undefined;
  /** First message of the chain that this one belongs to, itself if it is the first. */
  readonly correlationId: string;
  /** The message whose turn sent this one. */
  readonly causationId: string | undefined;
  /** W3C trace context of the sender. */
  readonly traceparent: string | undefined;
  /**
   * Aborts when the process is stopping and the message will be handed back, when another process has taken it over, when it
   * is cancelled, or when the handler took longer than its timeout.
   */
  readonly signal: AbortSignal;
  /** State of this key. Change it, or put another in its place: it is checked and committed when the handler has succeeded. */
  state: StandardSchemaV1.InferOutput<S>;
  /**
   * SQL of your own in the transaction that ends the message: committed once, with everything else of the turn, or not at all.
   * On PostgreSQL and PGlite.
   *
   *     await turn.sql`insert into ledger (id, amount) values (${turn.id}, ${amount})`;
   *
   * Values become parameters. The statement is kept and runs at the commit, after the handler has succeeded, in the order
   * given: a transaction held open over a handler would hold a connection, and on PGlite everybody. So it answers no rows. One
   * that fails fails the turn with a TurnSqlError, and supervision decides.
   *
   * @throws TurnUsageError on other stores, in `@Read` handlers, and for more than 1,000 statements
   * @throws TurnEndedError when the turn is over
   */
  sql(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<void>;
  /**
   * Adds a row to the journal of this key, kept with its state: what happened to it, for whoever looks later (`Keys.journal`).
   * Committed with everything else of the turn, or not at all; of a key the newest rows are kept, as many as the actor's
   * option `journal` says.
   *
   *     turn.journal({ event: 'paid', amount: 5 });
   *
   * @param row a plain object of JSON, at most 4,096 bytes
   * @throws OptionError for what is no such row
   * @throws TurnUsageError in `@Read` handlers, without key (so in batch handlers), and for more than 1,000 rows
   * @throws TurnEndedError when the turn is over
   */
  journal(row: JsonObject): void;
  /**
   * Removes the state of this key and its journal when the turn commits, those rows included that this turn adds: the next turn
   * of the key begins with the state of a new one. What the turn sends, and its reply, are committed as ever.
   *
   * @throws TurnUsageError in `@Read` handlers, and without key (so in batch handlers)
   * @throws TurnEndedError when the turn is over
   */
  forget(): void;
  /**
   * Runs `work` so that what it sends belongs to this turn. Needed in batch handlers only, where several turns are at work:
   * elsewhere it is already so.
   */
  join<T>(work: () => T): T;
}
