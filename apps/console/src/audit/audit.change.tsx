import type { ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { JsonView } from '../parts/json.view.js';

type Entry = Shown['AuditPage']['items'][number];

/** What became otherwise by a change: which fields, and folded how they were and are. */
export function AuditChange({ entry }: { entry: Entry }): ReactElement | null {
  const { asked, before, after, omitted = [] } = entry;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  if (!asked && names.length === 0 && omitted.length === 0) return null;
  return (
    <details>
      <summary>{names.length > 0 ? shortly(names) : 'what was asked for'}</summary>
      {asked && (
        <>
          <p className="quiet small">Asked for</p>
          <JsonView data={asked} name="Asked for" />
        </>
      )}
      {before && names.length > 0 && (
        <>
          <p className="quiet small">Before</p>
          <JsonView data={before} name="Before" />
        </>
      )}
      {after && names.length > 0 && (
        <>
          <p className="quiet small">After</p>
          <JsonView data={after} name="After" />
        </>
      )}
      {omitted.length > 0 && <p className="quiet small">Too large to keep: {omitted.join(', ')}</p>}
    </details>
  );
}

function shortly(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
