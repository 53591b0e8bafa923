import * as fc from 'fast-check';

export type Schema = Readonly<Record<string, unknown>>;

/** Texts in whose place {@link jsonOf} puts what no value is written as. */
const RAW: Readonly<Record<string, string>> = {
  '@beyond': '1e400',
  '@precise': '0.1000000000000000055511151231257827021181583404541015625',
  '@literal': 'NaN',
  '@twice': '{"a":1,"a":2}',
  '@escaped': '{"\\u005f_proto__":{"polluted":true}}',
  '@deep': `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  '@deeper': '['.repeat(20_000) + ']'.repeat(20_000),
  '@wide': `{${Array.from({ length: 3_000 }, (_, n) => `"k${n}":0`).join(',')}}`,
  '@large': `"${'x'.repeat(300_000)}"`,
};

/** What is good under a name, where its schema does not say: it leads further than any text. */
const WORDS: Readonly<Record<string, readonly unknown[]>> = {
  actor: ['greeter', 'shelf', 'vault'],
  after: ['0', '1'],
  at: ['2031-01-01T00:00:00Z'],
  before: ['2031-01-01T00:00:00Z'],
  cron: ['* * * * *', '0 7 * * 1', 'H H * * *', '@hourly', ['0 1 * * *', '0 2 * * *']],
  data: [{ name: 'Ada' }, { vault: 'a', coins: 1 }, {}],
  delay: [0, '1s', '1h'],
  every: ['1h', '10m', 3_600_000],
  from: ['2020-01-01T00:00:00Z', 2],
  hours: ['09:00-17:30'],
  dates: ['12-25', '2026-12-24/2027-01-02'],
  id: ['taken', 'weekly', 'led', 'dead', 'x'],
  limit: [1, 5, '1', '5'],
  need: ['first', 'quorum', 1],
  priority: ['high', 1],
  reason: ['holidays', 'rejected'],
  rrule: ['FREQ=DAILY;COUNT=3', 'FREQ=MONTHLY;BYDAY=-1FR'],
  timeout: [1, '10ms'],
  to: [['shelf'], [{ oneOf: ['shelf', 'greeter'], by: 'hash' }], '2026-01-01T00:00:00Z'],
  topic: ['greeter.greet', 'greeter.*', '**'],
  ttl: ['1h', 1_000],
  type: ['greeter.greet', 'shelf.keep', 'vault.put'],
  tz: ['Europe/Madrid', 'UTC', '+05:30'],
  until: ['2031-01-01T00:00:00Z', 5],
  when: ['data.name == "Ada"', 'size(data) > 1'],
};

/** Text that has done harm somewhere. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '.', '..', '*', '**', ':', '-1', '1e9', 'NaN', 'null', 'true', '[object Object]'],
    ...['\0', '\ud800', 'a\udc00b', '\uffff', '\u202e', '\u{1f600}', '\u0661\u0662', 'ı', 'ﬀ'],
    ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'],
    ...['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' or 1=1 --", '${7*7}'],
    ...['a\r\nset-cookie: polluted=1', '../../../etc/passwd', '%00', '%2e%2e', '{{7*7}}', '$where'],
    ...['(a+)+$', '####################x', 'meta', 'delayed', 'repeat:a:1', 'a:b:c', 'run:a:1'],
    ...['* * * * * * *', '0 0 31 2 *', '*/0 * * * *', '9999-12-31T23:59:59Z', 'P1000000Y', '1e99s'],
    ...['0x10', '1_000', '١٠', '-0', '2026-02-31T00:00:00Z', 'Mars/Olympus', 'FREQ=SECONDLY'],
    ...['x'.repeat(201), 'x'.repeat(3_000), '\u00e9'.repeat(500), '{'.repeat(100), '('.repeat(400)],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

/** Any value that no schema asks for. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 1e308, 5e-324],
      ...[[], {}, [[]], [null], [[[[[]]]]], { length: 1e9 }, { toJSON: 1 }, { then: 1 }],
      JSON.parse('{"__proto__":{"polluted":true}}'),
      ...[{ constructor: { prototype: { polluted: true } } }, { hasOwnProperty: 1, valueOf: 1 }],
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(RAW)) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** How far into schemas that refer to others one goes. */
const DEEPEST = 8;
const ABSENT = Symbol('absent');

/**
 * Values of a schema of OpenAPI 3.1.
 *
 * @param resolve finds what a `$ref` stands for
 * @param name of the field it is the value of
 */
export function valuesOf(
  schema: Schema,
  resolve: (reference: string) => Schema,
  name = '',
  depth = 0,
): fc.Arbitrary<unknown> {
  const below = (child: unknown, of = name) => valuesOf(child as Schema, resolve, of, depth + 1);
  if (depth > DEEPEST) return fc.constant({});
  if (typeof schema.$ref === 'string') return below(resolve(schema.$ref));
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]));
  const choices = (schema.oneOf ?? schema.anyOf) as unknown[] | undefined;
  if (choices) return fc.oneof(...choices.map((each) => below(each)));
  const types = ([] as unknown[]).concat(schema.type ?? []);
  const typed = types.map((type) => ofType(type, schema, below));
  const any = typed.length > 0 ? fc.oneof(...typed) : fc.jsonValue();
  const words = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
  if (!words) return any;
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: any },
  );
}

function ofType(
  type: unknown,
  schema: Schema,
  below: (child: unknown, name?: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objects(schema, below);
    case 'array': {
      const { minItems: minLength = 0, maxItems = 3 } = schema as Record<string, number>;
      return fc.array(below(schema.items ?? {}), {
        minLength,
        maxLength: Math.min(maxItems, minLength + 3),
      });
    }
    case 'integer':
    case 'number': {
      const { minimum: min = -3, maximum: max = min + 2_000 } = schema as Record<string, number>;
      return type === 'integer' ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return texts(schema);
  }
}

function texts({ format, minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
  }
  return fc.string({
    minLength: minLength as number,
    maxLength: Math.max(minLength as number, Math.min(maxLength as number, 20)),
  });
}

/** With all that is required, and little else: most fields exclude each other. */
function objects(
  { properties = {}, required = [], additionalProperties }: Schema,
  below: (child: unknown, name?: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<object> {
  const names = Object.keys(properties as object);
  const fields = names.map((name) => {
    const value = below((properties as Schema)[name], name);
    if ((required as string[]).includes(name)) return value;
    return fc.oneof({ weight: 4, arbitrary: fc.constant(ABSENT) }, { weight: 1, arbitrary: value });
  });
  const more =
    typeof additionalProperties === 'object' && additionalProperties !== null
      ? fc.dictionary(fc.string({ maxLength: 10 }), below(additionalProperties, ''), { maxKeys: 2 })
      : fc.constant({});
  return fc.tuple(fc.tuple(...fields), more).map(([values, rest]) => {
    const present = names.map((name, at) => [name, values[at]] as const);
    return { ...rest, ...Object.fromEntries(present.filter(([, value]) => value !== ABSENT)) };
  });
}

/** The same values, half of them damaged in one or two places. */
export function damaged(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const damage = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('replace', 'replace', 'add', 'drop'),
    key: hostileText,
    value: hostile,
  });
  return fc.oneof(
    values,
    fc
      .tuple(values, fc.array(damage, { minLength: 1, maxLength: 2 }))
      .map(([value, damages]) => damages.reduce(harm, value)),
  );
}

interface Damage {
  at: number;
  how: string;
  key: string;
  value: unknown;
}

function harm(whole: unknown, { at, how, key, value }: Damage): unknown {
  const root = { whole: structuredClone(whole) };
  const places = placesIn(root);
  const [parent, name] = places[at % places.length]!;
  if (how === 'drop' && parent !== root) Reflect.deleteProperty(parent, name);
  else if (how === 'add' && isObject(parent[name])) define(parent[name], key, value);
  else define(parent, name, value);
  return root.whole;
}

type Holder = Record<string, unknown>;

function isObject(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}

/** All that can be replaced: what holds it, and under which name. */
function placesIn(holder: Holder): [holder: Holder, name: string][] {
  return Object.keys(holder).flatMap((name) => {
    const child = Object.getOwnPropertyDescriptor(holder, name)?.value as unknown;
    return [[holder, name], ...(isObject(child) ? placesIn(child) : [])] as [Holder, string][];
  });
}

/** As JSON.parse does it: `__proto__` is a key like any other. */
function define(holder: Holder, name: string, value: unknown): void {
  const common = { enumerable: true, configurable: true, writable: true };
  Object.defineProperty(holder, name, { value, ...common });
}

/** JSON, and what only looks like it. */
export function jsonOf(value: unknown): string {
  return (JSON.stringify(value) ?? '').replaceAll(
    /"(@[a-z]+)"/g,
    (text, name: string) => RAW[name] ?? text,
  );
}
