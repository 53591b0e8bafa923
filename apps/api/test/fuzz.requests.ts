import * as fc from 'fast-check';
import { damaged, hostileText, jsonOf, valuesOf, type Schema } from './fuzz.values.js';

/** What of an OpenAPI document is read here. */
export interface Described {
  paths: Record<string, Record<string, Operation>>;
}

export interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; schema?: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

/** A request to an operation of the document, good or bad. */
export interface FuzzRequest {
  /** As the document has it, with the parameters in braces. */
  path: string;
  /** The operation's own. */
  method: string;
  /** What is sent: that, HEAD, or one that is not allowed there. */
  verb: string;
  url: string;
  headers: Record<string, string>;
  payload?: string;
}

const ABSENT = undefined;

/**
 * Requests to every operation, each as often as any other.
 *
 * @param known names of what is there, by the part of the path before them
 * @param bodies good ones, by the operation's id, where what its schema says is seldom good
 */
export function requestsTo(
  document: Described,
  known: Readonly<Record<string, readonly string[]>>,
  bodies: Readonly<Record<string, readonly object[]>> = {},
): fc.Arbitrary<FuzzRequest> {
  const resolve = (reference: string): Schema =>
    reference
      .slice(2)
      .split('/')
      .reduce<Schema>((node, key) => node[key] as Schema, document as unknown as Schema);
  const each = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => requestOf({ path, method, operation })),
  );
  return fc.oneof(...each);

  function requestOf(of: { path: string; method: string; operation: Operation }) {
    const { path, method, operation } = of;
    const names = (place: string) => operation.parameters?.filter((one) => one.in === place) ?? [];
    const segments = [...path.matchAll(/([\w-]+)\/\{\w+\}/g)].map(([, of = '']) =>
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...(known[of] ?? [])) },
        // Dots lead to another path: whoever makes a URL resolves them.
        { weight: 2, arbitrary: hostileText.filter((text) => !/^\.+$/.test(text)).map(encoded) },
        { weight: 1, arbitrary: fc.constantFrom('%', '%ff', '%F0%9F', '%ED%A0%80', 'a%2fb', 'é') },
      ),
    );
    const query = names('query').map(({ name, schema = {} }) =>
      optional(
        fc
          .oneof(valuesOf(schema, resolve, name).map(textOf), hostileText)
          .map((value) => `${name}=${encoded(value)}`),
        2,
      ),
    );
    const oddQuery = optional(
      fc.constantFrom('limit=1&limit=2', 'x=1', '__proto__=1', 'a[b]=c', '%', '=&&=', 'cursor='),
      9,
    );
    const headers = names('header').map(({ name }) =>
      optional(
        fc
          .oneof(fc.constantFrom('taken', 'x', '*', '"1"', '0'), hostileText.map(asHeader))
          .map((value) => [name.toLowerCase(), value] as const),
        5,
      ),
    );
    const schema = operation.requestBody?.content['application/json']?.schema;
    const good = bodies[operation.operationId];
    const body = schema
      ? fc.oneof(
          { weight: 18, arbitrary: damaged(valuesOf(schema, resolve)).map(jsonOf) },
          ...(good
            ? [{ weight: 9, arbitrary: damaged(fc.constantFrom(...good)).map(jsonOf) }]
            : []),
          { weight: 1, arbitrary: hostileText },
          { weight: 1, arbitrary: fc.constantFrom(ABSENT, '', 'null', '[]', '{', '{}{}', LARGE) },
        )
      : optional(fc.constantFrom('{}', 'null', '{"x":1}', 'x'), 9);
    return fc
      .record({
        segments: fc.tuple(...segments),
        query: fc.tuple(...query, oddQuery),
        headers: fc.tuple(...headers, odd(ODD_HEADERS)),
        type: odd(['text/plain', 'application/json; charset=utf-16', 'multipart/form-data', '']),
        tail: odd(['/', '//', '%', ';x', '.json']),
        verb: odd(method === 'get' ? ['HEAD', 'OPTIONS', 'DELETE'] : ['GET', 'PATCH', 'TRACE']),
        payload: body,
      })
      .map((made): FuzzRequest => {
        const searched = made.query.filter((part) => part !== ABSENT).join('&');
        let at = 0;
        const place = path.replaceAll(/\{\w+\}/g, () => made.segments[at++] ?? 'x');
        const sent = made.headers.filter((pair) => pair !== ABSENT);
        const headersOf = Object.fromEntries(sent as (readonly [string, string])[]);
        if (made.payload !== ABSENT) headersOf['content-type'] = made.type ?? 'application/json';
        return {
          ...{ path, method, verb: made.verb ?? method.toUpperCase() },
          url: `${place}${made.tail ?? ''}${searched === '' ? '' : `?${searched}`}`,
          headers: headersOf,
          ...(made.payload !== ABSENT && { payload: made.payload }),
        };
      });
  }
}

/** Larger than any body may be. */
const LARGE = `{"a":"${'x'.repeat(1_100_000)}"}`;

const ODD_HEADERS: (readonly [name: string, value: string])[] = [
  ['host', 'evil.example'],
  ['host', ''],
  ['origin', 'https://evil.example'],
  ['authorization', 'Bearer nobody'],
  ['authorization', 'Basic Og=='],
  ['cookie', 'callsheet=x.y.z'],
  ['x-forwarded-for', "127.0.0.1' or 1=1"],
  ['x-http-method-override', 'DELETE'],
  ['accept', 'text/html'],
  ['traceparent', '00-0-0-x'],
  ['upgrade', 'websocket'],
  ['content-length', '5'],
];

function optional<T>(value: fc.Arbitrary<T>, absent: number): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: absent, arbitrary: fc.constant(ABSENT) },
    { weight: 1, arbitrary: value },
  );
}

/** Rarely one of these. */
function odd<T>(values: readonly T[]): fc.Arbitrary<T | undefined> {
  return optional(fc.constantFrom(...values), 30);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Half of a character as the bytes that it would have. */
function encoded(text: string): string {
  return text.replaceAll(/\P{Cs}+|\p{Cs}/gu, (part) =>
    /\p{Cs}/u.test(part) ? '%ED%A0%80' : encodeURIComponent(part),
  );
}

/** What Node lets through from a connection: bytes as Latin-1, without control characters. */
function asHeader(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')
    .trim();
}
