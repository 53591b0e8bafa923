import type { Actors, Json, Turn } from '@callsheet/messaging';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { DeclaredPipeline } from './pipeline.options.js';
import type { Page, PageOutcome, Pulled } from './pipeline.js';
import { PullError } from './sync.errors.js';

/** The most rows that a source may answer at once. */
const MOST_ROWS = 10_000;
/** How much of an error is kept of a row, characters. */
const KEPT = 1_000;

/** The part of the run in work that a page needs. */
export interface PageOrder {
  cursor: Json;
  until: Json | undefined;
  backfill: boolean;
}

type AnyTurn = Turn<StandardSchemaV1>;

/**
 * One page from its source to its sink. Nothing of it counts until its turn commits.
 *
 * @param isRefused whether its commit was refused for an id that was used for another message: those with an id are sent at once
 * then, which the id makes harmless, so that the sink learns which it is
 */
export async function takePage(
  pipeline: DeclaredPipeline,
  { cursor, until, backfill }: PageOrder,
  turn: AnyTurn,
  actors: Actors,
  isRefused: boolean,
): Promise<PageOutcome> {
  const { name, source, sink, page: limit } = pipeline;
  const { id, signal, attempt } = turn;
  const committed = await sink.open?.({ id, pipeline: name, signal });
  if (committed) return committed;
  const pulled = await source.pull(cursor, { limit, signal, until, backfill, attempt });
  const outcome = outcomeOf(name, pulled, turn.now.getTime());
  const rows = await fitting(pipeline, pulled.rows, outcome);
  outcome.rows = rows.length;
  // A source that does not heed its signal ends some time, and maybe the next attempt is at work by then.
  signal.throwIfAborted();
  const page = pageOf(name, turn, outcome, isRefused ? atOnce(actors) : actors);
  if (rows.length > 0) await sink.push(rows as never[], page);
  return outcome;
}

/** One row that was bad and is so no more, or not even now. @throws BadRowError */
export async function takeRow(
  pipeline: DeclaredPipeline,
  row: unknown,
  turn: AnyTurn,
  actors: Actors,
  refuse: (error: string) => Error,
): Promise<void> {
  const { name, sink } = pipeline;
  const { id, signal } = turn;
  const committed = await sink.open?.({ id, pipeline: name, signal });
  // It may have been refused under this id, and mended since.
  if (committed?.bad.length === 0) return;
  const outcome: PageOutcome = { cursor: null, more: false, rows: 1, bad: [] };
  const rows = await fitting(pipeline, [row], outcome);
  const page = pageOf(name, turn, outcome, atOnce(actors));
  if (rows.length > 0) await sink.push(rows as never[], page);
  const [bad] = outcome.bad;
  if (bad) throw refuse(bad.error);
}

/** What `pull` answered, if it is a page. @throws PullError */
function outcomeOf(name: string, pulled: Pulled, now: number): PageOutcome {
  const { rows, cursor, more, bad = [], at } = pulled ?? {};
  if (!Array.isArray(rows)) throw new PullError(name, 'must answer { rows, cursor, more }');
  if (rows.length + bad.length > MOST_ROWS) {
    throw new PullError(name, `answered ${rows.length + bad.length} rows, more than ${MOST_ROWS}`);
  }
  if (typeof more !== 'boolean') throw new PullError(name, 'must answer more: true or false');
  if (cursor === undefined)
    throw new PullError(name, 'must answer a cursor: null is the beginning');
  const time = at?.getTime() ?? (more ? undefined : now);
  return {
    cursor,
    more,
    rows: 0,
    bad: bad.map(({ row, error }) => ({ row, error: cut(error) })),
    ...(time !== undefined && { at: time }),
  };
}

/** The rows that satisfy the schema, as it makes them; the others are noted as bad. */
async function fitting(
  { schema }: DeclaredPipeline,
  rows: readonly unknown[],
  outcome: PageOutcome,
): Promise<unknown[]> {
  if (!schema) return [...rows];
  const found: unknown[] = [];
  for (const row of rows) {
    const checking = schema['~standard'].validate(row);
    const checked = checking instanceof Promise ? await checking : checking;
    if (checked.issues) outcome.bad.push({ row, error: sentence(checked.issues) });
    else found.push(checked.value);
  }
  return found;
}

function sentence(issues: readonly StandardSchemaV1.Issue[]): string {
  const texts = issues.map(({ path = [], message }) => {
    const place = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('/');
    return place ? `${place}: ${message}` : message;
  });
  return cut(texts.join('; '));
}

/** Sends messages with an id of their own now, not with the commit. */
function atOnce(actors: Actors): Pick<Actors, 'tell'> {
  return {
    tell: (message, options) =>
      actors.tell(message, options?.id === undefined ? options : { ...options, now: true }),
  };
}

function pageOf(
  pipeline: string,
  turn: AnyTurn,
  outcome: PageOutcome,
  actors: Pick<Actors, 'tell'>,
): Page {
  const { id, attempt, now, signal } = turn;
  return {
    id,
    pipeline,
    attempt,
    now,
    signal,
    outcome,
    tell: (message, options) => actors.tell(message, options),
    sql: (strings, ...values) => turn.sql(strings, ...values),
    reject(row, error) {
      outcome.bad.push({ row, error: cut(error) });
      outcome.rows--;
    },
  };
}

/** The beginning of a text, as a store can keep it: without NUL, and without half of a character, which cutting can leave. */
export function cut(text: string, kept = KEPT): string {
  return text
    .slice(0, kept)
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}
