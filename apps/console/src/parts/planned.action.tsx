import { useId, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { onceKeys } from '../api/once.keys.js';
import { FailureNote } from './failure.note.js';
import { ReasonField } from './reason.field.js';
import { textIn } from './text.in.js';

/** How work that takes several calls is watched, and stopped. */
export interface Watch {
  /** Whether somebody wants no more calls. */
  readonly stopped: boolean;
  /** Tells how far it is. */
  progress(done: number): void;
}

/** What would be done. */
interface Plan {
  count: number;
  text: string;
}

/** A button for many things at once: first it is said how many there are, then they are done, and can be stopped on the way. */
export function PlannedAction({
  name,
  children,
  verb,
  reason = false,
  plan,
  run,
}: {
  /** Names the button and the dialog. */
  name: string;
  /** What the dialog asks for; the plan is made anew whenever it changes. */
  children?: ReactNode;
  /** Names the button that does it: `Redrive 12`. */
  verb: (count: number) => string;
  /** Offers to say why. */
  reason?: boolean;
  /** Counts what would be done, without doing it. */
  plan: (form: FormData) => Promise<Plan>;
  /** Does it. @returns what became of it, as a sentence */
  run: (form: FormData, planned: number, watch: Watch, reason: string) => Promise<string>;
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const stopped = useRef(false);
  const asked = useRef(0);
  const id = useId();
  const [closed, setClosed] = useState(0);
  /** What was counted, and what does just that, whatever the address and the form say meanwhile. */
  const [planned, setPlanned] = useState<Plan & { act: typeof run; form: FormData }>();
  const [isIncomplete, setIncomplete] = useState(false);
  const [done, setDone] = useState<number>();
  const [result, setResult] = useState<string>();
  const [error, setError] = useState<unknown>();

  const look = async (): Promise<void> => {
    const mine = ++asked.current;
    setPlanned(undefined);
    setError(undefined);
    const isComplete = form.current?.checkValidity() ?? false;
    setIncomplete(!isComplete);
    if (!form.current || !isComplete) return;
    try {
      const filled = new FormData(form.current);
      const answer = await plan(filled);
      // What was asked later says more.
      if (mine === asked.current) setPlanned({ ...answer, act: run, form: filled });
    } catch (failure) {
      if (mine === asked.current) setError(failure);
    }
  };

  const act = async (what: NonNullable<typeof planned>, why: string): Promise<void> => {
    const { act: doIt, form: filled, count } = what;
    stopped.current = false;
    let reached = 0;
    setDone(0);
    setError(undefined);
    try {
      const watch = {
        get stopped() {
          return stopped.current;
        },
        progress: (now: number) => setDone((reached = now)),
      };
      setResult(await doIt(filled, count, watch, why));
    } catch (failure) {
      // Pressed again it goes on with what is left.
      const text = reached > 0 ? `${reached} of ${count} were done before this:` : what.text;
      setPlanned({ ...what, count: count - reached, text });
      setError(failure);
    } finally {
      setDone(undefined);
    }
  };

  const close = (): void => dialog.current?.close();
  const waiting = isIncomplete ? 'Something is not filled in.' : 'Counting…';
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setResult(undefined);
          onceKeys.forget();
          dialog.current?.showModal();
          void look();
        }}
      >
        {name}
      </button>
      <dialog
        ref={dialog}
        aria-labelledby={`${id}-name`}
        onCancel={(event) => {
          if (done === undefined) return;
          // It stays open to say what was done.
          event.preventDefault();
          stopped.current = true;
        }}
        onClose={() => {
          stopped.current = true;
          setClosed(closed + 1);
        }}
      >
        <form
          key={closed}
          ref={form}
          onSubmit={(event) => {
            event.preventDefault();
            const why = textIn(new FormData(event.currentTarget), 'reason');
            if (planned) void act(planned, why);
          }}
        >
          <h2 id={`${id}-name`}>{name}</h2>
          <fieldset disabled={done !== undefined || result !== undefined}>
            <div className="fields" onInput={() => void look()}>
              {children}
            </div>
            {reason && <ReasonField />}
          </fieldset>
          <p role="status">{result ?? planned?.text ?? (error ? '' : waiting)}</p>
          {done !== undefined && planned && (
            <label>
              {done} of {planned.count}
              <progress max={planned.count} value={done} />
            </label>
          )}
          <FailureNote error={error} />
          <div className="actions">
            {done !== undefined && (
              <button
                type="button"
                onClick={() => {
                  stopped.current = true;
                }}
              >
                Stop
              </button>
            )}
            {done === undefined && (
              <button type="button" onClick={close}>
                {result === undefined ? 'Cancel' : 'Close'}
              </button>
            )}
            {result === undefined && done === undefined && (
              <button className="main" disabled={!planned?.count}>
                {verb(planned?.count ?? 0)}
              </button>
            )}
          </div>
        </form>
      </dialog>
    </>
  );
}
