import { OptionError } from '../messaging.errors.js';

const WORD = /^[A-Za-z0-9_-]{1,64}$/;
const MOST_WORDS = 10;
const LONGEST = 200;

/** `orders.eu.created`: 1 to 10 words with dots between. @throws OptionError */
export function checkedTopic(topic: unknown, path: string): string {
  if (isMadeOf(topic, (word) => WORD.test(word))) return topic;
  throw new OptionError(
    path,
    `must be a topic: 1 to ${MOST_WORDS} words of letters, digits, _ and -, with dots between, at most ${LONGEST} characters`,
  );
}

/** A topic in which `*` stands for one word and `**` for any number of words, none too. @throws OptionError */
export function checkedPattern(pattern: unknown, path: string): string {
  if (isMadeOf(pattern, (word) => word === '*' || word === '**' || WORD.test(word))) return pattern;
  throw new OptionError(
    path,
    `must be a topic pattern: 1 to ${MOST_WORDS} words, '*' for any one or '**' for any number, with dots between, at most ${LONGEST} characters`,
  );
}

function isMadeOf(text: unknown, isPart: (word: string) => boolean): text is string {
  if (typeof text !== 'string' || text.length > LONGEST) return false;
  const words = text.split('.');
  return words.length <= MOST_WORDS && words.every(isPart);
}

interface Node<T> {
  readonly words: Map<string, Node<T>>;
  /** Behind `*`. */
  one?: Node<T>;
  /** Behind `**`: it stays where it is at every word. */
  any?: Node<T>;
  readonly isAny: boolean;
  readonly values: T[];
}

/** Patterns with values. Finds those that a topic fits without looking at the others. */
export class TopicTrie<T> {
  private readonly root: Node<T> = empty(false);

  add(pattern: string, value: T): void {
    let node = this.root;
    for (const word of pattern.split('.')) node = child(node, word);
    node.values.push(value);
  }

  /** The values of all patterns that this topic fits, in no order. */
  match(topic: string): T[] {
    // All places at once, each of them once: many `**` make no more work than there are nodes, at each word.
    let places = new Set<Node<T>>();
    enter(this.root, places);
    for (const word of topic.split('.')) {
      const next = new Set<Node<T>>();
      for (const place of places) {
        if (place.isAny) enter(place, next);
        enter(place.words.get(word), next);
        enter(place.one, next);
      }
      places = next;
    }
    return [...places].flatMap(({ values }) => values);
  }
}

function empty<T>(isAny: boolean): Node<T> {
  return { words: new Map(), isAny, values: [] };
}

function child<T>(node: Node<T>, word: string): Node<T> {
  if (word === '*') return (node.one ??= empty(false));
  if (word === '**') return (node.any ??= empty(true));
  let next = node.words.get(word);
  if (!next) node.words.set(word, (next = empty(false)));
  return next;
}

/** A node, and what is behind its `**` when that stands for no word. */
function enter<T>(node: Node<T> | undefined, places: Set<Node<T>>): void {
  for (let at = node; at && !places.has(at); at = at.any) places.add(at);
}
