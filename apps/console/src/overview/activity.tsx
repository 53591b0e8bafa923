import type { ReactElement } from 'react';
import { api, type Shown } from '../api/client.js';
import { LineChart } from '../parts/line.chart.js';
import { span } from '../parts/time.js';

/** How far back, minutes. */
const MINUTES = 15;

/** Throughput, latency and failures of the last minutes, of all actors or of one. */
export function Activity({ actor }: { actor?: string }): ReactElement | null {
  const { data } = api.useQuery('get', '/v1/activity', {
    params: { query: { minutes: MINUTES, ...(actor !== undefined && { actor }) } },
  });
  if (!data) return null;
  const figures = actor === undefined ? data.total : data.actors[0];
  const { throughput = [], failed = [], p50 = [], p99 = [] } = figures ?? {};
  return (
    <section>
      <h2>
        Last {MINUTES} minutes <span className="quiet">{sinceText(data)}</span>
      </h2>
      {data.steps === 0 || !figures ? (
        <p className="quiet">Nothing has happened yet.</p>
      ) : (
        <div className="charts">
          <LineChart
            name="T per s"
            values={throughput}
            text={(value) => (+value.toFixed(1)).toLocaleString('en')}
          />
          <LineChart name="L p50" values={measured(p50)} text={span} />
          <LineChart name="L p99" values={measured(p99)} text={span} />
          <LineChart name="Failed attempts" values={failed} />
        </div>
      )}
    </section>
  );
}

function measured(values: readonly (number | null)[]): (number | undefined)[] {
  return values.map((value) => value ?? undefined);
}

/** An API that has just begun knows less. */
function sinceText({ since, steps, step }: Shown['Activity']): string {
  const isWhole = steps * step >= MINUTES * 60;
  return isWhole
    ? `in steps of ${step} s`
    : `since ${new Date(since).toLocaleTimeString()}, in steps of ${step} s`;
}
