import type { JsonObject, JournalRow } from '@callsheet/messaging';
import type { EndedRun } from './pipeline.state.js';

/** How much of an error a line keeps, characters. */
const KEPT = 500;

/** The end of a run. */
export type RunRow = Pick<
  EndedRun,
  'id' | 'reason' | 'outcome' | 'startedAt' | 'finishedAt' | 'rows' | 'bad' | 'pages' | 'errors'
> & { kind: 'run'; error?: { name: string; message: string } };

/** Something else that happened to a pipeline. */
export interface NoteRow {
  kind: 'note';
  what: 'paused' | 'resumed' | 'reset';
  detail?: string;
}

/** A line of the history of a pipeline. */
export type PipelineEntry = { /** Place in the history. */ cursor: string; at: Date } & (
  (Omit<RunRow, 'startedAt' | 'finishedAt'> & { startedAt: Date; finishedAt: Date }) | NoteRow
);

export function runRow(ended: EndedRun): JsonObject {
  const { id, reason, outcome, startedAt, finishedAt, rows, bad, pages, errors, error } = ended;
  return {
    kind: 'run',
    ...{ id, reason, outcome, startedAt, finishedAt, rows, bad, pages, errors },
    ...(error && { error: { name: error.name, message: error.message.slice(0, KEPT) } }),
  };
}

export function noteRow(what: NoteRow['what'], detail?: string): JsonObject {
  return { kind: 'note', what, ...(detail !== undefined && { detail: detail.slice(0, KEPT) }) };
}

/** @param row of the journal of a pipeline */
export function toEntry({ id: cursor, at, row }: JournalRow): PipelineEntry {
  const found = row as unknown as RunRow | NoteRow;
  const common = { cursor, at: new Date(at) };
  if (found.kind === 'note') return { ...common, ...found };
  const { startedAt, finishedAt, ...rest } = found;
  return {
    ...common,
    ...rest,
    startedAt: new Date(startedAt),
    finishedAt: new Date(finishedAt),
  };
}
