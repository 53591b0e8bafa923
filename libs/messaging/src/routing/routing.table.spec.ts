import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../json.js';
import { rendezvous } from './rendezvous.js';
import type { RoutedEvent, Route, Subscription } from './route.js';
import { RoutingTable } from './routing.table.js';

const EVENT: RoutedEvent = {
  type: 'orders.created',
  topic: 'orders.eu.created',
  key: 'o-1',
  data: { amount: 1_500 },
  headers: { region: 'eu' },
  priority: 10,
  tenant: 'acme',
  sentAt: 0,
};

type Rule = Partial<Route> & { id: string };

function table(rules: readonly Rule[], actors: Record<string, Subscription[]> = {}): RoutingTable {
  const routes = rules.map((rule) => ({ order: 0, match: {}, to: [], ...rule }));
  return new RoutingTable(
    '1',
    Object.fromEntries([
      ...routes.map((route) => [`route:${route.id}`, { revision: 1, route }]),
      ...Object.entries(actors).map(([name, all]) => [`actor:${name}`, all]),
    ]) as Record<string, Json>,
  );
}

/** Names of who is reached, in order. */
function reached(of: RoutingTable, event: Partial<RoutedEvent> = {}) {
  return of.match({ ...EVENT, ...event }).reached.map(({ receiver }) => receiver);
}

describe('a rule matches', () => {
  it.each<[Route['match'], Partial<RoutedEvent>, boolean]>([
    [{}, {}, true],
    [{ type: 'orders.created' }, {}, true],
    [{ type: 'orders.paid' }, {}, false],
    [{ topic: 'orders.eu.created' }, {}, true],
    [{ topic: 'orders.*.created' }, {}, true],
    [{ topic: 'orders.**' }, {}, true],
    [{ topic: 'orders.us.**' }, {}, false],
    [{ type: 'orders.created', topic: '**.created' }, {}, true],
    [{ type: 'orders.created', topic: '**.paid' }, {}, false],
    [{ type: 'orders.paid', topic: '**.created' }, {}, false],
    [{ headers: { region: 'eu' } }, {}, true],
    [{ headers: { region: 'us' } }, {}, false],
    [{ headers: { region: 'eu', tier: 'vip' } }, {}, false],
    [{ headers: { region: 'eu', tier: 'vip' } }, { headers: { tier: 'vip', region: 'eu' } }, true],
    [{ headers: { toString: 'x' } }, {}, false],
    [{ headers: {} }, {}, true],
    [{ priority: { max: 10 } }, {}, true],
    [{ priority: { max: 9 } }, {}, false],
    [{ priority: { min: 10 } }, {}, true],
    [{ priority: { min: 11 } }, {}, false],
    [{ priority: { min: 5, max: 20 } }, {}, true],
    [{ priority: {} }, {}, true],
    [{ tenant: 'acme' }, {}, true],
    [{ tenant: 'other' }, {}, false],
    [{ tenant: 'acme' }, { tenant: undefined }, false],
    [{ when: 'data.amount > 1000' }, {}, true],
    [{ when: 'data.amount > 1000' }, { data: { amount: 1 } }, false],
    [{ tenant: 'acme', when: "topic == 'orders.eu.created'" }, {}, true],
    [{ tenant: 'other', when: 'true' }, {}, false],
    [{ topic: 'orders.**', tenant: 'acme', headers: { region: 'eu' } }, {}, true],
    [{ topic: 'orders.**', tenant: 'acme', headers: { region: 'us' } }, {}, false],
  ])('%j, given %j: %s', (match, event, expected) => {
    expect(reached(table([{ id: 'r', match, to: ['mail'] }]), event)).toEqual(
      expected ? ['mail'] : [],
    );
  });
});

describe('an event', () => {
  it('goes where the rules say, in their order, then to those who subscribe, by name', () => {
    const all = table(
      [
        { id: 'b', order: 1, to: ['three'] },
        { id: 'a', order: 1, to: ['two', 'one'] },
        { id: 'z', order: -1, to: ['zero'] },
      ],
      { yard: [{ topic: '**' }], audit: [{ type: 'orders.created' }], other: [{ type: 'x.y' }] },
    );
    expect(all.match(EVENT)).toEqual({
      reached: [
        { receiver: 'zero', by: 'route:z' },
        { receiver: 'two', by: 'route:a' },
        { receiver: 'one', by: 'route:a' },
        { receiver: 'three', by: 'route:b' },
        { receiver: 'audit', by: 'actor:audit' },
        { receiver: 'yard', by: 'actor:yard' },
      ],
      failed: [],
    });
  });

  it('goes to an actor once, as whatever reached it first says', () => {
    const all = table(
      [
        { id: 'a', order: 1, to: ['mail'], set: { priority: 1 } },
        { id: 'b', order: 2, to: ['mail', 'push'], set: { delay: 5_000 } },
      ],
      { mail: [{ topic: '**' }, { type: 'orders.created' }], push: [{ topic: '**' }] },
    );
    expect(all.match(EVENT).reached).toEqual([
      { receiver: 'mail', by: 'route:a', set: { priority: 1 } },
      { receiver: 'push', by: 'route:b', set: { delay: 5_000 } },
    ]);
  });

  it('goes once to an actor with several subscriptions', () => {
    const all = table([], {
      mail: [{ type: 'orders.created' }, { topic: '**' }, { when: 'true' }],
      push: [{ when: 'false' }, { when: 'true' }],
    });
    expect(reached(all)).toEqual(['mail', 'push']);
  });

  it('is looked at by no rule behind one that is the last, but by subscriptions', () => {
    const all = table(
      [
        { id: 'a', order: 1, to: ['one'] },
        { id: 'b', order: 2, to: ['two'], match: { when: 'data.amount > 1000' }, last: true },
        { id: 'c', order: 3, to: ['three'], match: { when: 'data.nowhere' } },
      ],
      { audit: [{ topic: '**' }] },
    );
    expect(all.match(EVENT).failed).toEqual([]);
    expect(reached(all)).toEqual(['one', 'two', 'audit']);
    expect(reached(all, { data: { amount: 1 } })).toEqual(['one', 'audit']);
  });

  it('is held back by a rule that leads nowhere and is the last', () => {
    const all = table([
      { id: 'a', order: 1, last: true, match: { tenant: 'acme' } },
      { id: 'b', order: 2, to: ['mail'] },
    ]);
    expect(reached(all)).toEqual([]);
    expect(reached(all, { tenant: 'other' })).toEqual(['mail']);
  });

  it('is not looked at by rules that are disabled', () => {
    const all = table([
      { id: 'a', to: ['one'], disabled: true, last: true },
      { id: 'b', to: ['two'], disabled: false },
    ]);
    expect(reached(all)).toEqual(['two']);
  });

  it('is tested with the same filter once', () => {
    let reads = 0;
    const data = {
      get amount() {
        reads += 1;
        return 1;
      },
    };
    const rules = Array.from({ length: 5 }, (_, index) => ({
      id: `r${index}`,
      match: { when: 'data.amount >= 1' },
      to: [`actor-${index}`],
    }));
    expect(reached(table(rules), { data })).toHaveLength(5);
    expect(reads).toBe(1);
  });

  it('says which filters could not say', () => {
    const all = table(
      [
        { id: 'a', to: ['one'], match: { when: 'data.other > 1' }, last: true },
        { id: 'b', to: ['two'], match: { when: 'data.amount' } },
        { id: 'c', to: ['three'] },
      ],
      { mail: [{ when: 'data.other > 1' }, { topic: '**' }] },
    );
    expect(all.match(EVENT)).toEqual({
      reached: [
        { receiver: 'three', by: 'route:c' },
        { receiver: 'mail', by: 'actor:mail' },
      ],
      failed: [
        { owner: 'route:a', error: 'field not found: other' },
        { owner: 'route:b', error: 'is neither true nor false, but a double' },
        { owner: 'actor:mail', error: 'field not found: other' },
      ],
    });
  });
});

describe('an event without the field that filters look for', () => {
  it('is asked of some of them, of all when that is wanted', () => {
    const filtered = (id: string) => ({
      id,
      to: ['one'],
      match: { when: `data.other == '${id}'` },
    });
    const all = table([
      ...Array.from({ length: 1_000 }, (_, n) => filtered(`r${n}`)),
      { id: 'z', to: ['two'], match: { when: 'data.amount > 0.0' } },
    ]);
    expect(all.match(EVENT).failed).toHaveLength(10);
    expect(all.match(EVENT, Infinity).failed).toHaveLength(1_000);
    expect(all.match(EVENT).reached).toEqual([{ receiver: 'two', by: 'route:z' }]);
  });
});

describe('one of several receivers', () => {
  const oneOf = ['a', 'b', 'c'];

  it('by load is left to the caller, and stands there once', () => {
    const all = table([
      { id: 'a', to: [{ oneOf, by: 'load' }], set: { priority: 1 } },
      {
        id: 'b',
        to: [
          { oneOf: ['c', 'a', 'b'], by: 'load' },
          { oneOf: ['a', 'b'], by: 'load' },
        ],
      },
      { id: 'c', to: ['a', { oneOf: ['d'], by: 'load' }, 'd'] },
    ]);
    expect(all.match(EVENT).reached).toEqual([
      { receiver: { oneOf, by: 'load' }, by: 'route:a', set: { priority: 1 } },
      { receiver: { oneOf: ['a', 'b'], by: 'load' }, by: 'route:b' },
      { receiver: 'a', by: 'route:c' },
      { receiver: 'd', by: 'route:c' },
    ]);
  });

  it('by hash is decided by the key, else by type and topic', () => {
    const all = table([{ id: 'a', to: [{ oneOf, by: 'hash' }] }]);
    for (let index = 0; index < 50; index += 1) {
      const key = `o-${index}`;
      expect(reached(all, { key, sentAt: index })).toEqual([rendezvous(oneOf, key)]);
      expect(reached(all, { key: undefined, topic: key })).toEqual([
        rendezvous(oneOf, `orders.created ${key}`),
      ]);
    }
  });

  it('by hash is the actor that was reached before, or is there but once', () => {
    const chosen = rendezvous(oneOf, 'o-1');
    const all = table([
      { id: 'a', to: [chosen, { oneOf, by: 'hash' }] },
      { id: 'b', to: [{ oneOf, by: 'hash' }] },
    ]);
    expect(reached(all)).toEqual([chosen]);
  });
});

describe('what tells of a dead letter', () => {
  it('is led to those who name its type, and to nobody who wants all', () => {
    const all = table(
      [
        { id: 'a', to: ['all'] },
        { id: 'b', match: { topic: 'dead-letters.*' }, to: ['topic'] },
        { id: 'c', match: { type: 'dead-letters.added' }, to: ['named'] },
      ],
      { alerts: [{ type: 'dead-letters.added' }], audit: [{ topic: '**' }] },
    );
    const type = 'dead-letters.added';
    expect(reached(all, { type, topic: type })).toEqual(['named', 'alerts']);
  });
});

describe('what a store has', () => {
  it('may be a map, has a version, and may be nothing', () => {
    const owners = new Map<string, Json>([
      ['actor:mail', [{ topic: '**' }]],
      // Bound too, but leads nothing.
      ['pause:mail', { since: '2026-01-01T00:00:00Z', reason: 'x' }],
    ]);
    const all = new RoutingTable('v7', owners);
    expect(all.version).toBe('v7');
    expect(reached(all)).toEqual(['mail']);
    expect(all.problems).toEqual([]);
    expect(reached(new RoutingTable('0', {}))).toEqual([]);
  });

  it('is skipped and said, as far as it is not of this version', () => {
    const good = { order: 0, match: {}, to: ['good'] };
    const all = new RoutingTable('1', {
      'actor:mail': { revision: 1, release: 'r', subscriptions: [{ topic: '**' }] },
      'actor:Mail': [{ topic: '**' }],
      'actor:list': { topic: '**' },
      'actor:null': null,
      'actor:newer': [{ type: 'orders.created', where: 'x' }],
      'actor:half': [{ when: 'data.amount ~ 1' }, { topic: '**' }],
      'route:a': { revision: 1, route: { ...good, id: 'a' } },
      'route:b': { revision: 1, route: { ...good, id: 'a' } },
      'route:c': { revision: 1, route: { ...good, id: 'c', match: { when: 'data.amount >' } } },
      'route:d': {
        revision: 1,
        route: { ...good, id: 'd', to: [{ oneOf: ['x'], by: 'weather' }] },
      },
      'route:gone': { revision: 7 },
      'route:e': 'true',
      'group:x': [],
      'api-key:0': { digest: '' },
      mail: [],
      '': 1,
    });
    expect(reached(all)).toEqual(['good', 'half', 'mail']);
    expect(all.problems).toEqual([
      { owner: 'actor:Mail', error: 'is neither an actor nor a route' },
      { owner: 'actor:list', error: 'must be a list of subscriptions' },
      { owner: 'actor:null', error: 'must be a list of subscriptions' },
      { owner: 'actor:newer', error: '0.where is not an option' },
      { owner: 'route:b', error: 'is stored under the id of another route' },
      { owner: 'route:d', error: "to.0.by must be 'load' or 'hash'" },
      { owner: 'route:e', error: 'must be an object' },
      { owner: 'group:x', error: 'is neither an actor nor a route' },
      { owner: 'mail', error: 'is neither an actor nor a route' },
      { owner: '', error: 'is neither an actor nor a route' },
    ]);
    // Filters are compiled when they are needed: then they cannot say.
    for (let n = 0; n < 2; n++) {
      expect(all.match(EVENT).failed).toEqual([
        { owner: 'route:c', error: expect.stringMatching(/^match\.when is not CEL/) as string },
        { owner: 'actor:half', error: expect.stringMatching(/^when is not CEL/) as string },
      ]);
    }
  });
});

describe('any table', () => {
  const unread = (rule: Rule): Rule => {
    const { when } = rule.match ?? {};
    return when === undefined
      ? rule
      : { ...rule, match: { ...rule.match, when: `(${when}\n) || false` } };
  };
  const failures = (of: RoutingTable, event: Partial<RoutedEvent>): string[] =>
    of.match({ ...EVENT, ...event }, Infinity).failed.map(({ owner }) => owner);
  const word = fc.constantFrom('a', 'b', 'c');
  const type = fc.tuple(word, word).map((parts) => parts.join('.'));
  const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
  const pattern = fc
    .array(fc.constantFrom('a', 'b', 'c', '*', '**'), { minLength: 1, maxLength: 4 })
    .map((words) => words.join('.'));
  const when = fc.constantFrom(
    ...['data.n == 1', 'data.n == 1.0', 'data.n > 1', 'data.m == 1', "headers.a == 'b'"],
    ...["data.s == 'a'", `data.s == "it's"`, "data.n==1 && data.s=='a'", "data.o.p == 'a' && true"],
    ...["data.n > 0 && data.s == 'a' && data.o.p == 'a'", "data.s == 'a' || data.n == 1"],
    ...["!(data.n == 1 && data.s == 'a')", "data.n == 1 && !(data.s == 'a' && true)"],
    ...["data.n == 1 ? data.s == 'a' : true", "data.n == 1 && (data.s == 'a' || data.m == 1)"],
    ...["data.l.all(i, i == 1 && data.s == 'a')", "data.s == 'a' == false", 'data.n == 1 == true'],
    ...["'|| data.n == 1' != data.s && data.n == 1", "data.l == 'a'", "data.l.x == 'a'"],
    ...["data.s == 'a\\'' && data.n == 1", "data.n == 1 // && data.s == 'a'\n"],
  );
  const headers = fc.dictionary(word, word, { maxKeys: 2, noNullPrototype: true });
  const match = fc.record(
    { type, topic: pattern, headers, tenant: word, when },
    { requiredKeys: [] },
  );
  const rule = fc.record({
    order: fc.integer({ min: 0, max: 3 }),
    match,
    to: fc.uniqueArray(fc.constantFrom('u', 'v', 'w', 'x'), { maxLength: 2 }),
    last: fc.boolean(),
    disabled: fc.boolean(),
  });
  const event = fc.record({
    type,
    topic,
    headers,
    tenant: fc.option(word, { nil: undefined }),
    data: fc.record(
      {
        n: fc.integer({ min: 0, max: 2 }),
        s: fc.constantFrom('a', "it's", "a'", null, 1, '|| data.n == 1'),
        o: fc.record({ p: fc.constantFrom('a', 'b') }, { requiredKeys: [] }),
        l: fc.array(fc.constant(1), { maxLength: 1 }),
      },
      { requiredKeys: ['n'] },
    ),
  });

  /** Without an index: every rule is a table of its own, and its filter such that nothing can be read off it. */
  it('reaches whom its rules reach one by one, and says which filters could not say', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 25 }), fc.array(event), (rules, events) => {
        const named = rules.map((one, index) => ({
          ...one,
          id: `r${String(index).padStart(2, '0')}`,
        }));
        const all = table(named);
        const inOrder = named
          .filter(({ disabled }) => !disabled)
          .toSorted((a, b) => a.order - b.order)
          .map((one) => ({ one, alone: table([{ ...unread(one), to: ['reached'] }]) }));
        for (const given of events as Partial<RoutedEvent>[]) {
          const expected = new Set<string>();
          const failed: string[] = [];
          for (const { one, alone } of inOrder) {
            failed.push(...failures(alone, given));
            if (reached(alone, given).length === 0) continue;
            for (const name of one.to) expected.add(name);
            if (one.last) break;
          }
          expect(reached(all, given)).toEqual([...expected]);
          expect(failures(all, given)).toEqual(failed);
        }
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});
