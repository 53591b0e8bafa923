import { Cron } from 'croner';
import { RecentlyUsed } from './recently.used.js';
import type { WallTimes } from './wall.js';
import { LATEST } from './zone.js';

/** A canonical pattern as croner takes it; with `fromEnd`, only days that many before the last of their month count. */
interface Part {
  readonly cron: Cron;
  readonly fromEnd?: number;
}

const SECOND = 1_000;
const DAY = 86_400_000;

/** A parsed pattern of croner holds a table of 10,000 years, 80 KB: this is at most 16 MB. Parsing takes about 0.1 ms. */
const compiled = new RecentlyUsed<string, readonly WallTimes[]>(200);

/** The times of one canonical pattern (see cron.dialect.ts), as a union: a part for each thing that croner cannot say with others. */
export function cronTimes(pattern: string): readonly WallTimes[] {
  const known = compiled.get(pattern);
  if (known) return known;
  const repeating = isRepeating(pattern);
  const times = partsOf(pattern).map((part) => new CronTimes(part, repeating));
  compiled.set(pattern, times);
  return times;
}

/** Whether second, minute or hour say "every": with `*` or a step. Then changes of the clocks do not stop the rhythm. */
function isRepeating(pattern: string): boolean {
  const fields = pattern.split(' ');
  return fields.slice(0, fields.length - 3).some((field) => /[*/]/.test(field));
}

function partsOf(pattern: string): Part[] {
  const fields = pattern.split(' ');
  const [day = '*', month = '*', weekday = '*'] = fields.slice(-3);
  const time = fields.slice(0, -3).join(' ');
  const alternatives = weekday !== '*' && !weekday.startsWith('+');
  const terms = day.split(',');
  const special = terms.filter((term) => term === 'LW' || /^L-\d+$/.test(term));
  const plain = terms.filter((term) => !special.includes(term));
  const parts: Part[] = [];
  const add = (days: string, weekdays: string, fromEnd?: number) => {
    const cron = new Cron(croners(`${time} ${days} ${month} ${weekdays}`), { utcOffset: 0 });
    parts.push({ cron, ...(fromEnd !== undefined && { fromEnd }) });
  };
  if (plain.length > 0) add(plain.join(','), weekday);
  else if (alternatives) add('*', weekday);
  for (const term of special) {
    const demanded = alternatives ? '*' : weekday;
    if (term === 'LW') add(term, demanded);
    else {
      const fromEnd = Number(term.slice(2));
      add(`${Math.max(1, 28 - fromEnd)}-${31 - fromEnd}`, demanded, fromEnd);
    }
  }
  return parts;
}

const LOWEST = [0, 0, 0, 1, 1, 0];
const HIGHEST = [59, 59, 23, 31, 12, 6];

/** Ranges that run backwards, and steps in ranges, become lists: croner refuses the former, and steps longer than the range. */
function croners(pattern: string): string {
  const fields = pattern.split(' ').map((field, index) => {
    const [lowest = 0, highest = 0] = [LOWEST[index], HIGHEST[index]];
    const size = highest - lowest + 1;
    return field
      .split(',')
      .map((term) => {
        const match = /^(\+?)(\d+)-(\d+)(?:\/(\d+))?$/.exec(term);
        if (!match) return term;
        const [first, last, step] = [Number(match[2]), Number(match[3]), Number(match[4] ?? 1)];
        if (step === 1 && first < last) return term.replace(/\/1$/, '');
        const end = first <= last ? last : last + size;
        const values: number[] = [];
        for (let value = first; value <= end; value += step) {
          values.push(lowest + ((value - lowest) % size));
        }
        return `${match[1]}${values.join(',')}`;
      })
      .join(',');
  });
  return fields.join(' ');
}

/** Croner on a clock without zone: dst.ts turns its times into instants, by more rules than croner has. */
class CronTimes implements WallTimes {
  constructor(
    private readonly part: Part,
    readonly repeating: boolean,
  ) {}

  next(wall: number): number | undefined {
    let from = Math.floor(wall / SECOND) * SECOND;
    for (;;) {
      const found = this.part.cron.nextRun(new Date(from))?.getTime();
      if (found === undefined || found >= LATEST) return undefined;
      if (this.counts(found)) return found;
      from = Math.floor(found / DAY) * DAY + DAY - SECOND;
    }
  }

  previous(wall: number): number | undefined {
    let from = Math.ceil(wall / SECOND) * SECOND;
    for (;;) {
      const found = this.part.cron.previousRuns(1, new Date(from))[0]?.getTime();
      if (found === undefined || found < 0) return undefined;
      if (this.counts(found)) return found;
      from = Math.floor(found / DAY) * DAY;
    }
  }

  private counts(wall: number): boolean {
    const { fromEnd } = this.part;
    if (fromEnd === undefined) return true;
    const day = new Date(wall);
    const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();
    return last - day.getUTCDate() === fromEnd;
  }
}
