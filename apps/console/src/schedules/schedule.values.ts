import type { Shown } from '../api/client.js';
import { jsonText, objectIn } from '../parts/json.text.js';
import { textIn } from '../parts/text.in.js';

export const KINDS = ['cron', 'every', 'at', 'rrule'] as const;
export type Kind = (typeof KINDS)[number];

/** What the form of a schedule holds, each as it is typed. */
export interface ScheduleValues {
  id: string;
  kind: Kind;
  /** A pattern, a duration, times or an RRULE; several patterns or times stand on lines of their own. */
  rule: string;
  tz: string;
  type: string;
  data: string;
  overlap: string;
  catchUp: string;
  /** With commas between them. */
  tags: string;
  description: string;
  /** The options that have no field of their own, as JSON. */
  more: string;
}

export const NEW_SCHEDULE: ScheduleValues = {
  ...{ id: '', kind: 'cron', rule: '', tz: '', type: '', data: '{}' },
  ...{ overlap: '', catchUp: '', tags: '', description: '', more: '' },
};

/** What an id may be, as a pattern. */
export const ID = '[A-Za-z0-9][A-Za-z0-9._\\-]{0,99}';

/** Options that go to the field for the rest. */
const MORE = [
  'phase',
  'dst',
  'start',
  'end',
  'limit',
  'include',
  'exclude',
  'onExcluded',
  'window',
  'jitter',
  'seed',
  'grace',
  'timeout',
  'pauseAfter',
  'priority',
] as const;

type Body = Shown['ScheduleBody'];
type Rule = Omit<Body, 'id' | 'message'>;

/** What the form says beside id and message, as the API takes it. @throws Error for what is no JSON */
export function ruleOf(values: ScheduleValues): Rule {
  const { kind, rule, tz, overlap, catchUp, tags, description, more } = values;
  const named = tags
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);
  return {
    ...objectIn(more, 'More options'),
    [kind]: ruleIn(kind, rule.trim()),
    ...(tz && { tz }),
    ...(overlap && { overlap: overlap as Body['overlap'] }),
    ...(catchUp && { catchUp: catchUp as Body['catchUp'] }),
    ...(named.length > 0 && { tags: named }),
    ...(description && { description }),
  };
}

/** What is asked for a preview: what says when it runs. Of an id that cannot be one there is a preview all the same. */
export function trialOf(values: ScheduleValues): Rule & { id?: string } {
  const { id } = values;
  const isId = new RegExp(`^(?:${ID})$`).test(id);
  // The id is what H and windows are drawn from.
  return { ...ruleOf({ ...values, tags: '', description: '' }), ...(isId && { id }) };
}

/** The whole body. @param version of the message's data, when it is not the newest */
export function bodyOf(values: ScheduleValues, version?: number): Body {
  const { id, type, data } = values;
  const message = { type, data: objectIn(data, 'Data') ?? {}, ...(version && { version }) };
  // Which types there are is known when the page runs, not when it is built.
  return { id, message: message as unknown as Body['message'], ...ruleOf(values) };
}

/** A schedule as the form shows it. */
export function valuesOf(schedule: Shown['Schedule']): ScheduleValues {
  const { id, message, tz = '', overlap = '', catchUp, tags = [], description = '' } = schedule;
  const kind = KINDS.find((name) => schedule[name] !== undefined) ?? 'cron';
  const rest = MORE.filter((name) => schedule[name] !== undefined);
  const more: Record<string, unknown> = Object.fromEntries(
    rest.map((name) => [name, schedule[name]]),
  );
  if (typeof catchUp === 'object') more['catchUp'] = catchUp;
  return {
    ...{ id, kind, tz, overlap, description, type: message.type },
    rule: [schedule[kind] ?? ''].flat().join('\n'),
    data: jsonText(message.data ?? {}),
    catchUp: typeof catchUp === 'string' ? catchUp : '',
    tags: tags.join(', '),
    more: Object.keys(more).length > 0 ? jsonText(more) : '',
  };
}

/** What stands in the fields of a form. */
export function valuesIn(form: FormData): ScheduleValues {
  const texts = Object.keys(NEW_SCHEDULE).map((name) => [name, textIn(form, name)]);
  return Object.fromEntries(texts) as unknown as ScheduleValues;
}

function ruleIn(kind: Kind, text: string): string | number | string[] {
  if (kind === 'rrule') return text;
  // Milliseconds are a number, all other durations text.
  if (kind === 'every') return /^\d+$/.test(text) ? Number(text) : text;
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.length > 1 ? lines : text;
}
