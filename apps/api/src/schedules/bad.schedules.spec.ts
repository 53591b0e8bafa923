import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { refusalOf, type Refusal, type Request } from '../../test/refusal.js';
import { openStage } from '../../test/stage.js';

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await openStage();
  await app.inject(schedule({ id: 'known' }));
  await vi.waitUntil(
    async () => (await app.inject({ url: `${SCHEDULES}/greeter.monday` })).statusCode === 200,
  );
});

afterAll(() => app.close());

const KEEP = { type: 'shelf.keep', data: {} };
/** Objects in objects, as JSON. */
function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

const SCHEDULES = '/v1/schedules';
const KNOWN = `${SCHEDULES}/known`;
const RANGE = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };

function schedule(change: object): Request {
  return {
    method: 'POST',
    url: SCHEDULES,
    payload: { id: 'new', message: KEEP, every: '1h', ...change },
  };
}

function cron(pattern: unknown): Request {
  return schedule({ every: undefined, cron: pattern });
}

function put(id: string, change: object): Request {
  const payload = { message: KEEP, every: '1h', ...change };
  return { method: 'PUT', url: `${SCHEDULES}/${id}`, payload };
}

function act(id: string, verb: string, payload?: object): Request {
  return { method: 'POST', url: `${SCHEDULES}/${id}/${verb}`, payload };
}

function preview(payload: object): Request {
  return { method: 'POST', url: `${SCHEDULES}:preview`, payload };
}

function remove(url: string): Request {
  return { method: 'DELETE', url };
}

const TABLE: [name: string, request: Request, answer: Refusal][] = [
  ['schedule: a list', { ...schedule({}), payload: [] }, [422, 'invalid_body', '']],
  ['schedule: nothing', { ...schedule({}), payload: {} }, [422, 'invalid_body', 'id']],
  ['schedule: no body', { method: 'POST', url: SCHEDULES }, [400, 'malformed_json']],
  ['schedule: an unknown field', schedule({ crn: '* * * * *' }), [422, 'invalid_body', 'crn']],
  ['schedule: a state', schedule({ state: 'paused' }), [422, 'invalid_body', 'state']],
  ['schedule: no rule', schedule({ every: undefined }), [422, 'invalid_option', '']],
  ['schedule: two rules', schedule({ cron: '0 7 * * *' }), [422, 'invalid_option', '']],
  ['schedule: id empty', schedule({ id: '' }), [422, 'invalid_option', 'id']],
  ['schedule: id a number', schedule({ id: 5 }), [422, 'invalid_body', 'id']],
  ['schedule: id with a space', schedule({ id: 'a b' }), [422, 'invalid_option', 'id']],
  ['schedule: id NUL', schedule({ id: 'a\0' }), [422, 'invalid_option', 'id']],
  ['schedule: id __proto__', schedule({ id: '__proto__' }), [422, 'invalid_option', 'id']],
  ['schedule: long id', schedule({ id: 'x'.repeat(101) }), [422, 'invalid_option', 'id']],
  ['schedule: id known', schedule({ id: 'known' }), [409, 'schedule_exists', 'id']],
  [
    'schedule: key of 201 characters',
    { ...schedule({}), headers: { 'idempotency-key': 'x'.repeat(201) } },
    [422, 'invalid_option', 'Idempotency-Key'],
  ],
  // Their messages
  ['no message', schedule({ message: undefined }), [422, 'invalid_body', 'message']],
  ['message of text', schedule({ message: 'shelf.keep' }), [422, 'invalid_body', 'message']],
  [
    'message with an id',
    schedule({ message: { ...KEEP, id: 'x' } }),
    [422, 'invalid_body', 'message/id'],
  ],
  [
    'message without data',
    schedule({ message: { type: 'shelf.keep' } }),
    [422, 'invalid_body', 'message/data'],
  ],
  [
    'message of no type',
    schedule({ message: { type: 'shelf.burn', data: {} } }),
    [422, 'unknown_message', 'message/type'],
  ],
  [
    'message of schedules themselves',
    schedule({ message: { type: 'schedules.remove', data: { key: 'known' } } }),
    [422, 'unknown_message', 'message/type'],
  ],
  [
    'message with bad data',
    schedule({ message: { type: 'greeter.greet', data: { name: '' } } }),
    [422, 'invalid_message', 'message/data/name'],
  ],
  [
    'message that is too new',
    schedule({ message: { ...KEEP, version: 2 } }),
    [422, 'invalid_message', 'message/data'],
  ],
  [
    'message with NUL',
    schedule({ message: { ...KEEP, data: { a: '\0' } } }),
    [422, 'invalid_message', 'message/data/a'],
  ],
  [
    'message with constructor',
    schedule({ message: { ...KEEP, data: { constructor: 1 } } }),
    [422, 'invalid_message', 'message/data/constructor'],
  ],
  [
    'message of depth 33',
    schedule({ message: { ...KEEP, data: JSON.parse(nested(33)) as object } }),
    [422, 'invalid_message', 'message/data'],
  ],
  [
    'message of 300 KiB',
    schedule({ message: { ...KEEP, data: { a: 'x'.repeat(300 * 1_024) } } }),
    [422, 'invalid_message', 'message/data'],
  ],
  // Their rules
  ['cron a number', schedule({ every: undefined, cron: 5 }), [422, 'invalid_body', 'cron']],
  ['cron of four fields', cron('* * * *'), [422, 'invalid_option', 'cron']],
  ['cron empty', cron(''), [422, 'invalid_option', 'cron']],
  ['cron NUL', cron('\0'), [422, 'invalid_option', 'cron']],
  ['cron on 31 February', cron('0 0 31 2 *'), [422, 'invalid_option', 'cron']],
  ['cron of 100,000', cron('1,'.repeat(50_000)), [422, 'invalid_option', 'cron']],
  ['no cron', cron([]), [422, 'invalid_option', 'cron']],
  ['cron: the second', cron(['* * * * *', 'x']), [422, 'invalid_option', 'cron/1']],
  ['every 0', schedule({ every: 0 }), [422, 'invalid_option', 'every']],
  ['every soon', schedule({ every: 'soon' }), [422, 'invalid_option', 'every']],
  ['every true', schedule({ every: true }), [422, 'invalid_body', 'every']],
  ['phase', schedule({ phase: '2h' }), [422, 'invalid_option', 'phase']],
  ['at no time', schedule({ every: undefined, at: ['tomorrow'] }), [422, 'invalid_option', 'at/0']],
  [
    'at 1,001 times',
    schedule({ every: undefined, at: Array.from({ length: 1_001 }, () => '2027-01-01T00:00Z') }),
    [422, 'invalid_option', 'at'],
  ],
  [
    'rrule of nothing',
    schedule({ every: undefined, rrule: 'FREQ=OFTEN' }),
    [422, 'invalid_option', 'rrule'],
  ],
  ['tz of nowhere', schedule({ tz: 'Europe/Atlantis' }), [422, 'invalid_option', 'tz']],
  ['tz empty', schedule({ tz: '' }), [422, 'invalid_option', 'tz']],
  ['dst', schedule({ dst: 'maybe' }), [422, 'invalid_body', 'dst']],
  ['start no time', schedule({ start: 'x' }), [422, 'invalid_option', 'start']],
  ['start a number', schedule({ start: 0 }), [422, 'invalid_body', 'start']],
  [
    'end before start',
    schedule({ start: '2027-01-01T00:00Z', end: '2026-01-01T00:00Z' }),
    [422, 'invalid_option', 'end'],
  ],
  ['limit of nothing', schedule({ limit: 0 }), [422, 'invalid_option', 'limit']],
  ['limit a half', schedule({ limit: 0.5 }), [422, 'invalid_option', 'limit']],
  ['window', schedule({ window: '101%' }), [422, 'invalid_option', 'window']],
  ['jitter negative', schedule({ jitter: -1 }), [422, 'invalid_option', 'jitter']],
  ['seed NUL', schedule({ seed: '\0' }), [422, 'invalid_option', 'seed']],
  ['seed half a pair', schedule({ seed: '\ud800' }), [422, 'invalid_option', 'seed']],
  ['exclude text', schedule({ exclude: 'weekends' }), [422, 'invalid_body', 'exclude']],
  [
    'exclude a date that is none',
    schedule({ exclude: [{ dates: '12-25' }, { dates: ['13-25'] }] }),
    [422, 'invalid_option', 'exclude/1/dates'],
  ],
  ['exclude nothing', schedule({ exclude: {} }), [422, 'invalid_option', 'exclude']],
  ['include never', schedule({ include: { dates: '1999-01-01' } }), [422, 'invalid_option', '']],
  ['onExcluded', schedule({ onExcluded: 'next-day' }), [422, 'invalid_option', 'onExcluded']],
  // Their policies and notes
  ['overlap', schedule({ overlap: 'maybe' }), [422, 'invalid_body', 'overlap']],
  ['catchUp', schedule({ catchUp: 'some' }), [422, 'invalid_body', 'catchUp']],
  ['catchUp 0', schedule({ catchUp: { last: 0 } }), [422, 'invalid_option', 'catchUp/last']],
  [
    'catchUp within',
    schedule({ catchUp: { within: 'x' } }),
    [422, 'invalid_option', 'catchUp/within'],
  ],
  ['grace negative', schedule({ grace: -1 }), [422, 'invalid_option', 'grace']],
  ['run timeout 0', schedule({ timeout: 0 }), [422, 'invalid_option', 'timeout']],
  ['pauseAfter 0', schedule({ pauseAfter: 0 }), [422, 'invalid_option', 'pauseAfter']],
  ['priority of schedules', schedule({ priority: 'x' }), [422, 'invalid_option', 'priority']],
  ['tags text', schedule({ tags: 'a' }), [422, 'invalid_body', 'tags']],
  ['tags with a space', schedule({ tags: ['a b'] }), [422, 'invalid_option', 'tags']],
  [
    'description of 501',
    schedule({ description: 'x'.repeat(501) }),
    [422, 'invalid_option', 'description'],
  ],
  ['description NUL', schedule({ description: '\0' }), [422, 'invalid_option', 'description']],
  // One schedule
  ['schedule of nothing', { url: `${SCHEDULES}/nothing` }, [404, 'not_found']],
  ['schedule NUL', { url: `${SCHEDULES}/%00` }, [404, 'not_found']],
  ['schedule of Object', { url: `${SCHEDULES}/__proto__` }, [404, 'not_found']],
  ['schedule: wrong method', { method: 'PATCH', url: KNOWN }, [405, 'method_not_allowed']],
  ['schedule: POST on one', { method: 'POST', url: KNOWN }, [405, 'method_not_allowed']],
  ['preview by GET', { url: `${SCHEDULES}:preview` }, [405, 'method_not_allowed']],
  ['remove nothing', remove(`${SCHEDULES}/nothing`), [404, 'not_found']],
  ['remove NUL', remove(`${SCHEDULES}/%00`), [404, 'not_found']],
  ['remove a declared one', remove(`${SCHEDULES}/greeter.monday`), [409, 'declared_schedule']],
  ['put a declared one', put('greeter.monday', {}), [409, 'declared_schedule']],
  ['put with another id', put('known', { id: 'other' }), [422, 'invalid_option', 'id']],
  ['put to NUL', put('%00', {}), [422, 'invalid_option', 'id']],
  ['put to an id with a space', put('a%20b', {}), [422, 'invalid_option', 'id']],
  ['put an unknown field', put('known', { retries: 1 }), [422, 'invalid_body', 'retries']],
  ['put no rule', put('known', { every: undefined }), [422, 'invalid_option', '']],
  // Lists of them
  ['schedules: limit 0', { url: `${SCHEDULES}?limit=0` }, [422, 'invalid_query', 'limit']],
  ['schedules: limit 101', { url: `${SCHEDULES}?limit=101` }, [422, 'invalid_query', 'limit']],
  ['schedules: cursor', { url: `${SCHEDULES}?cursor=x` }, [422, 'invalid_query', 'cursor']],
  [
    'schedules: cursor NUL',
    { url: `${SCHEDULES}?cursor=${Buffer.from('\0').toString('base64url')}` },
    [422, 'invalid_query', 'cursor'],
  ],
  ['schedules: state', { url: `${SCHEDULES}?state=asleep` }, [422, 'invalid_query', 'state']],
  ['schedules: no text', { url: `${SCHEDULES}?q=` }, [422, 'invalid_query', 'q']],
  ['schedules: tag twice', { url: `${SCHEDULES}?tag=a&tag=b` }, [422, 'invalid_query', 'tag']],
  ['schedules: unknown', { url: `${SCHEDULES}?actor=a` }, [422, 'invalid_query', 'actor']],
  ['runs of nothing', { url: `${SCHEDULES}/nothing/runs` }, [404, 'not_found']],
  ['runs of NUL', { url: `${SCHEDULES}/%00/runs` }, [404, 'not_found']],
  ['runs: cursor', { url: `${KNOWN}/runs?cursor=x` }, [422, 'invalid_query', 'cursor']],
  ['runs: no cursor', { url: `${KNOWN}/runs?cursor=` }, [422, 'invalid_query', 'cursor']],
  ['runs: limit', { url: `${KNOWN}/runs?limit=1e1` }, [422, 'invalid_query', 'limit']],
  ['next of nothing', { url: `${SCHEDULES}/nothing/next` }, [404, 'not_found']],
  ['next: none', { url: `${KNOWN}/next?count=0` }, [422, 'invalid_query', 'count']],
  ['next: 1,001', { url: `${KNOWN}/next?count=1001` }, [422, 'invalid_query', 'count']],
  ['next: unknown', { url: `${KNOWN}/next?limit=1` }, [422, 'invalid_query', 'limit']],
  // What is done with them
  ['pause nothing', act('nothing', 'pause', { reason: 'x' }), [404, 'not_found']],
  ['pause without body', act('known', 'pause'), [400, 'malformed_json']],
  ['pause without reason', act('known', 'pause', {}), [422, 'invalid_body', 'reason']],
  ['pause: reason empty', act('known', 'pause', { reason: '' }), [422, 'invalid_option', 'reason']],
  ['pause: reason NUL', act('known', 'pause', { reason: '\0' }), [422, 'invalid_option', 'reason']],
  [
    'pause: until yesterday',
    act('known', 'pause', { reason: 'x', until: '2020-01-01T00:00:00Z' }),
    [422, 'invalid_option', 'until'],
  ],
  [
    'pause: until no time',
    act('known', 'pause', { reason: 'x', until: 'later' }),
    [422, 'invalid_body', 'until'],
  ],
  ['pause by GET', { url: `${KNOWN}/pause` }, [405, 'method_not_allowed']],
  ['resume nothing', act('nothing', 'resume'), [404, 'not_found']],
  ['trigger nothing', act('nothing', 'trigger'), [404, 'not_found']],
  ['trigger NUL', act('%00', 'trigger'), [404, 'not_found']],
  ['trigger: overlap', act('known', 'trigger', { overlap: 1 }), [422, 'invalid_body', 'overlap']],
  ['trigger: unknown', act('known', 'trigger', { at: 1 }), [422, 'invalid_body', 'at']],
  [
    'trigger: key of 201 characters',
    { ...act('known', 'trigger'), headers: { 'idempotency-key': 'x'.repeat(201) } },
    [422, 'invalid_option', 'Idempotency-Key'],
  ],
  ['backfill nothing', act('nothing', 'backfill', RANGE), [404, 'not_found']],
  ['backfill without range', act('known', 'backfill', {}), [422, 'invalid_body', 'from']],
  [
    'backfill backwards',
    act('known', 'backfill', { from: RANGE.to, to: RANGE.from }),
    [422, 'invalid_option', 'to'],
  ],
  [
    'backfill the future',
    act('known', 'backfill', { ...RANGE, to: '2999-01-01T00:00:00Z' }),
    [422, 'invalid_option', 'to'],
  ],
  [
    'backfill too much',
    act('known', 'backfill', { ...RANGE, from: '1990-01-01T00:00:00Z', dryRun: true }),
    [422, 'invalid_option', 'from'],
  ],
  [
    'backfill: no zone',
    act('known', 'backfill', { ...RANGE, from: '2026-01-01T00:00:00' }),
    [422, 'invalid_body', 'from'],
  ],
  [
    'backfill: id empty',
    act('known', 'backfill', { ...RANGE, id: '' }),
    [422, 'invalid_option', 'id'],
  ],
  [
    'backfill: id NUL',
    act('known', 'backfill', { ...RANGE, id: '\0' }),
    [422, 'invalid_option', 'id'],
  ],
  [
    'backfill: two ids',
    { ...act('known', 'backfill', { ...RANGE, id: 'a' }), headers: { 'idempotency-key': 'b' } },
    [422, 'invalid_option', 'id'],
  ],
  [
    'backfill: parallel text',
    act('known', 'backfill', { ...RANGE, parallel: 'yes' }),
    [422, 'invalid_body', 'parallel'],
  ],
  // Previews
  ['preview nothing', preview({}), [422, 'invalid_option', '']],
  ['preview a list', { ...preview({}), payload: [] }, [422, 'invalid_body', '']],
  ['preview: bad cron', preview({ cron: 'x' }), [422, 'invalid_option', 'cron']],
  ['preview: unknown', preview({ every: '1h', until: 'x' }), [422, 'invalid_body', 'until']],
  ['preview: count 0', preview({ every: '1h', count: 0 }), [422, 'invalid_option', 'count']],
  [
    'preview: count 1,001',
    preview({ every: '1h', count: 1_001 }),
    [422, 'invalid_option', 'count'],
  ],
  ['preview: from no time', preview({ every: '1h', from: 'x' }), [422, 'invalid_body', 'from']],
  ['preview: bad policy', preview({ every: '1h', grace: 'x' }), [422, 'invalid_option', 'grace']],
  [
    'preview: bad message',
    preview({ every: '1h', message: { type: 'greeter.greet', data: {} } }),
    [422, 'invalid_message', 'message/data/name'],
  ],
];

describe('bad input for schedules', () => {
  it.each(TABLE)('%s', async (_, request, answer) => {
    expect(await refusalOf(app, request)).toEqual(answer);
  });

  it('leaves every schedule as it was', async () => {
    const { items } = (await app.inject({ url: SCHEDULES })).json<{ items: { id: string }[] }>();
    expect(items.map(({ id }) => id)).toEqual(['greeter.monday', 'known']);
    const { items: history } = (await app.inject({ url: `${KNOWN}/runs` })).json<{
      items: object[];
    }>();
    expect(history).toMatchObject([{ kind: 'note', what: 'created' }]);
  });
});
