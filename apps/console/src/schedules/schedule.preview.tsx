import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState, type ReactElement } from 'react';
import { api } from '../api/client.js';
import { FailureNote } from '../parts/failure.note.js';
import { Occurrences } from './occurrences.js';
import { trialOf, type ScheduleValues } from './schedule.values.js';

/** Nothing is asked until nobody has typed for so long, milliseconds. */
const PAUSE = 300;
const SHOWN = 8;

/** What a schedule would do, while it is typed. */
export function SchedulePreview({ values }: { values: ScheduleValues }): ReactElement {
  const typed = useSettled(values);
  const [body, wrong] = bodyFor(typed);
  const { data, error, isFetching } = api.useQuery(
    'post',
    '/v1/schedules:preview',
    { body },
    {
      enabled: typed.rule !== '' && wrong === undefined,
      refetchInterval: false,
      placeholderData: keepPreviousData,
    },
  );
  const problem: unknown = wrong ?? error;
  return (
    <section aria-labelledby="preview" className="card" aria-busy={isFetching}>
      <h2 id="preview">Preview</h2>
      {typed.rule === '' && (
        <p className="quiet">Say when it runs, and its next runs stand here.</p>
      )}
      {typed.rule !== '' && <FailureNote error={problem} />}
      {typed.rule !== '' && !problem && data && (
        <>
          <p role="status">{data.text}</p>
          {data.warnings.map((warning) => (
            <p key={warning} className="warning">
              {warning}
            </p>
          ))}
          <Occurrences of={data.occurrences} empty="It never runs." />
        </>
      )}
    </section>
  );
}

function bodyFor(values: ScheduleValues): [body: object, wrong?: Error] {
  try {
    return [{ ...trialOf(values), count: SHOWN }];
  } catch (error) {
    return [{}, error as Error];
  }
}

/** A value as it was when it last stayed the same for a while. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
