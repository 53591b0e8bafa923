import type { MessageRegistry } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import type { Principal } from '../access/principal.js';
import { unknownActor } from './known.actor.js';

const names = Array.from({ length: 22 }, (_, n) => `a${n}`);
const registry = { actors: () => names } as unknown as MessageRegistry;
const viewer: Principal = { id: 'api-key:ak_1', name: 'Ada', role: 'viewer' };

it('names the actors there are to whom may see them, and to nobody else', () => {
  expect(unknownActor(registry, 'b', viewer)).toBe(
    `'b' is not known; known are ${names.slice(0, 20).join(', ')}, and 2 more; see /v1/actors`,
  );
  for (const less of [{ permissions: ['messages:read'] as const }, { tenant: 'acme' }]) {
    expect(unknownActor(registry, 'b', { ...viewer, ...less })).toBe("'b' is not known");
  }
});
