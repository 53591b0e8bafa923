import { useId, type ReactElement } from 'react';
import { useMessageTypes } from '../api/message.types.js';

/** The type of a message, one of those that actors take or another. */
export function TypeField({
  label,
  initial = '',
  onType,
}: {
  label: string;
  initial?: string;
  onType?: (type: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <label>
      {label}
      <input
        name="type"
        list={id}
        required
        defaultValue={initial}
        placeholder="email.send"
        autoComplete="off"
        onInput={({ currentTarget }) => onType?.(currentTarget.value)}
      />
      <datalist id={id}>
        {useMessageTypes().map(({ type }) => (
          <option key={type} value={type} />
        ))}
      </datalist>
    </label>
  );
}
