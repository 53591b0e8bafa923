import { Message } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { jsonSchemaOf } from './message.json.schema.js';

it('is that of the data as sent', () => {
  class Count extends Message('counter.count', z.object({ by: z.string().transform(Number) })) {}
  expect(jsonSchemaOf(Count)).toMatchObject({ properties: { by: { type: 'string' } } });
});

it.each([
  [
    'offers none',
    { version: 1, vendor: 'plain', validate: (value: unknown) => ({ value: value as object }) },
  ],
  ['cannot express it', z.object({ when: z.date() })['~standard']],
] as const)('is absent when the schema %s', (_, standard) => {
  class Other extends Message('counter.other', { '~standard': standard }) {}
  expect(jsonSchemaOf(Other)).toBeUndefined();
});
