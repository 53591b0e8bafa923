import { describe, expect, it } from 'vitest';
import { EVENT } from '../../../../test/support/routed.event.js';
import type { JsonObject } from '../json.js';
import { OptionError } from '../messaging.errors.js';
import { compileFilter } from './event.filter.js';
import type { RoutedEvent } from './route.js';

function test(expression: string, event: Partial<RoutedEvent> = {}) {
  return compileFilter(expression, 'when').test({ ...EVENT, ...event });
}

describe('a filter', () => {
  it.each<[string, boolean]>([
    ['data.amount > 1000', true],
    ['data.amount > 1000.5', true],
    ['data.amount > 1500', false],
    ['data.amount >= 1500u', true],
    ['data.n == 3', true],
    ['data.n == 3.0', true],
    ['data.n != 3', false],
    ['data.half == 2.5', true],
    ['data.half > 2', true],
    ['data.list[0] == 3', true],
    ['data.list[data.n - 1] == 2', true],
    ['size(data.list) == 3', true],
    ['data.list.size() == 3', true],
    ["data.tags.exists(t, t == 'vip')", true],
    ["data.tags.all(t, t != 'old')", true],
    ["data.tags.exists_one(t, t == 'vip')", true],
    ["'vip' in data.tags", true],
    ["'old' in data.tags", false],
    ["'amount' in data", true],
    ["data['odd key'] == 1", true],
    ['3 in data.list', true],
    ['has(data.amount)', true],
    ['has(data.other)', false],
    ['has(data.nothing)', true],
    ["'nothing' in data", true],
    ['data.nothing == null', true],
    ['data.flag', true],
    ['!data.flag', false],
    ['data.items[1].price == 20', true],
    ['data.items.exists(i, i.ok && i.price > 5)', true],
    ['data.items.filter(i, i.ok).size() == 1', true],
    ['data.items.map(i, i.price) == [10, 20]', true],
    ['data.items.map(i, i.ok, i.sku) == ["x"]', true],
    ['data.items.filter(i, i.ok).exists(i, i.price == 10)', true],
    ['data.items.map(i, i.price).filter(p, p > 15).size() == 1', true],
    ["data.address.city == 'Cádiz'", true],
    ["data.address.city.startsWith('C')", true],
    ["data.address.city.endsWith('diz')", true],
    ["data.address.city.contains('ád')", true],
    ["data.name.matches('^a.*z$')", true],
    ["data.name.matches('bc')", true],
    ["data.name.matches('^b')", false],
    ["'abc'.matches(data.tags[0])", false],
    ["headers.region == 'eu'", true],
    ["headers['x-trace'] == '7'", true],
    ["'x-trace' in headers", true],
    ["has(headers.none) && headers.none == 'x'", false],
    ["type == 'orders.created'", true],
    ["topic.startsWith('orders.eu.')", true],
    ['priority <= 10', true],
    ['priority == 10', true],
    ["tenant == 'acme'", true],
    ["time > timestamp('2026-07-01T00:00:00Z')", true],
    ["time - timestamp('2026-07-01T06:30:00Z') < duration('16s')", true],
    ["time + duration('1h') > time", true],
    ["time.getHours('Europe/Madrid') == 8", true],
    ["time.getHours('Europe/Madrid') < 9", true],
    ['time.getHours() == 6', true],
    ["time.getHours('+05:30') == 12", true],
    ["time.getMinutes('-00:15') == 15", true],
    ['time.getDayOfWeek() == 3', true],
    ["time.getDayOfYear('UTC') == 181", true],
    ["time.getDate('Pacific/Kiritimati') == 1", true],
    ["time.getDayOfMonth() == 0 && time.getMonth() == 6 && time.getFullYear('UTC') == 2026", true],
    ["time.getSeconds() == 15 && time.getMilliseconds('Asia/Tokyo') == 250", true],
    // Numbers of JSON and whole numbers mix.
    ['data.amount * 2 > 2999', true],
    ['2 * data.amount == 3000', true],
    ['data.amount / 2 == 750.0', true],
    ['data.n % 2 == 1', true],
    ['data.n + 1 == 4', true],
    ['10 - data.n == 7', true],
    ['data.n % data.n == 0', true],
    ['type(data.n) == double', true],
    ['type(time) == google.protobuf.Timestamp', true],
    ['data.other == 1 || data.flag', true],
    ['data.flag ? true : data.other', true],
    ['{"a": 1}["a"] == 1', true],
    ['data.list + [4] == [3, 1, 2, 4]', true],
    ['string(data.n) == "3"', true],
    ['int(data.half) == 2', true],
  ])('%s: %s', (expression, matches) => {
    expect(test(expression)).toEqual({ matches });
  });

  it('has no tenant as empty text', () => {
    expect(test("tenant == ''", { tenant: undefined })).toEqual({ matches: true });
  });

  it.each<[string, string]>([
    ['data.other > 1', 'field not found: other'],
    ['data.address.street.name == 1', 'field not found: street'],
    ['data.list[3] == 1', 'index 3 out of bounds'],
    ["data.list['length'] == 3", 'field not found: length'],
    ['data.list[0.5] == 1', ''],
    ["headers.none == 'x'", 'field not found: none'],
    ["data.amount > '1000'", "no matching overload for '_>_'"],
    ['data.name + 1 == 2', "no matching overload for '_+_'"],
    ['data.amount', 'is neither true nor false, but a double'],
    ['data.name', 'is neither true nor false, but a string'],
    ['data', 'is neither true nor false, but a map'],
    ['data.nothing', 'is neither true nor false, but a null_type'],
    ['time', 'is neither true nor false, but a google.protobuf.Timestamp'],
    ['1 / 0 == 1', 'divide by zero'],
    ['int(data.name) == 1', 'Cannot convert abcz to a BigInt'],
    ['timestamp(data.name) < time', 'Failed to parse timestamp'],
    ['time.getHours(data.name) == 1', "names the time zone 'abcz', which does not exist"],
    ["'x'.matches('(' + data.name)", 'has a pattern that RE2 cannot read'],
    ['data.items.exists(i, i.weight > 1)', 'field not found: weight'],
    ['data.amount.exists(i, true)', 'type mismatch'],
    ['data.flag && data.other', 'field not found: other'],
    ['data.flag ? data.other : true', 'field not found: other'],
  ])('does not match when it cannot say: %s', (expression, error) => {
    const verdict = test(expression);
    expect(verdict.matches).toBe(false);
    expect(verdict.error).toContain(error);
    expect(verdict.error).not.toBe('');
  });

  it('says why in few words, whatever is in the event', () => {
    const { error } = test('bool(data.name)', { data: { name: 'x'.repeat(100_000) } });
    expect(error).toHaveLength(201);
  });

  it.each<[unknown, string]>([
    ['', 'must be a CEL expression of at most 1000 characters'],
    [' \n', 'must be a CEL expression'],
    [undefined, 'must be a CEL expression'],
    [null, 'must be a CEL expression'],
    [1, 'must be a CEL expression'],
    [{}, 'must be a CEL expression'],
    [`true || ${' '.repeat(1_000)} true`, 'of at most 1000 characters'],
    ['a\0b', 'must not contain the NUL character'],
    ['"\ud800" == "x"', 'must be well-formed Unicode'],
    ['data.amount >', 'is not CEL: it cannot be read from character'],
    [
      'data.amount > 1000 and true',
      "is not CEL: it cannot be read from character 20 on, 'and true'",
    ],
    ['data amount', 'is not CEL'],
    ["data.x == 'a", 'is not CEL'],
    ['if == 1', 'is not CEL'],
    ['(data.x', 'is not CEL: it cannot be read from character'],
    ['datta.amount > 1', "names 'datta', which is none of data, headers, type, topic"],
    ['amount > 1', "names 'amount', which is none of"],
    ['constructor', "names 'constructor'"],
    ['__proto__', "names '__proto__'"],
    ['toString == 1', "names 'toString'"],
    ['data.tags.exists(t, u == 1)', "names 'u'"],
    ['data.tags.exists(t, t == 1) && t == 2', "names 't'"],
    ['Order{total: 1} == data', "makes a 'Order', and a filter makes no messages of protobuf"],
    ['google.protobuf.Value{} == 1', "makes a 'google.protobuf.Value'"],
    ['google.protobuf.Foo == type', "names 'google'"],
    ['data.lower() == 1', "calls 'lower', which is not a function of filters"],
    ['print(data)', "calls 'print', which is not a function"],
    ['constructor(data)', "calls 'constructor', which is not a function"],
    ['data.x.exists(1, true)', "calls 'exists', which is not a function"],
    ['has(data)', "calls 'has', which is not a function"],
    ["data.name.matches('(')", 'has a pattern that RE2 cannot read'],
    [String.raw`data.name.matches(r'(a)\1')`, 'has a pattern that RE2 cannot read'],
    ["data.name.matches('(?=a)')", 'has a pattern that RE2 cannot read'],
    ["data.name.matches('a{400}')", 'has a pattern with more than 300 counted repeats'],
    ["data.name.matches('((a{10}){10}){10}((a{10}){10}){10}')", 'has a pattern that is too large'],
    [
      "time.getHours('Mars/Olympus') < 9",
      "names the time zone 'Mars/Olympus', which does not exist",
    ],
    [
      'data.items.exists(i, i.tags.exists(t, t == 1))',
      'has a macro (all, exists, map, filter) within a macro',
    ],
    ['data.items.map(i, i.tags.filter(t, true))[0] == 1', 'has a macro'],
    ['data.a.all(x, data.b.exists_one(y, x == y))', 'has a macro'],
    [`${'('.repeat(33)}true${')'.repeat(33)}`, 'nests brackets more than 32 deep'],
    ['['.repeat(999), 'nests brackets more than 32 deep'],
    [String.raw`r'\' == ${'('.repeat(100)}'`, 'nests brackets more than 32 deep'],
    [`// ''' \n${'('.repeat(100)} '''`, 'nests brackets more than 32 deep'],
  ])('cannot be %j', (expression, problem) => {
    let thrown: unknown;
    try {
      compileFilter(expression as string, 'match.when');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OptionError);
    expect((thrown as OptionError).path).toBe('match.when');
    expect((thrown as OptionError).problem).toContain(problem);
    expect((thrown as OptionError).problem).not.toContain('\n');
  });

  it('may have brackets in its texts', () => {
    expect(test(`'${'('.repeat(100)}' == data.name || true`)).toEqual({ matches: true });
  });

  it('is compiled once', () => {
    expect(compileFilter('data.once == 1', 'a')).toBe(compileFilter('data.once == 1', 'b'));
    expect(() => compileFilter('once', 'a')).toThrow(/^a names/);
    expect(() => compileFilter('once', 'b')).toThrow(/^b names/);
  });

  describe('sees of the data what is in it, and nothing else', () => {
    it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
      '%s is a field like others',
      (name) => {
        for (const of of ['data', 'headers', 'data.address']) {
          expect(test(`${of}.${name} == null`)).toEqual({
            matches: false,
            error: `field not found: ${name}`,
          });
          expect(test(`has(${of}.${name})`)).toEqual({ matches: false });
          expect(test(`'${name}' in ${of}`)).toEqual({ matches: false });
          expect(test(`${of}['${name}'] == null`).error).toBe(`field not found: ${name}`);
        }
        const data = JSON.parse(`{"${name}": "own"}`) as JsonObject;
        expect(test(`data.${name} == 'own'`, { data })).toEqual({ matches: true });
      },
    );

    it('an object is not what it says it is', () => {
      const data = { a: { $typeName: 'google.protobuf.Int32Value', value: 3 } };
      expect(test('data.a.value == 3 && data.a != 3', { data })).toEqual({ matches: true });
    });

    it('a name with dots is not a variable', () => {
      expect(test('data.a.b == 1', { data: { 'a.b': 1 } }).error).toBe('field not found: a');
    });
  });

  it('reads the clock of a zone whatever the zone of the process is', () => {
    const { TZ } = process.env;
    try {
      for (const zone of ['UTC', 'Europe/Madrid', 'America/New_York', 'Pacific/Apia']) {
        process.env.TZ = zone;
        // In New York 02:30 is skipped on this day, and in Madrid on the 29th.
        const sentAt = Date.parse('2026-03-08T02:30:00Z');
        expect(test('time.getHours() == 2 && time.getMinutes() == 30', { sentAt }).matches).toBe(
          true,
        );
        expect(test("time.getDayOfYear('UTC') == 66", { sentAt }).matches).toBe(true);
        const skipped = Date.parse('2026-03-29T01:00:00Z');
        expect(test("time.getHours('Europe/Madrid') == 3", { sentAt: skipped }).matches).toBe(true);
        const before = Date.parse('2026-03-29T00:59:59Z');
        expect(test("time.getHours('Europe/Madrid') == 1", { sentAt: before }).matches).toBe(true);
        const midsummer = Date.parse('2026-07-14T22:30:00Z');
        expect(
          test("time.getDayOfYear('Europe/Madrid') == 195", { sentAt: midsummer }).matches,
        ).toBe(true);
      }
    } finally {
      if (TZ === undefined) delete process.env.TZ;
      else process.env.TZ = TZ;
    }
  });

  it('leaves the stacks of errors as they were', () => {
    const limit = Error.stackTraceLimit;
    test('data.other > 1');
    expect(Error.stackTraceLimit).toBe(limit);
  });
});

/** Each would take from seconds to ages if it were let. */
describe('a filter whose cost grows', () => {
  const long = 'a'.repeat(100_000);
  const thousand = Array.from({ length: 1_000 }, (_, index) => index);

  it.each([
    ['^(a+)+$'],
    ['^(a|aa)+$'],
    ['^(a|a)*$'],
    ['(a*)*b'],
    ['(.*)(.*)(.*)x$'],
    ['([a-zA-Z]+)*$x'],
  ])('is linear in the text for the pattern %s', (pattern) => {
    const data = { text: `${long}!`, pattern };
    expect(test(`data.text.matches('${pattern}')`, { data })).toEqual({ matches: false });
    expect(test('data.text.matches(data.pattern)', { data })).toEqual({ matches: false });
  });

  it.each<[string, string, JsonObject]>([
    ['lists that double', `[data.list]${'.map(x, x + x)'.repeat(60)}.exists(x, x == [1])`, {}],
    ['texts that double', `[data.text]${'.map(x, x + x)'.repeat(60)}.exists(x, x == "")`, {}],
    [
      'bytes that double',
      `[bytes(data.text)]${'.map(x, x + x)'.repeat(60)}.exists(x, size(x) == 1)`,
      {},
    ],
    [
      'values that hold each other twice',
      `[[1, 1.0]]${'.map(x, [[x[0], x[0]], [x[1], x[1]]])'.repeat(24)}.exists(x, x[0] == x[1])`,
      {},
    ],
    ['a list looked up for each of its items', 'data.list.all(x, x in data.list)', {}],
    ['a text searched for each item', "data.list.exists(x, data.text.contains('b'))", {}],
    ['a text measured for each item', 'data.list.exists(x, size(data.text) == 0)', {}],
    ['digits read for each item', 'data.list.exists(x, int(data.digits) == x)', {}],
    ['a search for what is long', 'data.text.contains(data.digits)', {}],
    ['a pattern for each item', "data.names.exists(x, 'abc'.matches(x + '[a-z]'))", {}],
    ['a zone for each item', 'data.names.exists(x, time.getHours(x) == 1)', {}],
    ['states that explode', "data.text.matches('(a|b)*a(a|b){99}[cd]')", {}],
    ['a macro with much to do', `data.list.exists(x, ${Array(185).fill('x<0').join('||')})`, {}],
  ])('is stopped: %s', (_, expression, more) => {
    const data = {
      list: thousand,
      text: long,
      digits: '7'.repeat(50_000),
      names: thousand.map((index) => `Europe/Nowhere${index}`),
      ...more,
    };
    const { matches, error } = test(expression, { data });
    expect(matches).toBe(false);
    expect(error).toBe('takes more than 500000 steps');
  });

  it('is stopped for good: an error that does not count elsewhere counts here', () => {
    const costly = 'data.list.all(x, x in data.list)';
    for (const expression of [`${costly} || true`, `true || ${costly}`]) {
      const isReached = expression.startsWith('data');
      expect(test(expression, { data: { list: thousand } })).toEqual(
        isReached ? { matches: false, error: 'takes more than 500000 steps' } : { matches: true },
      );
    }
  });

  it('does not stop the one behind it', () => {
    const data = { list: thousand, n: 1 };
    expect(test('data.list.all(x, x in data.list)', { data }).error).toContain('steps');
    expect(test('data.n == 1', { data })).toEqual({ matches: true });
  });

  it.each([
    'data.list.map(x, x + 1).size() == 1000',
    'data.list.filter(x, x % 2 == 0).size() == 500',
    'data.list.map(x, x % 2 == 0, x * 2)[499] == 1996',
    'data.list.map(x, x).map(x, x).filter(x, x > 998).exists_one(x, x == 999)',
    'data.list.map(x, x) == data.list',
    "data.text.size() == 100000 && data.text.contains('aaaa') && data.text == data.text",
    "data.text.matches('^a+$')",
    'data.few.all(x, x in data.few)',
  ])('goes on within its steps: %s', (expression) => {
    const data = { list: thousand, text: long, few: thousand.slice(0, 300) };
    expect(test(expression, { data })).toEqual({ matches: true });
  });

  it('does not mix what two macros collect', () => {
    expect(
      test('data.l.map(x, x + 1) + data.l.map(x, x + 2) == [2, 3, 3, 4]', { data: { l: [1, 2] } }),
    ).toEqual({ matches: true });
    const expression = 'data.l.filter(x, x > 1).size() == 1';
    for (let time = 0; time < 3; time += 1) {
      expect(test(expression, { data: { l: [1, 2] } })).toEqual({ matches: true });
    }
  });

  it('forgets what a pattern has met, and goes on', () => {
    for (let time = 0; time < 45; time += 1) {
      expect(test("data.text.matches('[bc]')", { data: { text: long } })).toEqual({
        matches: false,
      });
    }
  });
});
