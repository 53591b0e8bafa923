import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OptionError } from '../messaging.errors.js';
import { TopicTrie, checkedPattern, checkedTopic } from './topic.js';

/** Whether a topic fits a pattern, by trying everything. */
function fits(pattern: readonly string[], topic: readonly string[]): boolean {
  const [part, ...parts] = pattern;
  if (part === undefined) return topic.length === 0;
  if (part === '**' && fits(parts, topic)) return true;
  const [word, ...words] = topic;
  if (word === undefined) return false;
  if (part === '**') return fits(pattern, words);
  return (part === '*' || part === word) && fits(parts, words);
}

const WORD_64 = 'x'.repeat(64);

describe('a topic', () => {
  it.each([
    'orders',
    'orders.eu.created',
    'a-b_C.0',
    WORD_64,
    '1.2.3.4.5.6.7.8.9.10',
    '-._',
    'constructor.__proto__',
  ])('may be %s', (topic) => {
    expect(checkedTopic(topic, 'topic')).toBe(topic);
  });

  it.each<[unknown]>([
    [''],
    ['.'],
    ['a.'],
    ['.a'],
    ['a..b'],
    ['a b'],
    ['a.é'],
    ['a.*'],
    ['**'],
    ['a/b'],
    ['a\n'],
    [`${WORD_64}x`],
    ['1.2.3.4.5.6.7.8.9.10.11'],
    [[WORD_64, WORD_64, WORD_64, 'abcdef'].join('.')],
    [undefined],
    [null],
    [1],
    [['a']],
    [{}],
  ])('cannot be %j', (topic) => {
    expect(() => checkedTopic(topic, 'x.topic')).toThrow(OptionError);
    expect(() => checkedTopic(topic, 'x.topic')).toThrow(
      /^x\.topic must be a topic: 1 to 10 words/,
    );
  });

  it('may have 200 characters', () => {
    const topic = [WORD_64, WORD_64, WORD_64, 'abcde'].join('.');
    expect(topic).toHaveLength(200);
    expect(checkedTopic(topic, 'topic')).toBe(topic);
  });
});

describe('a pattern', () => {
  it.each(['orders', '*', '**', 'orders.*.created', '**.created', '*.**.*', '**.**.**'])(
    'may be %s',
    (pattern) => {
      expect(checkedPattern(pattern, 'topic')).toBe(pattern);
    },
  );

  it.each<[unknown]>([
    [''],
    ['***'],
    ['a*'],
    ['a.*b'],
    ['a.'],
    ['**.'],
    ['#'],
    ['*.*.*.*.*.*.*.*.*.*.*'],
    [undefined],
    [7],
  ])('cannot be %j', (pattern) => {
    expect(() => checkedPattern(pattern, 'match.topic')).toThrow(OptionError);
    expect(() => checkedPattern(pattern, 'match.topic')).toThrow(
      /^match\.topic must be a topic pattern: /,
    );
  });
});

describe('a trie of topics', () => {
  it.each<[string, string, boolean]>([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a.b', false],
    ['a.b', 'a', false],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['*.b', 'a.b', true],
    ['a.*', 'a', false],
    ['**', 'a', true],
    ['**', 'a.b.c', true],
    ['a.**', 'a', true],
    ['a.**', 'a.b.c', true],
    ['a.**', 'b.a', false],
    ['**.c', 'c', true],
    ['**.c', 'a.b.c', true],
    ['**.c', 'a.c.b', false],
    ['a.**.c', 'a.c', true],
    ['a.**.c', 'a.b.b.c', true],
    ['a.**.c', 'a.b', false],
    ['**.*', 'a', true],
    ['*.**.*', 'a', false],
    ['*.**.*', 'a.b', true],
    ['**.**', 'a', true],
    ['**.b.**', 'a.b.c', true],
    ['**.b.**', 'a.c', false],
    ['**.b.**.b', 'a.b.c.b', true],
    ['**.b.**.b', 'a.b.c', false],
    ['constructor', 'constructor', true],
    ['a', '__proto__', false],
  ])('%s, given %s: %s', (pattern, topic, expected) => {
    const trie = new TopicTrie<string>();
    trie.add(pattern, pattern);
    expect(trie.match(topic)).toEqual(expected ? [pattern] : []);
    expect(fits(pattern.split('.'), topic.split('.'))).toBe(expected);
  });

  it('has as many values at a pattern as were added, and finds each once', () => {
    const trie = new TopicTrie<number>();
    for (const [value, pattern] of ['a.**', 'a.**', '**.**', 'a.*', '**.a.**', 'b'].entries()) {
      trie.add(pattern, value);
    }
    expect(trie.match('a.b').sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it('finds what trying everything finds', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const part = fc.constantFrom('a', 'b', 'c', '*', '**', '**');
    const pattern = fc.array(part, { minLength: 1, maxLength: 10 });
    const topic = fc.array(word, { minLength: 1, maxLength: 10 });
    const all = fc.record({
      patterns: fc.array(pattern, { minLength: 1, maxLength: 30 }),
      topics: fc.array(topic, { minLength: 1, maxLength: 10 }),
    });
    // What fails is printed with its seed.
    fc.assert(
      fc.property(all, ({ patterns, topics }) => {
        const trie = new TopicTrie<number>();
        for (const [index, parts] of patterns.entries()) trie.add(parts.join('.'), index);
        for (const words of topics) {
          const expected = [...patterns.keys()].filter((index) =>
            fits(patterns[index] as string[], words),
          );
          expect(trie.match(words.join('.')).sort((a, b) => a - b)).toEqual(expected);
        }
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);

  it('is not slowed down by many **: a place is looked at once per word', () => {
    const trie = new TopicTrie<string>();
    const pattern = '**.a.**.a.**.a.**.a.**.b';
    trie.add(pattern, pattern);
    const topic = Array.from({ length: 60_000 }, () => 'a').join('.');
    expect(trie.match(topic)).toEqual([]);
    expect(trie.match(`${topic}.b`)).toEqual([pattern]);
  });
});
