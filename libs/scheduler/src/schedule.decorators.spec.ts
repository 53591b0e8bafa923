import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import {
  At,
  Cron,
  declarationsOf,
  Every,
  Interval,
  toDeclared,
  type DeclareOptions,
} from './schedule.decorators.js';

/** Declares a schedule on a class of its own, and answers what it comes to. */
function declared(decorator: ReturnType<typeof Cron>): ReturnType<typeof toDeclared> {
  class Clock {
    @decorator tick(): void {}
  }
  const [declaration] = declarationsOf(Clock);
  if (!declaration || 'use' in declaration.options) return undefined;
  return toDeclared('clock.tick', declaration.options, declaration.path);
}

describe('@Cron, @Every, @At and @Interval', () => {
  it('say when, in the words of a rule', () => {
    expect(declared(Cron('0 7 * * MON-FRI', { tz: 'Europe/Madrid' }))).toMatchObject({
      id: 'clock.tick',
      rule: { cron: ['0 0 7 * * 1-5'], tz: 'Europe/Madrid' },
      policies: { overlap: 'skip', catchUp: 'latest', grace: 60_000 },
      tags: [],
    });
    expect(declared(Cron(['0 7 * * *', '0 19 * * *']))?.rule.cron).toHaveLength(2);
    expect(declared(Cron(new Date('2030-01-01T00:00:00Z')))?.rule.at).toEqual([
      '2030-01-01T00:00:00.000Z',
    ]);
    expect(declared(Every('10m', { phase: '1m' }))?.rule).toMatchObject({
      every: 600_000,
      phase: 60_000,
    });
    expect(declared(At('2030-01-01T09:00', { tz: 'Asia/Tokyo' }))?.rule.at).toEqual([
      '2030-01-01T00:00:00.000Z',
    ]);
    expect(declared(Interval(5_000))).toMatchObject({ id: 'clock.tick', rule: { every: 5_000 } });
    expect(declared(Interval('pulse', 5_000))).toMatchObject({ id: 'pulse' });
  });

  it('take policies, a name, notes, and may be disabled', () => {
    const options: DeclareOptions = {
      name: 'nightly',
      overlap: 'buffer-one',
      catchUp: { within: '2h' },
      grace: '5m',
      timeout: '1h',
      pauseAfter: 3,
      priority: 'high',
      tags: ['money'],
      description: 'counts the money',
      window: '10m',
    };
    expect(declared(Cron('@daily', options))).toMatchObject({
      id: 'nightly',
      rule: { window: 600_000 },
      policies: {
        overlap: 'buffer-one',
        catchUp: { within: 7_200_000 },
        grace: 300_000,
        timeout: 3_600_000,
        pauseAfter: 3,
      },
      priority: 10,
      tags: ['money'],
      description: 'counts the money',
    });
    expect(declared(Cron('@daily', { disabled: true }))).toBeUndefined();
  });

  it.each<[DeclareOptions, object]>([
    [{ timeZone: 'Europe/Madrid' }, { rule: { tz: 'Europe/Madrid' } }],
    [{ utcOffset: 120 }, { rule: { tz: '+02:00' } }],
    [{ utcOffset: -210 }, { rule: { tz: '-03:30' } }],
    [{ utcOffset: '+05:30' }, { rule: { tz: '+05:30' } }],
    [{ waitForCompletion: true }, { policies: { overlap: 'skip' } }],
    [{ waitForCompletion: false }, { policies: { overlap: 'allow' } }],
    [{ threshold: 250 }, { policies: { grace: 250, catchUp: 'none' } }],
    [{ unrefTimeout: true, name: 'x' }, { id: 'x' }],
  ])('take the options of @nestjs/schedule: %j', (options, expected) => {
    expect(declared(Cron('0 7 * * *', options))).toMatchObject(expected);
  });

  it('may stand on several methods, inherited ones too', () => {
    class Base {
      @Cron('0 1 * * *') first(): void {}
    }
    class Clock extends Base {
      @Cron('0 2 * * *') async second(): Promise<void> {}
    }
    expect(declarationsOf(Clock).map(({ method }) => method)).toEqual(['first', 'second']);
    expect(declarationsOf(Base).map(({ method }) => method)).toEqual(['first']);
    expect(declarationsOf(class {})).toEqual([]);
  });

  it.each<[() => unknown, string, string]>([
    [() => Cron('* * * *'), '@Cron tick.cron', 'fields'],
    [() => Cron(''), '@Cron tick.cron', ''],
    [() => Cron('0 0 30 2 *'), '@Cron tick.cron', 'never'],
    [() => Cron('* * * * *', { tz: 'Mars/Olympus' }), '@Cron tick.tz', 'Mars/Olympus'],
    [() => Cron('* * * * *', { zone: 'UTC' } as never), '@Cron tick.zone', 'is not an option'],
    [() => Cron('* * * * *', { tz: 'UTC', timeZone: 'UTC' }), '@Cron tick.tz', 'is given twice'],
    [() => Cron('* * * * *', { name: 'a b' }), '@Cron tick.name', 'must be 1 to 100'],
    [() => Cron('* * * * *', { disabled: 1 as never }), '@Cron tick.disabled', 'true or false'],
    [() => Cron('* * * * *', { overlap: 'no' as never }), '@Cron tick.overlap', 'must be one of'],
    [() => Cron('* * * * *', { catchUp: { last: 0 } }), '@Cron tick.catchUp.last', 'from 1 to 100'],
    [() => Cron('* * * * *', { catchUp: {} as never }), '@Cron tick.catchUp', 'must be none'],
    [() => Cron('* * * * *', { grace: '1x' as never }), '@Cron tick.grace', 'must be milliseconds'],
    [() => Cron('* * * * *', { timeout: 0 }), '@Cron tick.timeout', 'longer than 0'],
    [() => Cron('* * * * *', { pauseAfter: 0 }), '@Cron tick.pauseAfter', 'from 1 to 1000'],
    [() => Cron('* * * * *', { priority: 0 }), '@Cron tick.priority', 'must be one of'],
    [() => Cron('* * * * *', { tags: ['a b'] }), '@Cron tick.tags', 'letters, digits'],
    [() => Cron('* * * * *', { tags: 'a' as never }), '@Cron tick.tags', 'list'],
    [
      () => Cron('* * * * *', { description: 'x'.repeat(501) }),
      '@Cron tick.description',
      'at most 500',
    ],
    [() => Every('0s'), '@Every tick.every', ''],
    [() => At('yesterday'), '@At tick.at', ''],
    [() => Interval('x', NaN), '@Interval tick.every', ''],
  ])('refuse nonsense, naming it: %s', (decorator, path, problem) => {
    let thrown: unknown;
    try {
      declared(decorator() as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OptionError);
    expect((thrown as OptionError).path).toBe(path);
    expect((thrown as OptionError).problem).toContain(problem);
  });
});
