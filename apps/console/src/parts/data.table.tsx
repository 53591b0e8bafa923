import type { Key, ReactElement, ReactNode } from 'react';

/** A column of a table: its heading, and what a row has there. */
export interface Column<Row> {
  name: string;
  of: (row: Row) => ReactNode;
  /** Numbers stand to the right. */
  numeric?: boolean;
}

/** Rows under headings; on a phone each row is a card whose cells carry the headings. */
export function DataTable<Row>({
  caption,
  columns,
  rows,
  id,
  empty,
}: {
  /** What the rows are, for readers of screens. */
  caption: string;
  columns: readonly Column<Row>[];
  /** Undefined while they are awaited. */
  rows: readonly Row[] | undefined;
  id: (row: Row) => Key;
  /** What is said when there are none. */
  empty: ReactNode;
}): ReactElement {
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
