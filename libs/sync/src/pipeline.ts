import type { ActorRetryOptions, Actors, Duration, Json } from '@callsheet/messaging';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a source may know while it reads a page. */
export interface Pull {
  /** How many rows the page should have at most: the option `page` of the pipeline. */
  readonly limit: number;
  /** Aborts when the process stops, the page took too long, or another process has taken it over. */
  readonly signal: AbortSignal;
  /** Where a backfill ends, as whoever asked for it gave it; undefined: at the end of the source. */
  readonly until: Json | undefined;
  /** Whether it is a backfill, whose cursor is not that of the pipeline. */
  readonly backfill: boolean;
  /** Number of this attempt at the page, from 1. */
  readonly attempt: number;
}

/** A row that is not what it should be, and what is wrong with it. */
export interface BadRow {
  /** As it was found: anything that a message can carry; what it cannot is kept as text, cut. */
  row: unknown;
  error: string;
}

/** A page of a source. */
export interface Pulled<R = unknown> {
  /** In the order in which they are to be pushed; 10,000 at most. */
  rows: readonly R[];
  /** Where the next page begins: plain JSON, some kilobytes at most. Given back to `pull` when this page is committed. */
  cursor: Json;
  /** Whether the source has more at this moment. False ends the run. */
  more: boolean;
  /** Rows that could not even be read. They become dead letters, and the page goes on. Default: none. */
  bad?: readonly BadRow[];
  /** Up to when the source has been read completely. Default: when there is no more, the time of this page; else unchanged. */
  at?: Date;
}

/** Where rows come from. One object for all pages of a pipeline in a process; only one page at a time is read in all processes. */
export interface Source<R = unknown> {
  /**
   * Reads the page at `cursor`: null is the beginning. Called again with the same cursor when the page did not commit, so it
   * must not remove what it has answered; what it was given a later cursor for, it may.
   */
  pull(cursor: Json, pull: Pull): Promise<Pulled<R>> | Pulled<R>;
  /**
   * Calls `wake` when there is something new, until `signal` aborts, in every process that runs the pipeline: a run begins then.
   * It may miss something, so give the pipeline a schedule too. Rejects when it lost its source; it is called again a while later.
   */
  watch?(wake: () => void, signal: AbortSignal): Promise<void>;
  /** Lets connections go. Called when no page is in work any more. */
  close?(): Promise<void>;
}

/** A page on its way to a sink. */
export interface Page {
  /** The same each time that this page is tried, of no other page: use it as idempotency key. */
  readonly id: string;
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Number of this attempt, from 1. */
  readonly attempt: number;
  /** When the turn started. */
  readonly now: Date;
  /** As of {@link Pull}. */
  readonly signal: AbortSignal;
  /** What is committed with the page, should the sink want to keep it beside its rows: see {@link Sink.open}. */
  readonly outcome: PageOutcome;
  /**
   * Sends a message, with the commit of the page. If that is refused, because an `id` was used for another message, the next attempt
   * sends those with an id at once, and this throws IdempotencyConflictError.
   */
  readonly tell: Actors['tell'];
  /** SQL in the commit of the page, where the store is PostgreSQL or PGlite: `turn.sql`. */
  sql(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<void>;
  /** Refuses one row: it becomes a dead letter, and the page goes on. Not for what will get better by itself: throw then. */
  reject(row: unknown, error: string): void;
}

/** What a page comes to. */
export interface PageOutcome {
  cursor: Json;
  more: boolean;
  /** Rows that were pushed. */
  rows: number;
  bad: BadRow[];
  /** Epoch milliseconds, as of {@link Pulled}. */
  at?: number;
}

/** Where rows go. */
export interface Sink<R = never> {
  /**
   * Called before a page is read, or a bad row is pushed that was redriven. A sink that commits rows apart from the turn keeps `page.id` and `page.outcome` with them, and
   * answers that outcome when this very page has been committed already: then it is not read again. Absent, or undefined: it is.
   */
  open?(
    page: Pick<Page, 'id' | 'pipeline' | 'signal'>,
  ): Promise<PageOutcome | undefined> | PageOutcome | undefined;
  /**
   * Takes the rows of a page, those that satisfy the schema. When it throws the page is tried again, so it must bear to see rows
   * twice, unless it is all or nothing with `page.sql`, `page.tell`, or {@link open}.
   */
  push(rows: R[], page: Page): Promise<void> | void;
  /** Lets connections go. Called when no page is in work any more. */
  close?(): Promise<void>;
}

/** What a class with `@Pipeline` has: a source and a sink, each as methods or as a field. */
export type PipelineParts<R> = (Pick<Source, 'pull'> | { readonly from: Source }) &
  (Pick<Sink<R>, 'push'> | { readonly to: Sink<R> });

/** Options of {@link Pipeline}. */
export interface PipelineOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** Name of the pipeline, of its actor and of its queue: `[a-z][a-z0-9-]*`. Default: `ContactsSync` is 'contacts-sync'. */
  name?: string;
  /** A run begins that often. Default: runs begin when somebody asks, or the source says that there is something new. */
  every?: Duration;
  /** A run begins by this pattern. Not together with `every`. */
  cron?: string;
  /** Zone of `cron`. Default 'UTC'. */
  tz?: string;
  /** Rows of a page, 1 to 5,000. All of them are in memory at once, and what becomes of them is one commit. Default 500. */
  page?: number;
  /** What a row must be. What it makes of a row is pushed; a row that is otherwise becomes a dead letter. Default: anything. */
  schema?: S;
  /** The longest a page may take. Default '5m'. */
  timeout?: Duration;
  /** When a page that failed is tried again; when it has failed that often its run is over. As of actors: 5 attempts from 1 s. */
  retry?: ActorRetryOptions;
}
