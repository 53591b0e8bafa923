import fc from 'fast-check';

const text = fc.string({ unit: 'grapheme' }).map((drawn) => drawn.replaceAll('\0', ''));
const key = fc
  .oneof(text, fc.constantFrom('.', '\\', 'a.b', 'a\\.b', '', '0', 'toString', 'values', 'v'))
  .filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name));
const leaf = fc.oneof(
  text,
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
);

/** Whatever may be carried, without -0, which becomes 0. */
export const { carriable } = fc.letrec<{ carriable: unknown }>((tie) => ({
  carriable: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('carriable'), { maxLength: 4 }),
    fc.dictionary(key, tie('carriable'), { maxKeys: 4, noNullPrototype: true }),
    fc
      .array(fc.tuple(tie('carriable'), tie('carriable')), { maxLength: 3 })
      .map((all) => new Map(all)),
    fc.array(tie('carriable'), { maxLength: 3 }).map((all) => new Set(all)),
  ),
}));
