import { useImperativeHandle, useRef, useState, type ReactElement, type Ref } from 'react';
import { FailureNote } from '../parts/failure.note.js';
import { JsonField } from '../parts/json.field.js';
import { jsonText, objectIn } from '../parts/json.text.js';

/** A route as it is edited. */
export interface RouteDraft {
  id: string;
  rule: object;
}

/** A route as JSON, and why it is changed. */
export function RouteForm({
  initial,
  isNew,
  draft,
  save,
}: {
  initial: RouteDraft;
  /** Else its id stays. */
  isNew: boolean;
  /** Gets what tells what stands in the form. @throws Error for what is no JSON */
  draft: Ref<() => RouteDraft>;
  save: (draft: RouteDraft, reason: string) => Promise<void>;
}): ReactElement {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const text = jsonText(initial.rule);
  useImperativeHandle(draft, () => () => draftIn(new FormData(form.current ?? undefined)));

  const submit = async (filled: FormData): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await save(draftIn(filled), (filled.get('reason') as string).trim());
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <form
      ref={form}
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(new FormData(event.currentTarget));
      }}
    >
      <label>
        Id
        <input
          name="id"
          required
          readOnly={!isNew}
          defaultValue={initial.id}
          maxLength={100}
          autoComplete="off"
        />
      </label>
      <JsonField
        name="rule"
        label="Rule"
        initial={text}
        rows={Math.min(24, text.split('\n').length + 2)}
        required
        hint="order, match (type, topic, headers, priority, tenant, when), to; also set, last, disabled. Lower orders are looked at first."
      />
      <label>
        Reason (optional)
        <input name="reason" maxLength={200} autoComplete="off" />
      </label>
      <FailureNote error={error} />
      <div className="actions">
        <button className="main" disabled={busy}>
          {isNew ? 'Create' : 'Save'}
        </button>
      </div>
    </form>
  );
}

function draftIn(form: FormData): RouteDraft {
  const rule = objectIn((form.get('rule') as string | null) ?? '', 'Rule') ?? {};
  return { id: ((form.get('id') as string | null) ?? '').trim(), rule };
}
