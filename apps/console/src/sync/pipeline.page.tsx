import type { ReactElement } from 'react';
import { Link } from 'wouter';
import { pathTo } from '../address.js';
import { api, type Shown } from '../api/client.js';
import { PausedBy } from '../audit/paused.by.js';
import { FailureNote } from '../parts/failure.note.js';
import { Facts } from '../parts/facts.js';
import { JsonView } from '../parts/json.view.js';
import { Moment } from '../parts/moment.js';
import { Page } from '../parts/page.js';
import { StateBadge } from '../parts/state.badge.js';
import { span } from '../parts/time.js';
import { PipelineActions } from './pipeline.actions.js';
import { PipelineHistory } from './pipeline.history.js';
import { lettersOf } from './sync.page.js';

type Pipeline = Shown['Pipeline'];

/** A pipeline: where it stands, how its runs ended, and what can be done with it. */
export function PipelinePage({ name }: { name: string }): ReactElement {
  const { data, error } = api.useQuery('get', '/v1/sync/{pipeline}', {
    params: { path: { pipeline: name } },
  });
  return (
    <Page title={name} actions={data && <PipelineActions pipeline={data} />}>
      <FailureNote error={error} />
      {data && (
        <>
          <div className="beside">
            <Standing pipeline={data} />
            <section aria-labelledby="cursor">
              <h2 id="cursor">Cursor</h2>
              <JsonView data={data.cursor ?? null} name="Cursor: where its next page begins" />
            </section>
          </div>
          <PipelineHistory name={name} />
        </>
      )}
      {error !== null && (
        <p>
          <Link href="/sync">All pipelines</Link>
        </p>
      )}
    </Page>
  );
}

function Standing({ pipeline }: { pipeline: Pipeline }): ReactElement {
  const { name, state, pause, failure, run, waiting, lag, syncedTo } = pipeline;
  const { rows, bad, pages, errors, rate, every, cron, tz } = pipeline;
  return (
    <div>
      {failure && (
        <p className="failure">
          {failure.name}: {failure.message}
          {'\n'}
          <span className="quiet">
            {failure.attempts} {failure.attempts === 1 ? 'attempt' : 'attempts'}, the last{' '}
            <Moment at={failure.at} />
          </span>
        </p>
      )}
      <Facts
        facts={{
          State: (
            <>
              <StateBadge state={state} />
              {pause && (
                <>
                  {' '}
                  {pause.reason}, <Moment at={pause.at} />
                  <PausedBy target={`sync/${name}`} since={pause.at} />
                </>
              )}
            </>
          ),
          Lag:
            lag === undefined ? (
              'not read to its end yet'
            ) : (
              <>
                {span(lag)} <span className="quiet">since its source was read to the end, </span>
                <Moment at={syncedTo} />
              </>
            ),
          Runs: every ? `every ${every}` : cron && `${cron} ${tz ?? ''}`,
          Rows: `${rows.toLocaleString()} in ${pages.toLocaleString()} pages`,
          'Rows per s': rate !== undefined && +rate.toFixed(1),
          'Bad rows':
            bad > 0 ? <Link href={lettersOf(name)}>{bad}, see dead letters</Link> : 'none',
          'Failed attempts': errors,
          'In work': run && (
            <>
              {run.reason}, since <Moment at={run.startedAt} />, {run.rows} rows;{' '}
              <Link href={pathTo('messages', run.page)}>its next page</Link>
            </>
          ),
          'Runs behind it': waiting > 0 && waiting,
        }}
      />
    </div>
  );
}
