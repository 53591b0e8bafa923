import type { ReactElement } from 'react';

/** Asks why something is changed: `reason` in the form. */
export function ReasonField({ required = false }: { required?: boolean }): ReactElement {
  return (
    <label>
      Reason{!required && ' (optional)'}
      <input
        name="reason"
        maxLength={200}
        required={required}
        // Blanks are no reason.
        pattern={required ? '.*\\S.*' : undefined}
        autoComplete="off"
      />
    </label>
  );
}
