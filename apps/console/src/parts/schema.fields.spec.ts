import { describe, expect, it } from 'vitest';
import { dataIn, fieldsOf } from './schema.fields.js';

const SCHEMA = {
  type: 'object',
  required: ['to', 'count', 'urgent'],
  properties: {
    to: { anyOf: [{ type: 'string', format: 'email' }, { type: 'array' }] },
    subject: { type: 'string', maxLength: 100, minLength: 1, description: 'one line' },
    text: { type: 'string' },
    count: { type: 'integer' },
    urgent: { type: 'boolean' },
    lane: { enum: ['fast', 'slow'], default: 'fast' },
    more: { type: 'object' },
  },
};

function written(values: Record<string, string>): (name: string) => string {
  return (name) => values[name] ?? '';
}

describe('fields of a schema', () => {
  it('are written as their type says', () => {
    const fields = fieldsOf(SCHEMA);
    expect(fields.map(({ name, writing, required }) => [name, writing, required])).toEqual([
      ['to', 'line', true],
      ['subject', 'line', false],
      ['text', 'text', false],
      ['count', 'number', true],
      ['urgent', 'choice', true],
      ['lane', 'choice', false],
      ['more', 'json', false],
    ]);
    expect(fields[1]).toMatchObject({ description: 'one line', mustBeFilled: false, initial: '' });
    expect(fields[3]).toMatchObject({ mustBeFilled: true });
    expect(fields[5]).toMatchObject({ choices: ['fast', 'slow'], fallback: '"fast"' });
  });

  it.each([[undefined], [{}], [{ type: 'object' }], [{ anyOf: [SCHEMA, SCHEMA] }]])(
    'are none for %o',
    (schema) => {
      expect(fieldsOf(schema)).toEqual([]);
    },
  );

  it('leave out what is empty and not required', () => {
    const texts = { to: '', text: ' kept as it is ', count: '3', urgent: 'false', lane: '' };
    expect(dataIn(fieldsOf(SCHEMA), written(texts))).toEqual({
      ...{ to: '', text: ' kept as it is ', count: 3, urgent: false },
    });
  });

  it('say which of them is no JSON', () => {
    const read = (): unknown => dataIn(fieldsOf(SCHEMA), written({ more: '{' }));
    expect(read).toThrow(/^more: /);
  });

  it.each([
    [{ to: 'ada@example.org', count: 1, urgent: true }],
    [{ to: ['ada@example.org'], count: 'not a number', urgent: null, unknown: { a: 1 } }],
    [{ to: 'a', subject: 'two\nlines', text: '', lane: 'unheard of', more: { a: [1] } }],
    [{ to: '', text: 'two\nlines', lane: 'slow' }],
  ])('show data of any kind so that it is read as it was: %o', (data) => {
    const fields = fieldsOf(SCHEMA, data);
    const texts = Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
    expect(dataIn(fields, written(texts))).toEqual(data);
  });
});
