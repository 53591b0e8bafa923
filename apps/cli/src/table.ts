import stringWidth from 'string-width';

/**
 * Columns of a table: the title of each, and what it shows of an entry. One that is `whole` is never cut: what it shows is typed, or
 * copied, into the next command.
 */
export type Columns<T> = readonly (readonly [
  title: string,
  cell: (item: T) => unknown,
  whole?: 'whole',
])[];

const GAP = '  ';
/** A column is cut to no less. */
const NARROWEST = 4;

/** Rows of text, with tabs between, as programs read them: whole, the titles first. */
export function tabbed<T>(columns: Columns<T>, items: readonly T[]): string[] {
  return textsOf(columns, items).map((row) => row.join('\t'));
}

/** Rows of text, below one another, in lines of `width` characters, if what is whole leaves room: what is too long is cut. */
export function fitted<T>(columns: Columns<T>, items: readonly T[], width: number): string[] {
  const rows = textsOf(columns, items);
  const widths = fit(
    columns.map(([, , whole], index) => ({
      width: Math.max(...rows.map((row) => stringWidth(row[index] ?? ''))),
      isWhole: whole !== undefined,
    })),
    width,
  );
  return rows.map((row) =>
    row
      .map((text, index) => padded(cut(text, widths[index] ?? 0), widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** What a cell shows; what would move the cursor of a terminal is shown as a mark. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value as string);
  return text === '' ? '-' : harmless(text).replaceAll('\n', '␤');
}

/** Text of others, without what a terminal would take for commands. */
export function harmless(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function textsOf<T>(columns: Columns<T>, items: readonly T[]): string[][] {
  return [
    columns.map(([title]) => title),
    ...items.map((item) => columns.map(([, cell]) => textOf(cell(item)))),
  ];
}

/** Takes from the widest of those that may be cut until all have room. */
function fit(columns: readonly { width: number; isWhole: boolean }[], width: number): number[] {
  const widths = columns.map((column) => column.width);
  const room = width - GAP.length * (widths.length - 1);
  let over = widths.reduce((sum, each) => sum + each, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths.filter((_, index) => !columns[index]?.isWhole));
    if (widest <= NARROWEST) break;
    widths[widths.findIndex((each, index) => each === widest && !columns[index]?.isWhole)] =
      widest - 1;
    over--;
  }
  return widths;
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
