import { useRef, type ReactElement } from 'react';
import type { Shown } from '../api/client.js';
import { JsonField } from '../parts/json.field.js';
import { jsonText, objectIn } from '../parts/json.text.js';
import { SendForm } from '../parts/send.form.js';
import { textIn } from '../parts/text.in.js';
import { RouteTrial } from './route.trial.js';

/** A route as it is edited. */
interface RouteDraft {
  id: string;
  rule: object;
}

/** A route as JSON, and a trial of what stands there. */
export function RouteForm({
  initial,
  isNew,
  save,
}: {
  initial: RouteDraft;
  /** Else its id stays. */
  isNew: boolean;
  save: (draft: RouteDraft, reason: string) => Promise<void>;
}): ReactElement {
  const form = useRef<HTMLFormElement>(null);
  const text = jsonText(initial.rule);
  return (
    <>
      <SendForm
        ref={form}
        verb={isNew ? 'Create' : 'Save'}
        send={(filled, reason) => save(draftIn(filled), reason)}
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
      </SendForm>
      <RouteTrial
        draft={() => {
          const { id, rule } = draftIn(new FormData(form.current ?? undefined));
          return { id: id || 'new', ...rule } as Shown['RouteTesting']['route'];
        }}
      />
    </>
  );
}

/** @throws Error for what is no JSON */
function draftIn(form: FormData): RouteDraft {
  return { id: textIn(form, 'id'), rule: objectIn(textIn(form, 'rule'), 'Rule') ?? {} };
}
