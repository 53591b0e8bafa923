import { describe, expect, it } from 'vitest';
import { OptionError } from '../messaging.errors.js';
import { checkedRoute, checkedSubscription, type Route } from './route.js';

const FULL: Route = {
  id: 'big orders',
  order: -3,
  match: {
    type: 'orders.created',
    topic: 'orders.*.**',
    headers: { region: 'eu' },
    priority: { min: 1, max: 100 },
    tenant: 'acme',
    when: 'data.amount > 1000',
  },
  to: ['mail', { oneOf: ['a', 'b'], by: 'hash' }, { oneOf: ['c'], by: 'load' }],
  set: { priority: 10, delay: 5_000, headers: { via: 'rule' } },
  last: true,
  disabled: false,
};

const SMALL: Route = { id: 'r', order: 0, match: {}, to: [] };

function problemOf(run: () => unknown): [string, string] {
  try {
    run();
  } catch (error) {
    if (error instanceof OptionError) return [error.path, error.problem];
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a rule', () => {
  it('is what it was, and shares nothing that is changed later', () => {
    expect(checkedRoute(structuredClone(FULL), '')).toEqual(FULL);
    expect(checkedRoute(SMALL, '')).toEqual(SMALL);
    expect(checkedRoute(FULL, '').match).not.toBe(FULL.match);
  });

  it('has lanes and durations as numbers', () => {
    const set = { priority: 'high', delay: '10s' };
    const match = { priority: { min: 'critical', max: 'normal' } };
    expect(checkedRoute({ ...SMALL, set, match }, '')).toEqual({
      ...SMALL,
      set: { priority: 10, delay: 10_000 },
      match: { priority: { min: 1, max: 100 } },
    });
  });

  it('has no field that is undefined', () => {
    const given = { ...SMALL, set: undefined, last: undefined, match: { when: undefined } };
    const route = checkedRoute(given, '');
    expect(Object.keys(route)).toEqual(['id', 'order', 'match', 'to']);
    expect(Object.keys(route.match)).toEqual([]);
  });

  const names = (count: number) => Array.from({ length: count }, (_, index) => `actor-${index}`);

  it.each<[object, string, string]>([
    [{ id: '' }, 'id', 'must be a string of 1 to 200 characters'],
    [{ id: 7 }, 'id', 'must be a string'],
    [{ order: 1.5 }, 'order', 'must be a whole number'],
    [{ order: '1' }, 'order', 'must be a whole number'],
    [{ order: undefined }, 'order', 'must be a whole number'],
    [{ match: undefined }, 'match', 'must be an object'],
    [{ match: [] }, 'match', 'must be an object'],
    [{ match: { type: 'orders' } }, 'match.type', "must be '<topic>.<event>'"],
    [{ match: { type: 'orders.*' } }, 'match.type', "must be '<topic>.<event>'"],
    [{ match: { topic: 'a..b' } }, 'match.topic', 'must be a topic pattern'],
    [{ match: { headers: { 'a b': 'x' } } }, 'match.headers.a b', 'is not a valid header name'],
    [{ match: { headers: { a: 1 } } }, 'match.headers.a', 'must be a string of at most 1024'],
    [{ match: { headers: [] } }, 'match.headers', 'must be an object'],
    [
      { match: { headers: Object.fromEntries(names(33).map((name) => [name, ''])) } },
      'match.headers',
      'must be at most 32',
    ],
    [{ match: { priority: 5 } }, 'match.priority', 'must be an object'],
    [{ match: { priority: { min: 0 } } }, 'match.priority.min', 'must be one of critical'],
    [{ match: { priority: { max: 'urgent' } } }, 'match.priority.max', 'must be one of critical'],
    [
      { match: { priority: { min: 5, max: 4 } } },
      'match.priority.max',
      'must not be less than min',
    ],
    [{ match: { priority: { least: 5 } } }, 'match.priority.least', 'is not an option'],
    [{ match: { tenant: '' } }, 'match.tenant', 'must be a string of 1 to 200 characters'],
    [{ match: { when: 'data.x >' } }, 'match.when', 'is not CEL'],
    [{ match: { when: 5 } }, 'match.when', 'must be a CEL expression'],
    [{ match: { where: 'x' } }, 'match.where', 'is not an option'],
    [{ match: JSON.parse('{"__proto__": {}}') }, 'match.__proto__', 'is not an option'],
    [{ to: undefined }, 'to', 'must be a list of at most 20 receivers'],
    [{ to: 'mail' }, 'to', 'must be a list of at most 20 receivers'],
    [{ to: names(21) }, 'to', 'must be a list of at most 20 receivers'],
    [{ to: ['mail', 'Mail'] }, 'to.1', 'must be the name of an actor'],
    [{ to: [['mail']] }, 'to.0', 'must be an object'],
    [{ to: [{ oneOf: ['a'] }] }, 'to.0.by', "must be 'load' or 'hash'"],
    [{ to: [{ oneOf: [], by: 'load' }] }, 'to.0.oneOf', 'must be a list of 1 to 20 names'],
    [{ to: [{ oneOf: names(21), by: 'load' }] }, 'to.0.oneOf', 'must be a list of 1 to 20 names'],
    [{ to: [{ oneOf: ['a', 'a'], by: 'load' }] }, 'to.0.oneOf', 'must not name one twice'],
    [{ to: [{ oneOf: ['a', '-'], by: 'load' }] }, 'to.0.oneOf.1', 'must be the name of an actor'],
    [{ to: [{ oneOf: ['a'], by: 'load', or: 1 }] }, 'to.0.or', 'is not an option'],
    [{ set: null }, 'set', 'must be an object'],
    [{ set: { priority: 0 } }, 'set.priority', 'must be one of critical'],
    [{ set: { delay: -1 } }, 'set.delay', "must be milliseconds or a string such as '10s'"],
    [{ set: { delay: '2y' } }, 'set.delay', 'must be milliseconds'],
    [
      { set: { headers: { a: 'x'.repeat(1_025) } } },
      'set.headers.a',
      'must be a string of at most',
    ],
    [{ set: { tenant: 'x' } }, 'set.tenant', 'is not an option'],
    [{ last: 'yes' }, 'last', 'must be true or false'],
    [{ disabled: 1 }, 'disabled', 'must be true or false'],
    [{ enabled: true }, 'enabled', 'is not an option'],
  ])('cannot have %j', (fields, path, problem) => {
    const given = { ...SMALL, ...fields };
    const [where, what] = problemOf(() => checkedRoute(given, ''));
    expect(where).toBe(path);
    expect(what).toContain(problem);
    expect(problemOf(() => checkedRoute(given, '3.'))[0]).toBe(`3.${path}`);
  });

  it.each<[unknown]>([[undefined], [null], ['r'], [[]], [1]])('cannot be %j', (given) => {
    expect(problemOf(() => checkedRoute(given, ''))).toEqual(['it', 'must be an object']);
    expect(problemOf(() => checkedRoute(given, 'routes.3.'))[0]).toBe('routes.3');
  });
});

describe('a subscription', () => {
  it.each([
    { type: 'orders.created' },
    { topic: '**' },
    { when: 'priority < 10' },
    { type: 'orders.created', topic: 'orders.*', when: 'true' },
  ])('may be %j', (given) => {
    expect(checkedSubscription(given, '')).toEqual(given);
  });

  it.each<[unknown, string, string]>([
    [{}, 'it', 'must say type, topic or when'],
    [{ type: undefined }, 'it', 'must say type, topic or when'],
    [{ type: 'x' }, 'type', "must be '<topic>.<event>'"],
    [{ topic: '' }, 'topic', 'must be a topic pattern'],
    [{ when: 'x' }, 'when', "names 'x'"],
    [{ topic: '**', headers: {} }, 'headers', 'is not an option'],
    [[], 'it', 'must be an object'],
    [null, 'it', 'must be an object'],
  ])('cannot be %j', (given, path, problem) => {
    const [where, what] = problemOf(() => checkedSubscription(given, ''));
    expect(where).toBe(path);
    expect(what).toContain(problem);
  });
});
