import { useId, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { onceKeys } from '../api/once.keys.js';
import { FailureNote } from './failure.note.js';
import { ReasonField } from './reason.field.js';
import { textIn } from './text.in.js';

/**
 * A button that changes something. One that asks for a reason, or has something to be filled in, opens a dialog first; what goes wrong is
 * said there, and it stays open, as it does while the change is made. Opened again it is empty.
 */
export function ActionButton({
  name,
  children,
  after,
  reason,
  danger = false,
  run,
}: {
  /** Names the button and the dialog. */
  name: string;
  /** What the dialog says, or asks for before the reason. */
  children?: ReactNode;
  /** What it asks for behind the reason. */
  after?: ReactNode;
  /** `required` asks for a reason, `optional` offers it; without either there is no dialog, unless it has children. */
  reason?: 'required' | 'optional';
  danger?: boolean;
  /** Makes the change. @param form what was filled in @param reason why, '' when nothing was said */
  run: (form: FormData, reason: string) => Promise<unknown>;
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [closed, setClosed] = useState(0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const asks = reason !== undefined || children !== undefined;

  const act = async (form: FormData): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await run(form, textIn(form, 'reason'));
      dialog.current?.close();
    } catch (failure) {
      setError(failure);
      // Browsers let nobody be kept in a dialog: the second Esc closes it.
      if (asks && !dialog.current?.open) dialog.current?.showModal();
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <button
        type="button"
        className={danger ? 'danger' : undefined}
        disabled={busy}
        onClick={() => {
          setError(undefined);
          if (asks) {
            onceKeys.forget();
            dialog.current?.showModal();
          } else void act(new FormData());
        }}
      >
        {name}
      </button>
      {!asks && <FailureNote error={error} />}
      {asks && (
        <dialog
          ref={dialog}
          aria-labelledby={`${id}-name`}
          onCancel={(event) => {
            if (busy) event.preventDefault();
          }}
          onClose={() => setClosed(closed + 1)}
        >
          <form
            key={closed}
            onSubmit={(event) => {
              event.preventDefault();
              void act(new FormData(event.currentTarget));
            }}
          >
            <h2 id={`${id}-name`}>{name}</h2>
            {children}
            {reason && <ReasonField required={reason === 'required'} />}
            {after}
            <FailureNote error={error} />
            <div className="actions">
              <button type="button" disabled={busy} onClick={() => dialog.current?.close()}>
                Cancel
              </button>
              <button className={danger ? 'danger' : 'main'} disabled={busy}>
                {name}
              </button>
            </div>
          </form>
        </dialog>
      )}
    </>
  );
}
