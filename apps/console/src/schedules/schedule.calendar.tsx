import { useQueries } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { Link, useSearch } from 'wouter';
import { query } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { FailureNote } from '../parts/failure.note.js';
import { Tabs } from '../parts/tabs.js';
import { useUrlState } from '../parts/url.state.js';
import { calendarOf, type Day, type Entry } from './calendar.js';
import { pageOf } from './schedule.table.js';

/** Schedules whose next runs are asked for. */
const MOST = 50;
/** The API tells no more of one. */
const TIMES = 100;
/** How often the next runs are asked for, milliseconds. */
const PACE = 60_000;
const DAYS = [1, 3, 7, 14] as const;

const DAY = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
});
const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

/** Which schedules. */
export interface ScheduleFilter {
  q?: string;
  tag?: string;
  state?: Shown['Schedule']['state'];
  troubled?: 'true';
}

/** The next runs of all schedules, day by day. */
export function ScheduleCalendar({ filter }: { filter: ScheduleFilter }): ReactElement {
  const search = useSearch();
  const { get } = useUrlState();
  const days = DAYS.find((count) => String(count) === get('days')) ?? 7;
  const { data, error } = api.useQuery('get', '/v1/schedules', {
    params: { query: { ...filter, state: filter.state ?? 'active', limit: MOST } },
  });
  const schedules = data?.items ?? [];
  const answers = useQueries({
    queries: schedules.map(({ id }) =>
      api.queryOptions(
        'get',
        '/v1/schedules/{id}/next',
        { params: { path: { id }, query: { count: TIMES } } },
        { refetchInterval: PACE, staleTime: PACE / 2 },
      ),
    ),
  });
  const upcoming = schedules.map(({ id }, index) => {
    const times = (answers[index]?.data?.occurrences ?? []).map(({ at }) => at);
    return { id, times, cut: times.length === TIMES };
  });
  const calendar = calendarOf(upcoming, Date.now(), days);
  const rules = new Map(schedules.map(({ id, text }) => [id, text]));
  const isComing = !data || answers.some(({ isPending }) => isPending);
  return (
    <section aria-labelledby="calendar">
      <h2 id="calendar" className="hidden">
        Calendar
      </h2>
      <Tabs
        name="Days"
        tabs={DAYS.map((count) => ({
          name: count === 1 ? 'Today' : `${count} days`,
          href: `/schedules${query({ days: String(count) }, search)}`,
          current: count === days,
        }))}
      />
      <FailureNote error={error ?? answers.find((answer) => answer.error)?.error} />
      <p className="quiet small">
        Nominal times, in your time zone ({Intl.DateTimeFormat().resolvedOptions().timeZone}).
        {data?.next && ` Only the first ${MOST} schedules: narrow them with a filter.`}
        {isComing && ' Loading…'}
      </p>
      {calendar.frequent.length > 0 && (
        <p>
          More than {TIMES} times within these days:{' '}
          {calendar.frequent.map((id, index) => (
            <span key={id}>
              {index > 0 && '; '}
              <Link href={pageOf(id)}>{id}</Link> <span className="quiet">{rules.get(id)}</span>
            </span>
          ))}
        </p>
      )}
      <div className="days">
        {calendar.days.map((day) => (
          <DayCard
            key={day.start}
            day={day}
            none={calendar.frequent.length > 0 ? 'nothing else' : 'nothing'}
          />
        ))}
      </div>
    </section>
  );
}

function DayCard({
  day: { start, entries },
  none,
}: {
  day: Day;
  /** What a day without entries says. */
  none: string;
}): ReactElement {
  const name = DAY.format(start);
  return (
    <section className="card" aria-label={name}>
      <h3>{name}</h3>
      {entries.length === 0 && <span className="quiet small">{none}</span>}
      <ul>
        {entries.map((entry) => (
          <li key={`${entry.id} ${entry.first}`}>
            <span className="quiet">{timeOf(entry)}</span>{' '}
            <Link href={pageOf(entry.id)}>{entry.id}</Link>
            {entry.count > 1 && <span className="quiet small"> {entry.count} times</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function timeOf({ first, last, count }: Entry): string {
  return count === 1 ? TIME.format(first) : `${TIME.format(first)}–${TIME.format(last)}`;
}
