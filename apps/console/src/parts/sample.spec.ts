import { expect, it } from 'vitest';
import { sampleOf } from './sample.js';

it('is what a schema requires, empty, and what it says is usual', () => {
  expect(
    sampleOf({
      type: 'object',
      required: ['to', 'count', 'kind', 'urgent', 'inner', 'list', 'either', 'usual', 'fixed'],
      properties: {
        to: { type: 'string' },
        count: { type: 'integer' },
        kind: { enum: ['a', 'b'] },
        urgent: { type: 'boolean' },
        inner: { type: 'object', required: ['x'], properties: { x: { type: 'number' } } },
        list: { type: 'array' },
        either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        usual: { type: 'string', default: 'eu' },
        fixed: { const: 1 },
        left: { type: 'string' },
      },
    }),
  ).toEqual({
    to: '',
    count: 0,
    kind: 'a',
    urgent: false,
    inner: { x: 0 },
    list: [],
    either: '',
    usual: 'eu',
    fixed: 1,
  });
  expect(sampleOf(undefined)).toEqual({});
});
