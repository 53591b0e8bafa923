import type { ReactElement } from 'react';
import { api } from '../api/client.js';
import { span } from '../parts/time.js';
import { endedRuns, runsInWords, type EndedRun } from './run.history.js';

const BARS = 20;
/** Of a bar and the space behind it. */
const STEP = 6;
const HEIGHT = 20;
/** How often the runs of one of many schedules are asked for, milliseconds. */
const PACE = 30_000;

/** The last runs of a schedule, each a bar: its colour tells how it ended, its height how late it started beside the others. */
export function RunStrip({ id }: { id: string }): ReactElement | null {
  const { data } = api.useQuery(
    'get',
    '/v1/schedules/{id}/runs',
    // Each run has a line for its start and one for its end.
    { params: { path: { id }, query: { limit: 2 * BARS } } },
    { refetchInterval: PACE, staleTime: PACE / 3 },
  );
  const runs = endedRuns(data?.items ?? [], BARS);
  if (runs.length === 0) return <span className="quiet">{data && 'none yet'}</span>;
  const latest = Math.max(...runs.map(({ drift = 0 }) => drift));
  const label = `${runsInWords(runs)}; at most ${span(Math.max(0, latest))} late`;
  return (
    <svg
      className="strip"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${BARS * STEP} ${HEIGHT}`}
      width={BARS * STEP}
      height={HEIGHT}
    >
      <title>{label}</title>
      {runs.map((run, index) => {
        const height = heightOf(run, latest);
        return (
          <rect
            key={index}
            className={run.outcome === 'succeeded' ? 'good' : 'bad'}
            x={index * STEP}
            y={HEIGHT - height}
            width={STEP - 2}
            height={height}
          />
        );
      })}
    </svg>
  );
}

/** Of one that failed the whole: it must be seen. */
function heightOf({ outcome, drift = 0 }: EndedRun, latest: number): number {
  if (outcome !== 'succeeded') return HEIGHT;
  return 5 + (latest > 0 ? (Math.max(0, drift) / latest) * (HEIGHT - 8) : 0);
}
