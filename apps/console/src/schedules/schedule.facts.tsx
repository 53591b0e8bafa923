import type { ReactElement, ReactNode } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import type { Shown } from '../api/client.js';
import { PausedBy } from '../audit/paused.by.js';
import { Facts } from '../parts/facts.js';
import { Moment } from '../parts/moment.js';
import { StateBadge } from '../parts/state.badge.js';
import { KINDS } from './schedule.values.js';

/** What is said of a schedule, and how it stands. */
export function ScheduleFacts({ schedule }: { schedule: Shown['Schedule'] }): ReactElement {
  const { text, state, pause, problem, failures, running, buffered, owner } = schedule;
  const { tz, overlap, catchUp, tags = [], description, createdAt, changedAt } = schedule;
  return (
    <div>
      {problem && <p className="failure">{problem}</p>}
      {description && <p>{description}</p>}
      <Facts
        facts={{
          Runs: <strong>{text}</strong>,
          Rule: <code>{ruleText(schedule)}</code>,
          'Time zone': tz,
          State: (
            <>
              <StateBadge state={state} />
              {pause && (
                <>
                  {' '}
                  {pause.reason}, <Moment at={pause.since} />
                  <PausedBy target={`schedules/${schedule.id}`} since={pause.since} />
                  {pause.until !== undefined && (
                    <>
                      {'; goes on '}
                      <Moment at={pause.until} />
                    </>
                  )}
                </>
              )}
            </>
          ),
          'Failed in a row': failures > 0 && failures,
          'In work': running.length > 0 && <Running running={running} />,
          'Waiting for it': buffered > 0 && buffered,
          'While one is in work': overlap,
          'Of what was missed': typeof catchUp === 'object' ? JSON.stringify(catchUp) : catchUp,
          Tags: tags.join(', '),
          'Declared by': owner && `${owner}, in its code: it is changed and removed there`,
          'Made, changed': (
            <>
              <Moment at={createdAt} />, <Moment at={changedAt} />
            </>
          ),
        }}
      />
    </div>
  );
}

function Running({ running }: { running: Shown['Schedule']['running'] }): ReactNode {
  return running.map(({ id, startedAt }) => (
    <div key={id}>
      <Link href={pathTo('messages', id)}>{id}</Link>, since <Moment at={startedAt} />
    </div>
  ));
}

function ruleText(schedule: Shown['Schedule']): string {
  const kind = KINDS.find((name) => schedule[name] !== undefined);
  return kind ? `${kind} ${[schedule[kind] ?? ''].flat().join(', ')}` : '';
}
