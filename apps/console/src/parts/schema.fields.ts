import { jsonIn, jsonText } from './json.text.js';

type Schema = Readonly<Record<string, unknown>>;
type Data = Readonly<Record<string, unknown>>;
type Choice = string | number | boolean;

/** How a value is written: as text on one line or several, as a number, chosen, or as JSON. */
export type Writing = 'line' | 'text' | 'number' | 'choice' | 'json';

/** A field for one value of data. */
export interface SchemaField {
  name: string;
  writing: Writing;
  /** Else it is left out when nothing is written. */
  required: boolean;
  /** It is required, and cannot be empty. */
  mustBeFilled: boolean;
  /** What there is to choose from. */
  choices: readonly Choice[];
  /** As the field shows it; '' when there is none. */
  initial: string;
  description?: string;
  /** What stands for it when it is not there. */
  fallback?: string;
}

/** Of text that may be longer several lines are shown. */
const LINE = 300;

/**
 * Fields for data of a JSON Schema, in its order, and for whatever else is in the data. A value that its field could not show as it is
 * gets one for JSON: nothing is lost when data is written in another way.
 *
 * @returns none when the schema does not say which fields there are
 */
export function fieldsOf(schema: Schema | undefined, data: Data = {}): SchemaField[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  const declared = Object.keys(properties);
  if (declared.length === 0) return [];
  const others = Object.keys(data).filter((name) => !Object.hasOwn(properties, name));
  return [...declared, ...others].map((name) => {
    const property = (Object.hasOwn(properties, name) && properties[name]) || {};
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    const choices = choicesOf(property);
    const usual = writingOf(property, choices);
    const isRequired = required.includes(name);
    // An empty text that is not required would be left out.
    const isLost = value === '' && !isRequired;
    const writing =
      value === undefined || (fits(usual, value, choices) && !isLost) ? usual : 'json';
    const { description, default: fallback, minLength } = property;
    const isText = writing === 'line' || writing === 'text';
    return {
      name,
      writing,
      choices,
      required: isRequired,
      mustBeFilled: isRequired && (!isText || minLength !== undefined),
      initial: value === undefined ? '' : shown(writing, value),
      ...(typeof description === 'string' && { description }),
      ...(fallback !== undefined && { fallback: String(JSON.stringify(fallback)) }),
    };
  });
}

/** What stands in the fields. @throws Error for what is no JSON */
export function dataIn(
  fields: readonly SchemaField[],
  textOf: (name: string) => string,
): Record<string, unknown> {
  const data: [string, unknown][] = fields.map((field) => [
    field.name,
    valueIn(field, textOf(field.name)),
  ]);
  return Object.fromEntries(data.filter(([, value]) => value !== undefined));
}

function valueIn({ name, writing, choices, required }: SchemaField, text: string): unknown {
  if (writing === 'line' || writing === 'text') {
    return text === '' && !required ? undefined : text;
  }
  if (text.trim() === '') return undefined;
  if (writing === 'number') return Number(text);
  if (writing === 'choice') return choices.find((choice) => String(choice) === text);
  return jsonIn(text, name);
}

function choicesOf(schema: Schema): Choice[] {
  if (schema['type'] === 'boolean') return [false, true];
  const { const: only, enum: some } = schema as { const?: unknown; enum?: unknown };
  const values: unknown[] = only !== undefined ? [only] : Array.isArray(some) ? some : [];
  if (!values.every((value) => ['string', 'number', 'boolean'].includes(typeof value))) return [];
  // What is chosen is told by its text; an empty one means that nothing is.
  const texts = values.map(String);
  const areTold = new Set(texts).size === texts.length && texts.every((text) => text.trim() !== '');
  return areTold ? (values as Choice[]) : [];
}

function writingOf(schema: Schema, choices: readonly Choice[]): Writing {
  if (choices.length > 0) return 'choice';
  const { type, format, pattern, maxLength, anyOf } = schema as {
    type?: unknown;
    format?: string;
    pattern?: string;
    maxLength?: number;
    anyOf?: Schema[];
  };
  // One address or a list of them: mostly it is one. What may be a number or null cannot be told from text.
  const isText = anyOf?.every(({ type }) => ['string', 'array', 'object'].includes(type as string));
  const text = isText && anyOf?.find((each) => each['type'] === 'string');
  if (text) return writingOf(text, []);
  if (type === 'number' || type === 'integer') return 'number';
  if (type !== 'string') return 'json';
  const isLine = format !== undefined || pattern !== undefined || (maxLength ?? Infinity) <= LINE;
  return isLine ? 'line' : 'text';
}

/** Whether a field shows a value as it is. */
function fits(writing: Writing, value: unknown, choices: readonly Choice[]): boolean {
  switch (writing) {
    case 'line':
      return typeof value === 'string' && !/[\r\n]/.test(value);
    case 'text':
      // A form has \n for each end of a line.
      return typeof value === 'string' && !value.includes('\r');
    case 'number':
      return typeof value === 'number';
    case 'choice':
      return choices.includes(value as Choice);
    case 'json':
      return true;
  }
}

function shown(writing: Writing, value: unknown): string {
  return writing === 'json' ? jsonText(value) : String(value as Choice);
}
