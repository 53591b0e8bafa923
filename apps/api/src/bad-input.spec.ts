import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf, type Refusal, type Request } from '../test/refusal.js';
import { messagesInQueues } from '../test/queues.js';
import { openStage } from '../test/stage.js';

let app: NestFastifyApplication;
let before: number;

beforeAll(async () => {
  app = await openStage();
  await post({ type: 'shelf.keep', data: { n: 1 }, id: 'taken' });
  before = await messagesInQueues(app);
});

afterAll(() => app.close());

function post(body: unknown, url = '/v1/messages', headers: Record<string, string> = {}) {
  return app.inject({ method: 'POST', url, payload: body as object, headers });
}

/** JSON text as it stands, for what no object can say. */
function text(payload: string, type = 'application/json'): Request {
  return { method: 'POST', url: '/v1/messages', payload, headers: { 'content-type': type } };
}

function body(change: object, type = 'shelf.keep'): Request {
  return { method: 'POST', url: '/v1/messages', payload: { type, data: {}, ...change } };
}

function data(json: string): Request {
  return text(`{"type":"shelf.keep","data":${json}}`);
}

function batch(messages: unknown): Request {
  return { method: 'POST', url: '/v1/messages:batch', payload: { messages } };
}

function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

const KEEP = { type: 'shelf.keep', data: {} };
const KEYS = `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(',')}}`;

function ask(change: object): Request {
  return { method: 'POST', url: '/v1/messages:ask', payload: { ...KEEP, ...change } };
}

function remove(url: string): Request {
  return { method: 'DELETE', url };
}

function release(key: string): Request {
  return { method: 'POST', url: `${key}/release` };
}

const KEYED = '/v1/actors/shelf/keys';

const TABLE: [name: string, request: Request, answer: Refusal][] = [
  // Asking, cancelling, mending
  ['ask: a delay', ask({ delay: '1s' }), [422, 'invalid_body', 'delay']],
  ['ask: a timeout of text', ask({ timeout: 'soon' }), [422, 'invalid_option', 'timeout']],
  ['ask: a timeout that is too long', ask({ timeout: '1m' }), [422, 'invalid_option', 'timeout']],
  ['ask: an unknown type', ask({ type: 'no.such' }), [422, 'unknown_message', 'type']],
  ['ask: nobody answers', ask({ id: 'taken', data: { n: 1 }, timeout: 1 }), [504, 'ask_timeout']],
  ['replace without id', body({ replace: true }), [422, 'invalid_option', 'replace']],
  ['replace that is no boolean', body({ replace: 'yes' }), [422, 'invalid_body', 'replace']],
  ['tenant: a number', body({ tenant: 5 }), [422, 'invalid_body', 'tenant']],
  ['tenant: empty', body({ tenant: '' }), [422, 'invalid_option', 'tenant']],
  ['cancel what is not there', remove('/v1/messages/nothing'), [404, 'not_found']],
  ['cancel a NUL', remove('/v1/messages/%00'), [404, 'not_found']],
  ['discard what is not there', remove('/v1/dead-letters/nothing'), [404, 'not_found']],
  ['discard what is not dead', remove('/v1/dead-letters/taken'), [404, 'not_found']],
  [
    'redrive with data that is no object',
    { method: 'POST', url: '/v1/dead-letters/nothing/redrive', payload: { data: 5 } },
    [422, 'invalid_body', 'data'],
  ],
  [
    'redrive with an unknown field',
    { method: 'POST', url: '/v1/dead-letters/nothing/redrive', payload: { body: {} } },
    [422, 'invalid_body', 'body'],
  ],
  [
    'a reason that is none',
    { url: '/v1/dead-letters?reason=bored' },
    [422, 'invalid_query', 'reason'],
  ],
  [
    'a fingerprint that is none',
    { url: '/v1/dead-letters?fingerprint=x' },
    [422, 'invalid_query', 'fingerprint'],
  ],
  [
    'groups: an unknown actor',
    { url: '/v1/dead-letters:groups?actor=x' },
    [422, 'invalid_query', 'actor'],
  ],
  ['groups: a limit', { url: '/v1/dead-letters:groups?limit=5' }, [422, 'invalid_query', 'limit']],
  // The body as a whole
  ['broken JSON', text('{"type":'), [400, 'malformed_json']],
  ['NaN literal', text('{"type":"shelf.keep","data":{"n":NaN}}'), [400, 'malformed_json']],
  ['trailing comma', text('{"type":"shelf.keep","data":{},}'), [400, 'malformed_json']],
  ['empty body', text(''), [400, 'malformed_json']],
  ['no body', { method: 'POST', url: '/v1/messages' }, [400, 'malformed_json']],
  ['not UTF-8', { ...text(''), payload: Buffer.from([0x22, 0xff, 0x22]) }, [400, 'malformed_json']],
  ['XML', text('<a/>', 'application/xml'), [415, 'unsupported_media_type']],
  ['text/plain', text(JSON.stringify(KEEP), 'text/plain'), [415, 'unsupported_media_type']],
  [
    'a form',
    text('type=shelf.keep', 'application/x-www-form-urlencoded'),
    [415, 'unsupported_media_type'],
  ],
  ['another JSON type', text('{}', 'application/problem+json'), [415, 'unsupported_media_type']],
  ['no content type', { ...text('{}'), headers: {} }, [415, 'unsupported_media_type']],
  ['2 MiB', text(`"${'x'.repeat(2 ** 21)}"`), [413, 'too_large']],
  ['a list', text('[]'), [422, 'invalid_body', '']],
  ['null', text('null'), [422, 'invalid_body', '']],
  ['__proto__', text('{"__proto__":{"admin":true}}'), [400, 'forbidden_key']],
  ['__proto__ in data', data('{"__proto__":{"admin":true}}'), [400, 'forbidden_key']],
  ['escaped __proto__', data('{"\\u005f_proto__":{"admin":true}}'), [400, 'forbidden_key']],
  ['constructor.prototype', data('{"constructor":{"prototype":{}}}'), [400, 'forbidden_key']],
  // Fields
  ['nothing', text('{}'), [422, 'invalid_body', 'type']],
  ['unknown field', body({ retries: 3 }), [422, 'invalid_body', 'retries']],
  [
    'field of the framework alone',
    body({ retry: { attempts: 1 } }),
    [422, 'invalid_body', 'retry'],
  ],
  ['version 0', body({ version: 0 }), [422, 'invalid_body', 'version']],
  ['a version of text', body({ version: '1' }), [422, 'invalid_body', 'version']],
  ['half a version', body({ version: 1.5 }), [422, 'invalid_body', 'version']],
  ['a version that is too new', body({ version: 2 }), [422, 'invalid_message', 'data']],
  [
    'a version that is too new, of one of many',
    batch([KEEP, { ...KEEP, version: 2 }]),
    [422, 'invalid_message', 'messages/1/data'],
  ],
  ['ask: a version that is too new', ask({ version: 2 }), [422, 'invalid_message', 'data']],
  ['type a number', body({ type: 7 }), [422, 'invalid_body', 'type']],
  ['type of 1,000 characters', body({ type: 'x'.repeat(1_000) }), [422, 'invalid_body', 'type']],
  ['unknown type', body({ type: 'shelf.burn' }), [422, 'unknown_message', 'type']],
  ['empty type', body({ type: '' }), [422, 'unknown_message', 'type']],
  ['type NUL', body({ type: '\0' }), [422, 'unknown_message', 'type']],
  ['type of Object', body({ type: 'constructor' }), [422, 'unknown_message', 'type']],
  ['missing data', text('{"type":"shelf.keep"}'), [422, 'invalid_body', 'data']],
  ['data null', data('null'), [422, 'invalid_body', 'data']],
  ['data a list', data('[]'), [422, 'invalid_body', 'data']],
  // Data
  [
    'data against the schema',
    body({ data: { name: '' } }, 'greeter.greet'),
    [422, 'invalid_message', 'data/name'],
  ],
  [
    'data with an unknown field',
    body({ data: { name: 'Ada', age: 1 } }, 'greeter.greet'),
    [422, 'invalid_message', 'data'],
  ],
  ['data without a field', body({}, 'greeter.greet'), [422, 'invalid_message', 'data/name']],
  [
    'constructor as key',
    data('{"a":{"constructor":1}}'),
    [422, 'invalid_message', 'data/a/constructor'],
  ],
  ['prototype as key', data('{"prototype":1}'), [422, 'invalid_message', 'data/prototype']],
  ['NUL in a text', data('{"a":"\\u0000"}'), [422, 'invalid_message', 'data/a']],
  ['half a surrogate pair', data('{"a":"\\ud800"}'), [422, 'invalid_message', 'data/a']],
  ['number beyond double', data('{"a":1e400}'), [422, 'invalid_message', 'data/a']],
  ['depth 33', data(nested(33)), [422, 'invalid_message', 'data']],
  ['depth 5,000', data(nested(5_000)), [422, 'invalid_message', 'data']],
  ['depth 150,000', data('['.repeat(150_000) + ']'.repeat(150_000)), [422, 'invalid_body', 'data']],
  [
    'depth 150,000 in a field',
    data(`{"a":${'['.repeat(150_000)}${']'.repeat(150_000)}}`),
    [422, 'invalid_message', 'data'],
  ],
  ['60,000 keys', data(KEYS), [422, 'invalid_message', 'data']],
  ['300 KiB', body({ data: { a: 'x'.repeat(300 * 1_024) } }), [422, 'invalid_message', 'data']],
  // Times
  ['delay negative', body({ delay: -5 }), [422, 'invalid_option', 'delay']],
  ['delay of aeons', body({ delay: 1e18 }), [422, 'invalid_option', 'delay']],
  [
    'delay beyond double',
    text('{"type":"shelf.keep","data":{},"delay":1e400}'),
    [422, 'invalid_body', 'delay'],
  ],
  ['delay without unit', body({ delay: '5' }), [422, 'invalid_option', 'delay']],
  ['delay NaN', body({ delay: 'NaN' }), [422, 'invalid_option', 'delay']],
  ['delay of 500 days', body({ delay: '500d' }), [422, 'invalid_option', 'delay']],
  ['delay a list', body({ delay: [1] }), [422, 'invalid_body', 'delay']],
  ['ttl zero', body({ ttl: 0 }), [422, 'invalid_option', 'ttl']],
  ['ttl negative', body({ ttl: '-1s' }), [422, 'invalid_option', 'ttl']],
  ['ttl null', body({ ttl: null }), [422, 'invalid_body', 'ttl']],
  ['at and delay', body({ at: '2026-01-01T00:00:00Z', delay: 1 }), [422, 'invalid_option', 'at']],
  ['at no time', body({ at: 'tomorrow' }), [422, 'invalid_body', 'at']],
  ['at on 31 February', body({ at: '2026-02-31T00:00:00Z' }), [422, 'invalid_body', 'at']],
  ['at without zone', body({ at: '2026-02-01T00:00:00' }), [422, 'invalid_body', 'at']],
  ['at in 9999', body({ at: '9999-01-01T00:00:00Z' }), [422, 'invalid_option', 'at']],
  // Priority
  ['priority 0', body({ priority: 0 }), [422, 'invalid_option', 'priority']],
  ['priority -1', body({ priority: -1 }), [422, 'invalid_option', 'priority']],
  ['priority 1.5', body({ priority: 1.5 }), [422, 'invalid_option', 'priority']],
  ['priority 2^21+1', body({ priority: 2 ** 21 + 1 }), [422, 'invalid_option', 'priority']],
  ['priority "1"', body({ priority: '1' }), [422, 'invalid_option', 'priority']],
  ['priority true', body({ priority: true }), [422, 'invalid_body', 'priority']],
  ['priority of no lane', body({ priority: 'urgent' }), [422, 'invalid_option', 'priority']],
  ['priority of Object', body({ priority: 'constructor' }), [422, 'invalid_option', 'priority']],
  // Ids
  ['id empty', body({ id: '' }), [422, 'invalid_option', 'id']],
  ['id of 201 characters', body({ id: 'x'.repeat(201) }), [422, 'invalid_option', 'id']],
  ['id with NUL', body({ id: 'a\0b' }), [422, 'invalid_option', 'id']],
  ['id of a run of a schedule', body({ id: 'run:a:1' }), [422, 'invalid_option', 'id']],
  ['id of the timer of a schedule', body({ id: 'due:a' }), [422, 'invalid_option', 'id']],
  ['id a number', body({ id: 1 }), [422, 'invalid_body', 'id']],
  [
    'id used for another body',
    body({ data: { n: 2 }, id: 'taken' }),
    [409, 'idempotency_conflict', 'id'],
  ],
  [
    'id and another key',
    { ...body({ id: 'one' }), headers: { 'idempotency-key': 'two' } },
    [422, 'invalid_option', 'id'],
  ],
  [
    'key of 201 characters',
    { ...body({}), headers: { 'idempotency-key': 'x'.repeat(201) } },
    [422, 'invalid_option', 'id'],
  ],
  // Headers
  [
    'header name with a space',
    body({ headers: { 'a b': 'x' } }),
    [422, 'invalid_option', 'headers/a b'],
  ],
  [
    'header name with line break',
    body({ headers: { 'a\n': 'x' } }),
    [422, 'invalid_option', 'headers/a\n'],
  ],
  ['header value a number', body({ headers: { a: 1 } }), [422, 'invalid_body', 'headers/a']],
  [
    'header value too long',
    body({ headers: { 'x.y': 'x'.repeat(1_025) } }),
    [422, 'invalid_option', 'headers/x.y'],
  ],
  ['header value NUL', body({ headers: { a: '\0' } }), [422, 'invalid_option', 'headers/a']],
  [
    '33 headers',
    body({ headers: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`h${i}`, ''])) }),
    [422, 'invalid_option', 'headers'],
  ],
  ['headers a list', body({ headers: ['a'] }), [422, 'invalid_body', 'headers']],
  // Batches
  ['batch empty', batch([]), [422, 'invalid_body', 'messages']],
  [
    'batch of 1,001',
    batch(Array.from({ length: 1_001 }, () => KEEP)),
    [422, 'invalid_body', 'messages'],
  ],
  ['batch no list', batch(KEEP), [422, 'invalid_body', 'messages']],
  [
    'batch with a bad field',
    batch([KEEP, { ...KEEP, typ: 1 }]),
    [422, 'invalid_body', 'messages/1/typ'],
  ],
  [
    'batch with bad data',
    batch([KEEP, KEEP, { type: 'greeter.greet', data: { name: 1 } }]),
    [422, 'invalid_message', 'messages/2/data/name'],
  ],
  [
    'batch with an unknown type',
    batch([KEEP, { type: 'a.b', data: {} }]),
    [422, 'unknown_message', 'messages/1/type'],
  ],
  [
    'batch with a bad option',
    batch([KEEP, { ...KEEP, delay: -1 }]),
    [422, 'invalid_option', 'messages/1/delay'],
  ],
  [
    'batch with a bad header',
    batch([{ ...KEEP, headers: { 'a b': '' } }]),
    [422, 'invalid_option', 'messages/0/headers/a b'],
  ],
  [
    'batch with a used id',
    batch([KEEP, { ...KEEP, id: 'taken' }]),
    [409, 'idempotency_conflict', 'messages/1/id'],
  ],
  [
    'batch with an id twice',
    batch([
      { ...KEEP, id: 'same' },
      { ...KEEP, priority: 1, id: 'same' },
    ]),
    [409, 'idempotency_conflict', 'messages/1/id'],
  ],
  [
    'batch with a long key',
    { ...batch([KEEP]), headers: { 'idempotency-key': 'x'.repeat(191) } },
    [422, 'invalid_option', 'Idempotency-Key'],
  ],
  // Paths, methods, queries
  ['/%ff', { url: '/%ff' }, [400, 'malformed_url']],
  ['path with half an escape', { url: '/v1/messages/%' }, [400, 'malformed_url']],
  ['path part of 3,000', { url: `/v1/messages/${'x'.repeat(3_000)}` }, [414, 'uri_too_long']],
  ['unknown path', { url: '/v2/messages' }, [404, 'not_found']],
  ['wrong method', { method: 'DELETE', url: '/v1/messages' }, [405, 'method_not_allowed']],
  ['wrong method on an id', { method: 'PUT', url: '/v1/messages/x' }, [405, 'method_not_allowed']],
  ['batch by GET', { url: '/v1/messages:batch' }, [405, 'method_not_allowed']],
  ['unknown message', { url: '/v1/messages/nope' }, [404, 'not_found']],
  ['id of a store key', { url: '/v1/messages/meta' }, [404, 'not_found']],
  ['id with NUL in the path', { url: '/v1/messages/repeat:a%00' }, [404, 'not_found']],
  ['unknown dead letter', { url: '/v1/dead-letters/nope' }, [404, 'not_found']],
  ['dead letter that lives', { url: '/v1/dead-letters/taken' }, [404, 'not_found']],
  [
    'redrive of nothing',
    { method: 'POST', url: '/v1/dead-letters/nope/redrive' },
    [404, 'not_found'],
  ],
  [
    'redrive of the living',
    { method: 'POST', url: '/v1/dead-letters/taken/redrive' },
    [404, 'not_found'],
  ],
  [
    'redrive with a long key',
    {
      ...remove('/v1/dead-letters/nope/redrive'),
      method: 'POST',
      headers: { 'idempotency-key': 'x'.repeat(201) },
    },
    [422, 'invalid_option', 'Idempotency-Key'],
  ],
  ['messages of nobody', { url: '/v1/messages' }, [422, 'invalid_query', 'actor']],
  ['of whom', { url: '/v1/messages?actor=nobody' }, [422, 'invalid_query', 'actor']],
  ['lost', { url: '/v1/messages?actor=greeter&state=lost' }, [422, 'invalid_query', 'state']],
  ['after', { url: '/v1/messages?actor=greeter&after=5' }, [422, 'invalid_query', 'after']],
  ...[
    ['x'],
    ['waiting', 1],
    ['waiting', 0.5, 1, 'a'],
    ['waiting', 0, 2 ** 60, 'a'],
    ['waiting', 0, 1, 'a\0'],
    ['dead', 0, 1, 'a'],
  ].map((place): [string, object, [number, string, string]] => [
    `place ${JSON.stringify(place)}`,
    {
      url: `/v1/messages?actor=greeter&state=waiting&cursor=${Buffer.from(JSON.stringify(place)).toString('base64url')}`,
    },
    [422, 'invalid_query', 'cursor'],
  ]),
  ['limit 0', { url: '/v1/dead-letters?limit=0' }, [422, 'invalid_query', 'limit']],
  ['limit 101', { url: '/v1/dead-letters?limit=101' }, [422, 'invalid_query', 'limit']],
  ['limit twice', { url: '/v1/dead-letters?limit=1&limit=2' }, [422, 'invalid_query', 'limit']],
  ['limit 1e1', { url: '/v1/dead-letters?limit=1e1' }, [422, 'invalid_query', 'limit']],
  ['cursor of nothing', { url: '/v1/dead-letters?cursor=x' }, [422, 'invalid_query', 'cursor']],
  [
    'cursor of another shape',
    { url: `/v1/dead-letters?cursor=${Buffer.from('[-1,0,"a"]').toString('base64url')}` },
    [422, 'invalid_query', 'cursor'],
  ],
  ['unknown query', { url: '/v1/dead-letters?state=dead' }, [422, 'invalid_query', 'state']],
  [
    'dead letters of no actor',
    { url: '/v1/dead-letters?actor=nobody' },
    [422, 'invalid_query', 'actor'],
  ],
  ['unknown actor', { url: '/v1/actors/nobody' }, [404, 'not_found']],
  ['actor of Object', { url: '/v1/actors/__proto__' }, [404, 'not_found']],
  // Keys
  ['keys of no actor', { url: '/v1/actors/nobody/keys' }, [404, 'not_found']],
  ['keys by name', { url: `${KEYED}?by=name` }, [422, 'invalid_query', 'by']],
  ['keys by both', { url: `${KEYED}?by=age&by=depth` }, [422, 'invalid_query', 'by']],
  ['keys: limit 0', { url: `${KEYED}?limit=0` }, [422, 'invalid_query', 'limit']],
  ['keys: limit 101', { url: `${KEYED}?limit=101` }, [422, 'invalid_query', 'limit']],
  ['keys: a cursor', { url: `${KEYED}?cursor=x` }, [422, 'invalid_query', 'cursor']],
  ['keys: wrong method', { method: 'POST', url: KEYED }, [405, 'method_not_allowed']],
  ['key of no actor', { url: '/v1/actors/nobody/keys/a' }, [404, 'not_found']],
  ['key of nothing', { url: `${KEYED}/a` }, [404, 'not_found']],
  ['key of an actor without keys', { url: '/v1/actors/greeter/keys/a' }, [404, 'not_found']],
  ['key that is empty', { url: `${KEYED}/` }, [404, 'not_found']],
  ['key NUL', { url: `${KEYED}/%00` }, [404, 'not_found']],
  ['key of Object', { url: `${KEYED}/__proto__` }, [404, 'not_found']],
  ['key of 201 characters', { url: `${KEYED}/${'x'.repeat(201)}` }, [404, 'not_found']],
  ['key of 3,000 characters', { url: `${KEYED}/${'x'.repeat(3_000)}` }, [414, 'uri_too_long']],
  ['key with half an escape', { url: `${KEYED}/%F0%9F` }, [400, 'malformed_url']],
  ['key: wrong method', remove(`${KEYED}/a`), [405, 'method_not_allowed']],
  ['release by GET', { url: `${KEYED}/a/release` }, [405, 'method_not_allowed']],
  ['release of nothing', release(`${KEYED}/a`), [404, 'not_found']],
  ['release of NUL', release(`${KEYED}/%00`), [404, 'not_found']],
  ['release of no actor', release('/v1/actors/nobody/keys/a'), [404, 'not_found']],
];

describe('bad input', () => {
  it.each(TABLE)('%s', async (_, request, answer) => {
    expect(await refusalOf(app, request)).toEqual(answer);
  });

  it('names the allowed methods', async () => {
    const { headers } = await app.inject({ method: 'PATCH', url: '/v1/messages/x' });
    expect(headers.allow).toBe('DELETE, GET, HEAD');
  });

  it('names at most ten fields', async () => {
    const response = await app.inject(batch(Array.from({ length: 1_000 }, () => ({}))));
    expect(response.json<{ errors: unknown[] }>().errors).toHaveLength(10);
  });

  it('leaves the process healthy and every queue as it was', async () => {
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200);
    expect(await messagesInQueues(app)).toBe(before);
  });

  it('takes the same id with the same body again, with the same receipt', async () => {
    const again = await post({ type: 'shelf.keep', data: { n: 1 }, id: 'taken' });
    expect(again.statusCode).toBe(202);
    expect(again.json()).toEqual({ id: 'taken', state: 'waiting', durability: 'memory' });
    expect(await messagesInQueues(app)).toBe(before);
  });
});
