import type { ReactElement } from 'react';
import { jsonText } from './json.text.js';

/** Data as it is, to be read and copied. */
export function JsonView({ data, name }: { data: unknown; name: string }): ReactElement {
  return (
    <pre tabIndex={0} aria-label={name}>
      {jsonText(data)}
    </pre>
  );
}
