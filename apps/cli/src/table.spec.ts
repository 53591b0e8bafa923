import { expect, it } from 'vitest';
import { fitted, harmless, tabbed, textOf, type Columns } from './table.js';

const COLUMNS: Columns<{ name: string; n?: number }> = [
  ['name', ({ name }) => name],
  ['n', ({ n }) => n],
];

it('takes room from the widest column, and no more than there is', () => {
  const items = [{ name: 'a'.repeat(40), n: 1 }, { name: 'b' }];
  expect(fitted(COLUMNS, items, 20)).toEqual([
    'name               n',
    `${'a'.repeat(16)}…  1`,
    'b                  -',
  ]);
  expect(fitted(COLUMNS, items, 80)[1]).toBe(`${'a'.repeat(40)}  1`);
});

it('cuts no column that is whole, whatever room there is', () => {
  const whole: typeof COLUMNS = [
    ['id', ({ name }) => name, 'whole'],
    ['text', ({ n }) => String(n).repeat(10)],
  ];
  const items = [{ name: 'a'.repeat(20), n: 1 }];
  expect(fitted(whole, items, 28)[1]).toBe(`${'a'.repeat(20)}  11111…`);
  expect(fitted(whole, items, 5)[1]).toBe(`${'a'.repeat(20)}  111…`);
});

it('counts the room of wide characters, and cuts none in two', () => {
  const [, wide, mark] = fitted(
    COLUMNS,
    [
      { name: '漢字漢字漢字漢字', n: 1 },
      { name: '👩‍👩‍👧x', n: 2 },
    ],
    14,
  );
  expect(wide).toBe('漢字漢字漢…  1');
  expect(mark).toBe('👩‍👩‍👧x          2');
});

it('shows what others wrote as text, never as commands of a terminal', () => {
  const evil = 'a\u001b]0;title\u0007\r\nb\u202ec\u009b31m';
  expect(textOf(evil)).toBe('a\ufffd]0;title\ufffd\ufffd␤b\ufffdc\ufffd31m');
  expect(harmless('a\nb')).toBe('a\nb');
  expect(tabbed(COLUMNS, [{ name: 'a\tb' }])[1]).toBe('a\ufffdb\t-');
});
