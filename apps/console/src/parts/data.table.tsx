import type { Key, ReactElement, ReactNode } from 'react';
import { FailureNote } from './failure.note.js';

/** A column of a table: its heading, and what a row has there. */
export interface Column<Row> {
  name: string;
  of: (row: Row) => ReactNode;
  /** Numbers stand to the right. */
  numeric?: boolean;
}

interface Table<Row> {
  /** What the rows are, for readers of screens. */
  caption: string;
  columns: readonly Column<Row>[];
  /** Undefined while they are awaited. */
  rows: readonly Row[] | undefined;
  id: (row: Row) => Key;
  /** What is said when there are none. */
  empty: ReactNode;
}

/** Rows that were asked for; those that are known stay when they cannot be asked for again. */
export function DataTable<Row>({
  error,
  ...table
}: Table<Row> & {
  /** What went wrong when they were asked for last. */
  error?: unknown;
}): ReactElement {
  return (
    <>
      <FailureNote error={error} />
      {(table.rows ?? !error) && <Rows {...table} />}
    </>
  );
}

/** Rows under headings; on a phone each row is a card whose cells carry the headings. */
function Rows<Row>({ caption, columns, rows, id, empty }: Table<Row>): ReactElement {
  if (!rows) return <p className="quiet">Loading…</p>;
  if (rows.length === 0) return <p className="quiet">{empty}</p>;
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, numeric }) => (
            <th key={name} scope="col" className={numeric ? 'numeric' : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)}>
            {columns.map(({ name, of, numeric }) => (
              <td key={name} data-name={name} className={numeric ? 'numeric' : undefined}>
                {of(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
