import { useEffect, useRef, useState, type ReactElement } from 'react';
import { useMessageTypes } from '../api/message.types.js';
import { JsonField } from './json.field.js';
import { jsonText } from './json.text.js';
import { sampleOf } from './sample.js';

/** The data of a message. Until somebody has written any it is what the type that is chosen requires, empty. */
export function DataField({
  type,
  label,
  path,
  initial = '{}',
  hint,
}: {
  type: string;
  label: string;
  /** Where it stands in the body. */
  path?: string;
  initial?: string;
  hint?: string;
}): ReactElement {
  const known = useMessageTypes().find((message) => message.type === type);
  const isOwn = useRef(initial !== '{}');
  const [text, setText] = useState(initial);
  const sample = known && jsonText(sampleOf(known.jsonSchema));
  useEffect(() => {
    if (sample !== undefined && !isOwn.current) setText(sample);
  }, [sample]);
  return (
    <div
      onInput={() => {
        isOwn.current = true;
      }}
    >
      <JsonField
        key={text}
        name="data"
        label={label}
        path={path}
        initial={text}
        rows={6}
        required
        hint={hint}
      />
    </div>
  );
}
