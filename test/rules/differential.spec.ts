import { checkRule, nextOccurrence } from '@callsheet/scheduler';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { describe, expect, it } from 'vitest';
import { EXPRESSIONS, SECONDS, YEARS, ZONES } from './corpus.js';
import { Clock, Pattern } from './oracle.js';
import { WHOLE } from './whole.js';

const HOUR = 3_600_000;
const AROUND = 26 * HOUR;
const zones = WHOLE ? ZONES : (['America/New_York'] as const);
const years = WHOLE ? YEARS : { first: 2026, last: 2026 };

function chain(next: (after: number) => number | undefined, from: number, to: number): number[] {
  const found: number[] = [];
  let at = next(from);
  while (at !== undefined && at < to) {
    found.push(at);
    const following = next(at);
    if (following !== undefined && following <= at) throw new Error('goes back in time');
    at = following;
  }
  return found;
}

/** Where an instant lies about a change of the clocks. */
function placeOf(instant: number, change: number, clock: Clock): string {
  const size = clock.wall(change) - clock.wall(change - 1) - 1;
  if (size > 0) {
    if (instant === change) return 'end of the gap';
    return instant > change && instant < change + size
      ? 'within the length of the gap after it'
      : 'elsewhere';
  }
  if (instant >= change + size && instant < change) return 'first pass';
  return instant >= change && instant < change - size ? 'second pass' : 'elsewhere';
}

describe('croner, with zones of its own', () => {
  it('says the same by its rule no-wildcard', { timeout: 3_600_000 }, () => {
    const wrong: string[] = [];
    let tried = 0;
    let cases = 0;
    let refused = 0;
    for (const zone of zones) {
      const clock = new Clock(zone);
      for (const change of clock.changes(years.first, years.last)) {
        for (const text of [...EXPRESSIONS, ...SECONDS]) {
          const around = text.split(' ').length === 6 ? HOUR : AROUND;
          let cron: Cron;
          try {
            cron = new Cron(text, { timezone: zone, fixedTimeRule: 'no-wildcard' });
          } catch {
            refused++;
            continue;
          }
          if (!WHOLE && tried++ % 6 > 0) continue;
          cases++;
          const rule = checkRule({ cron: text, tz: zone }, 'rule', 'seed');
          const ours = chain(
            (after) => nextOccurrence(rule, after),
            change - around,
            change + around,
          );
          const theirs = chain(
            (after) => cron.nextRun(new Date(after))?.getTime(),
            change - around,
            change + around,
          );
          if (ours.join() !== theirs.join())
            wrong.push(`${text} in ${zone} at ${new Date(change).toISOString()}`);
        }
      }
    }
    process.stdout.write(
      `croner: ${cases} cases (${refused} refused by it: reversed ranges, L-n, 7/20, 6L), ${wrong.length} differ\n`,
    );
    expect(wrong).toEqual([]);
  });
});

/** It takes seconds to give up on a pattern in some zones: these, of one year, show each way in which it differs. */
const parserZones = WHOLE
  ? [
      'America/New_York',
      'Europe/London',
      'America/Havana',
      'America/Santiago',
      'Australia/Lord_Howe',
    ]
  : ['America/New_York'];

/** What cron-parser 5.10 says that we do not, and the other way round, by the place about a change of clocks. Anything else fails. */
const CRON_PARSER: ReadonlySet<string> = new Set([
  'refuses it',
  // Patterns that leave the first hours to Lord Howe's half an hour.
  "throws 'Invalid expression, loop limit exceeded'",
  // It moves them by the length of the gap (02:30 to 03:30) or, where there are several hours, leaves them out.
  'fixed: only ours, end of the gap',
  'fixed: only its, within the length of the gap after it',
  // It runs at the end of a gap what repeats within it.
  'repeating: only its, end of the gap',
  // Of a midnight that occurs twice (Havana) it takes the second, and loses what repeats in the first hour.
  'fixed: only ours, first pass',
  'fixed: only its, second pass',
  'repeating: only ours, first pass',
]);

describe('cron-parser', () => {
  it('differs only where it is known to', { timeout: 3_600_000 }, () => {
    const kinds = new Map<string, number>();
    const examples = new Map<string, string>();
    let cases = 0;
    for (const zone of parserZones) {
      const clock = new Clock(zone);
      for (const change of clock.changes(2026, 2026)) {
        const [from, to] = [change - AROUND, change + AROUND];
        for (const text of EXPRESSIONS) {
          const rule = checkRule({ cron: text, tz: zone }, 'rule', 'seed');
          const ours = chain((after) => nextOccurrence(rule, after), from, to);
          // It is asked by a fresh parse each time, as one that starts again would: 0.3 ms, too long for the densest patterns.
          if (ours.length > (WHOLE ? 12 : 6)) continue;
          cases++;
          for (const kind of differences(text, zone, ours, [from, change, to], clock)) {
            kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
            if (!examples.has(kind))
              examples.set(kind, `${text} in ${zone} at ${new Date(change).toISOString()}`);
          }
        }
      }
    }
    const known = [...kinds].map(([kind, count]) => `${count} x ${kind}`);
    process.stdout.write(`cron-parser: ${cases} cases; ${known.join('; ')}\n`);
    const unexplained = [...examples].filter(([kind]) => !CRON_PARSER.has(kind));
    expect(unexplained).toEqual([]);
  });
});

function differences(
  text: string,
  zone: string,
  ours: readonly number[],
  [from, change, to]: readonly [number, number, number],
  clock: Clock,
): string[] {
  try {
    CronExpressionParser.parse(text, { tz: zone });
  } catch {
    return ['refuses it'];
  }
  const next = (after: number) =>
    CronExpressionParser.parse(text, { tz: zone, currentDate: new Date(after) })
      .next()
      .getTime();
  let theirs: number[];
  try {
    theirs = chain(next, from, to);
  } catch (error) {
    return [`throws '${(error as Error).message.replace(/: .*/, '')}'`];
  }
  const kind = new Pattern(text).repeating ? 'repeating' : 'fixed';
  const at = (instant: number) => placeOf(instant, change, clock);
  return [
    ...ours.filter((one) => !theirs.includes(one)).map((one) => `${kind}: only ours, ${at(one)}`),
    ...theirs.filter((one) => !ours.includes(one)).map((one) => `${kind}: only its, ${at(one)}`),
  ];
}
