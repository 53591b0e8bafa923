import { useState, type ReactElement } from 'react';
import { DataField } from '../parts/data.field.js';
import { JsonField } from '../parts/json.field.js';
import { SendForm } from '../parts/send.form.js';
import { TypeField } from '../parts/type.field.js';
import { SchedulePreview } from './schedule.preview.js';
import { ID, KINDS, valuesIn, type Kind, type ScheduleValues } from './schedule.values.js';

const RULES: Readonly<Record<Kind, { label: string; placeholder: string; hint: string }>> = {
  cron: {
    label: 'Pattern',
    placeholder: '0 9 * * MON-FRI',
    hint: 'Five fields or six, the second first; several on lines of their own.',
  },
  every: { label: 'Interval', placeholder: '10m', hint: 'Such as 30s, 10m, 2h or 1d.' },
  at: {
    label: 'Times',
    placeholder: '2026-12-24T18:00',
    hint: 'ISO 8601, each on a line of its own; without an offset in the time zone below.',
  },
  rrule: {
    label: 'Recurrence rule',
    placeholder: 'DTSTART:20260101T090000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR',
    hint: 'RFC 5545.',
  },
};
const KIND_NAMES: Readonly<Record<Kind, string>> = {
  cron: 'by a cron pattern',
  every: 'at an interval',
  at: 'at given times',
  rrule: 'by an RRULE',
};
const OVERLAPS = [
  'skip',
  'buffer-one',
  'buffer-all',
  'cancel-other',
  'terminate-other',
  'allow',
] as const;
const CATCH_UPS = ['none', 'latest', 'all'] as const;
const ZONES = Intl.supportedValuesOf('timeZone');

/** All that is said of a schedule, with a preview of what it would do. */
export function ScheduleForm({
  initial,
  isNew,
  save,
}: {
  initial: ScheduleValues;
  /** Else its id stays. */
  isNew: boolean;
  save: (values: ScheduleValues, reason: string) => Promise<void>;
}): ReactElement {
  const [values, setValues] = useState(initial);
  const rule = RULES[values.kind];

  return (
    <div className="beside">
      <SendForm
        verb={isNew ? 'Create' : 'Save'}
        send={(form, reason) => save(valuesIn(form), reason)}
        onInput={(form) => setValues(valuesIn(form))}
      >
        <label>
          Id
          <input
            name="id"
            required
            defaultValue={initial.id}
            readOnly={!isNew}
            maxLength={100}
            pattern={ID}
            title="1 to 100 letters, digits and ._-, the first a letter or a digit"
            autoComplete="off"
          />
        </label>
        <div className="pair">
          <label>
            Runs
            <select name="kind" defaultValue={initial.kind}>
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {KIND_NAMES[kind]}
                </option>
              ))}
            </select>
          </label>
          <label>
            Time zone
            <input
              name="tz"
              list="zones"
              defaultValue={initial.tz}
              placeholder="UTC"
              autoComplete="off"
            />
          </label>
          <datalist id="zones">
            {ZONES.map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </div>
        <div className="field">
          <label htmlFor="rule">{rule.label}</label>
          <textarea
            id="rule"
            aria-describedby="rule-hint"
            name="rule"
            className="code"
            rows={values.kind === 'every' ? 1 : 2}
            required
            defaultValue={initial.rule}
            placeholder={rule.placeholder}
            spellCheck={false}
          />
          <small id="rule-hint">{rule.hint}</small>
        </div>
        <TypeField label="Message" initial={initial.type} />
        <DataField
          type={values.type}
          label="Data of the message"
          path="message/data"
          initial={initial.data}
          hint="It is checked against its type when it is saved."
        />
        <div className="pair">
          <label>
            While a run is in work
            <select name="overlap" defaultValue={initial.overlap}>
              <option value="">skip (default)</option>
              {OVERLAPS.map((overlap) => (
                <option key={overlap}>{overlap}</option>
              ))}
            </select>
          </label>
          <label>
            Of what was missed
            <select name="catchUp" defaultValue={initial.catchUp}>
              <option value="">latest (default)</option>
              {CATCH_UPS.map((catchUp) => (
                <option key={catchUp}>{catchUp}</option>
              ))}
            </select>
          </label>
        </div>
        <label>
          Tags
          <input
            name="tags"
            defaultValue={initial.tags}
            placeholder="money, daily"
            autoComplete="off"
          />
        </label>
        <label>
          Description
          <input
            name="description"
            defaultValue={initial.description}
            maxLength={500}
            autoComplete="off"
          />
        </label>
        <details open={initial.more !== ''}>
          <summary>More options</summary>
          <JsonField
            name="more"
            label="As JSON"
            initial={initial.more}
            hint='start, end, limit, window, jitter, include, exclude, timeout, pauseAfter and others: {"jitter": "1m"}'
          />
        </details>
      </SendForm>
      <SchedulePreview values={values} />
    </div>
  );
}
