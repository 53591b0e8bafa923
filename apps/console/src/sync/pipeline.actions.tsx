import type { ReactElement } from 'react';
import { client, reasonHeader, type Shown } from '../api/client.js';
import { useMe } from '../api/me.js';
import { refresh } from '../api/queries.js';
import { ActionButton } from '../parts/action.button.js';
import { JsonField } from '../parts/json.field.js';
import { jsonIn, jsonText } from '../parts/json.text.js';
import { textIn } from '../parts/text.in.js';

/** What can be done with a pipeline by who may. */
export function PipelineActions({
  pipeline: { name, state, cursor },
}: {
  pipeline: Shown['Pipeline'];
}): ReactElement {
  const { may } = useMe();
  const params = { path: { pipeline: name } };
  const then = () => refresh('/v1/sync');
  return (
    <>
      {may('sync:operate') && (
        <>
          {state !== 'paused' && (
            <ActionButton
              name="Run now"
              run={() => client.POST('/v1/sync/{pipeline}/run', { params }).then(then)}
            />
          )}
          {state === 'paused' ? (
            <ActionButton
              name="Resume"
              run={() => client.POST('/v1/sync/{pipeline}/resume', { params }).then(then)}
            />
          ) : (
            <ActionButton
              name="Pause"
              reason="required"
              run={(_form, reason) =>
                client.POST('/v1/sync/{pipeline}/pause', { params, body: { reason } }).then(then)
              }
            >
              <p>The page in work is done first.</p>
            </ActionButton>
          )}
          <ActionButton
            name="Backfill"
            reason="optional"
            run={async (form, reason) => {
              await client.POST('/v1/sync/{pipeline}/backfill', {
                params,
                body: {
                  from: jsonIn(textIn(form, 'from'), 'From'),
                  until: jsonIn(textIn(form, 'until'), 'Until'),
                },
                headers: reasonHeader(reason),
              });
              await then();
            }}
          >
            <p>Reads a part of the source again, or all of it. The cursor stays where it is.</p>
            <JsonField
              name="from"
              label="From, a cursor (optional)"
              rows={2}
              hint="Nothing: from the beginning."
            />
            <JsonField
              name="until"
              label="Until, as the source understands it (optional)"
              rows={2}
              hint="Nothing: to the end of the source."
            />
          </ActionButton>
        </>
      )}
      {may('sync:reset') && (
        <ActionButton
          name="Reset"
          reason="required"
          danger
          run={async (form, reason) => {
            await client.POST('/v1/sync/{pipeline}/reset', {
              params,
              body: { cursor: jsonIn(textIn(form, 'cursor'), 'Cursor') ?? null },
              headers: reasonHeader(reason),
            });
            await then();
          }}
        >
          <p>Ends what is in work and what waits, and moves the cursor.</p>
          <JsonField
            name="cursor"
            label="Cursor from now on"
            rows={4}
            hint={`Nothing: from the beginning. It is now ${jsonText(cursor ?? null).replaceAll(/\s+/g, ' ')}`}
          />
        </ActionButton>
      )}
    </>
  );
}
