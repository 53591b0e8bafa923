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
    ['a union with null', { anyOf: [{ type: 'string' }, { type: 'null' }] }],
    ['a union with numbers', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    ['choices of one text', { enum: [1, '1'] }],
    ['a choice without text', { enum: [' ', 1] }],
  ])('have JSON for %s, which text does not tell apart', (_, schema) => {
    const [field] = fieldsOf({ properties: { a: schema } });
    expect(field).toMatchObject({ writing: 'json', choices: [] });
  });

  it('have text for texts of several kinds, and for one that may be empty', () => {
    const email = { type: 'string', format: 'email' };
    const fields = fieldsOf({
      properties: {
        a: { anyOf: [email, { type: 'string' }] },
        b: { type: 'string', enum: ['', 'b'] },
      },
    });
    expect(fields.map(({ writing }) => writing)).toEqual(['line', 'text']);
  });

  it('have nothing in them that every object has', () => {
    const [field] = fieldsOf({ properties: { constructor: { type: 'string' } } }, {});
    expect(field).toMatchObject({ name: 'constructor', writing: 'text', initial: '' });
    const [, other] = fieldsOf({ properties: { a: {} } }, { toString: 'x' });
    expect(other).toMatchObject({ name: 'toString', writing: 'json', initial: '"x"' });
  });

  it.each([
    [{ to: 'ada@example.org', count: 1, urgent: true }],
    [{ to: ['ada@example.org'], count: 'not a number', urgent: null, unknown: { a: 1 } }],
    [{ to: 'a', subject: 'two\nlines', text: '', lane: 'unheard of', more: { a: [1] } }],
    [{ to: '', text: 'two\nlines', lane: 'slow' }],
    [{ to: 'a', text: 'two\r\nlines' }],
    [{ to: 'a', constructor: 1, toString: 'x' }],
  ])('show data of any kind so that it is read as it was: %o', (data) => {
    const fields = fieldsOf(SCHEMA, data);
    const texts = Object.fromEntries(fields.map(({ name, initial }) => [name, initial]));
    expect(dataIn(fields, written(texts))).toEqual(data);
  });
});
