import { useState, type ReactElement, type ReactNode, type Ref } from 'react';
import { FailureNote } from './failure.note.js';
import { FieldProblems, problemsIn } from './field.problems.js';
import { ReasonField } from './reason.field.js';
import { textIn } from './text.in.js';

/**
 * A form that changes something, and offers to say why. What goes wrong is said in it, of a single field beside that; once it is sent,
 * another page takes its place.
 */
export function SendForm({
  verb,
  children,
  reason = true,
  send,
  onInput,
  ref,
}: {
  /** Names the button that sends it. */
  verb: string;
  children: ReactNode;
  /** Whether it offers to say why: what is sent is itself kept, and needs no reason. */
  reason?: boolean;
  /** Makes the change. @param reason why, '' when nothing was said */
  send: (form: FormData, reason: string) => Promise<void>;
  onInput?: (form: FormData) => void;
  ref?: Ref<HTMLFormElement>;
}): ReactElement {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (form: FormData): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await send(form, textIn(form, 'reason'));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <form
      ref={ref}
      className="fields"
      onInput={({ currentTarget }) => onInput?.(new FormData(currentTarget))}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(new FormData(event.currentTarget));
      }}
    >
      <FieldProblems value={problemsIn(error)}>{children}</FieldProblems>
      {reason && <ReasonField />}
      <FailureNote error={error} />
      <div className="actions">
        <button className="main" disabled={busy}>
          {verb}
        </button>
      </div>
    </form>
  );
}
