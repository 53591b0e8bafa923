import { Message, type MessageClass } from '@callsheet/messaging';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { jobDataSchemaOf } from './job.data.schema.js';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

interface Tree {
  children: Tree[];
}
const tree: z.ZodType<Tree, Tree> = z.object({ children: z.array(z.lazy(() => tree)) });

class Plant extends Message('forest.plant', tree) {}
class Fell extends Message('forest.fell', z.strictObject({ id: z.string() })) {}
class Burn extends Message('forest.burn', z.object({ at: z.date() })) {}

function schemaOf(...messages: unknown[]) {
  return jobDataSchemaOf(messages as MessageClass[]);
}

it('of one message is that of its data, with its type as title', () => {
  expect(schemaOf(Fell)).toEqual({
    $schema: DRAFT,
    title: 'forest.fell',
    type: 'object',
    properties: { id: { type: 'string' } },
    required: ['id'],
    additionalProperties: false,
  });
});

it('of several is any of theirs, and of one that JSON cannot say anything', () => {
  const { $schema: _, ...fell } = schemaOf(Fell)!;
  expect(schemaOf(Plant, Fell, Burn)).toEqual({
    $schema: DRAFT,
    anyOf: [
      expect.objectContaining({ title: 'forest.plant', type: 'object' }),
      fell,
      { title: 'forest.burn', type: 'object' },
    ],
  });
});

it('refers to itself where it stands', () => {
  expect(schemaOf(Plant)).toMatchObject({
    properties: { children: { items: { $ref: '#' } } },
  });
  expect(schemaOf(Fell, Plant)).toMatchObject({
    anyOf: [{}, { properties: { children: { items: { $ref: '#/anyOf/1' } } } }],
  });
});

it('is absent when no message has one', () => {
  expect(schemaOf(Burn)).toBeUndefined();
  expect(schemaOf()).toBeUndefined();
});
