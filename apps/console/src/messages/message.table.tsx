import type { ReactElement, ReactNode } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import type { Shown } from '../api/client.js';
import { DataTable, type Column } from '../parts/data.table.js';
import { Moment } from '../parts/moment.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';

type Message = Shown['Message'];

const COLUMNS: readonly Column<Message>[] = [
  { name: 'Id', of: ({ id }) => <Link href={pathTo('messages', id)}>{id}</Link> },
  { name: 'Type', of: ({ type }) => type },
  {
    name: 'Key',
    of: ({ actor, key }) =>
      key !== undefined && <Link href={pathTo('actors', actor, 'keys', key)}>{key}</Link>,
  },
  { name: 'State', of: ({ state }) => <StateBadge state={state} /> },
  { name: 'Sent', of: ({ sentAt }) => <Moment at={sentAt} /> },
  {
    name: 'Failed',
    of: ({ attempts }) => attempts.length > 0 && attempts.length,
    numeric: true,
  },
  { name: 'Left', of: ({ attemptsLeft }) => attemptsLeft, numeric: true },
  { name: 'Next', of: ({ nextAttemptAt }) => nextAttemptAt && <Moment at={nextAttemptAt} /> },
  {
    name: 'L',
    of: ({ latencyMs }) => latencyMs !== undefined && span(latencyMs),
    numeric: true,
  },
  { name: 'Error', of: ({ error }) => error && <span className="clip">{error}</span> },
];

/** Messages, a row for each; columns in which nothing stands are left out. */
export function MessageTable({
  messages,
  error,
  empty,
  ofKey = false,
}: {
  messages: readonly Message[] | undefined;
  error: unknown;
  empty: ReactNode;
  /** All are of one key, which needs no column. */
  ofKey?: boolean;
}): ReactElement {
  const has = (column: Column<Message>): boolean =>
    messages?.some((message) => Boolean(column.of(message))) ?? false;
  return (
    <DataTable
      caption="Messages"
      columns={COLUMNS.filter((column) => has(column) && !(ofKey && column.name === 'Key'))}
      rows={messages}
      error={error}
      id={({ id }) => id}
      empty={empty}
    />
  );
}
