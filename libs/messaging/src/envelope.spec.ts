import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fingerprintOf, generateId, storageId, storageIds } from './envelope.js';

const HASHED = /^h-[0-9a-f]{40}$/;

describe('generateId', () => {
  it('names the actor and is fit for every store', () => {
    expect(generateId('email')).toMatch(/^email-[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('sorts in the order made, even within a millisecond', () => {
    const ids = Array.from({ length: 1_000 }, () => generateId('a'));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(1_000);
  });

  it('has a random part that does not come again', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const ids = Array.from({ length: 1_000 }, () => {
      vi.advanceTimersByTime(1);
      return generateId('a').slice(-16);
    });
    expect(new Set(ids).size).toBe(1_000);
    // Each of its characters takes each value.
    for (let place = 0; place < 16; place++) {
      expect(new Set(ids.map((id) => id[place])).size).toBe(32);
    }
  });
});

describe('storageId', () => {
  it('of a generated id is the id itself', () => {
    const id = generateId('email');
    expect(storageId({ id })).toBe(id);
    expect(storageIds(id)).toContain(id);
  });

  it.each(['meta', 'delayed', 'repeat:x', 'a b', '💣', '__proto__', 'x'.repeat(200), 'a:b'])(
    "of a sender's id %j is a hash, always the same one",
    (id) => {
      const stored = storageId({ id, fingerprint: 'f' });
      expect(stored).toMatch(HASHED);
      expect(stored).toBe(storageId({ id, fingerprint: 'g' }));
      expect(storageIds(id)).toEqual([stored]);
    },
  );

  it("of a sender's id that is a number is a hash too, looked for before the job of another producer", () => {
    const stored = storageId({ id: '12', fingerprint: 'f' });
    expect(stored).toMatch(HASHED);
    expect(storageIds('12')).toEqual([stored, '12']);
  });

  it("of a sender's id that looks generated is a hash too: nobody can take another's place", () => {
    const id = generateId('email');
    const stored = storageId({ id, fingerprint: 'f' });
    expect(stored).toMatch(HASHED);
    expect(storageIds(id)).toEqual([id, stored]);
  });

  it('differs for ids that differ', () => {
    const ids = ['a', 'A', 'a ', ' a', 'á', 'a\u0301'];
    expect(new Set(ids.map((id) => storageId({ id, fingerprint: '' }))).size).toBe(ids.length);
  });

  it('finds occurrences of schedules under their own name, and nothing else that begins so', () => {
    expect(storageIds('repeat:heartbeat.beat:1700000000000')[0]).toBe(
      'repeat:heartbeat.beat:1700000000000',
    );
    for (const id of ['repeat:', 'repeat:heartbeat.beat', 'repeat:a.b:1:processed', 'repeat:x:y']) {
      expect(storageIds(id)).toHaveLength(1);
      expect(storageIds(id)[0]).toMatch(HASHED);
    }
  });
});

describe('fingerprintOf', () => {
  const body = {
    type: 'a.b',
    version: 1,
    data: { x: 1, y: { z: [1, 2, { k: null }] } },
    priority: 100,
    delay: undefined,
  };

  it('does not depend on the order of keys, nor on absent ones', () => {
    const same = {
      priority: 100,
      data: { y: { z: [1, 2, { k: null }] }, x: 1 },
      version: 1,
      type: 'a.b',
    };
    expect(fingerprintOf(same)).toBe(fingerprintOf(body));
    expect(fingerprintOf(body)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each<[string, object]>([
    ['type', { type: 'a.c' }],
    ['version', { version: 2 }],
    ['priority', { priority: 1 }],
    ['delay', { delay: 5 }],
    ['a value', { data: { x: 2, y: { z: [1, 2, { k: null }] } } }],
    ['the kind of a value', { data: { x: '1', y: { z: [1, 2, { k: null }] } } }],
    ['the order of a list', { data: { x: 1, y: { z: [2, 1, { k: null }] } } }],
    ['null for absent', { data: { x: 1, y: { z: [1, 2, {}] } } }],
    ['a key', { data: { X: 1, y: { z: [1, 2, { k: null }] } } }],
    ['where a value is', { data: { x: 1, z: [1, 2, { k: null }], y: {} } }],
  ])('differs by %s', (_, change) => {
    expect(fingerprintOf({ ...body, ...change })).not.toBe(fingerprintOf(body));
  });

  it('cannot be forged with keys that look like syntax', () => {
    expect(fingerprintOf({ 'a":1,"b': 2 })).not.toBe(fingerprintOf({ a: 1, b: 2 }));
    expect(fingerprintOf({ a: '1,"b":2' })).not.toBe(fingerprintOf({ a: 1, b: 2 }));
    expect(fingerprintOf([[1], 2])).not.toBe(fingerprintOf([1, [2]]));
  });
});
