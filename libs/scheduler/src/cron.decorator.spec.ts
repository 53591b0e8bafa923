import { OptionError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import { Cron, schedulesOf, type CronOptions } from './cron.decorator.js';

/** Declares a schedule on a class of its own, which it returns. */
function declare(cron: string, options?: CronOptions): object {
  class Clock {
    @Cron(cron, options)
    tick(): void {}
  }
  return Clock;
}

describe('@Cron', () => {
  it.each([
    ['* * * * *'],
    ['*/5 * * * *'],
    ['0 9-17 * * 1-5'],
    ['0 7 * * MON-FRI'],
    ['0 0 1 JAN *'],
    ['0 0 29 2 *'],
    ['0 0 L * *'],
    ['* * * * * *'],
    ['*/10 * * * * *'],
    ['  0   7 * * *  '],
  ])('takes %j', (cron) => {
    expect(schedulesOf(declare(cron))).toEqual([{ method: 'tick', cron, tz: 'UTC' }]);
  });

  it('takes a time zone', () => {
    for (const tz of ['Europe/Madrid', 'America/New_York', 'UTC', 'Asia/Kathmandu']) {
      expect(schedulesOf(declare('0 7 * * *', { tz }))).toMatchObject([{ tz }]);
    }
  });

  it('may stand on several methods, and several times on the same class through inheritance', () => {
    class Base {
      @Cron('0 1 * * *') first(): void {}
    }
    class Clock extends Base {
      @Cron('0 2 * * *') async second(): Promise<void> {}
    }
    expect(schedulesOf(Clock).map(({ method }) => method)).toEqual(['first', 'second']);
    expect(schedulesOf(Base).map(({ method }) => method)).toEqual(['first']);
    expect(schedulesOf(class {})).toEqual([]);
  });

  it.each([
    ['', "needs five or six fields, got ''"],
    ['   ', "needs five or six fields, got '   '"],
    ['* * * *', "needs five or six fields, got '* * * *'"],
    ['* * * * * * *', "needs five or six fields, got '* * * * * * *'"],
    ['@daily', "needs five or six fields, got '@daily'"],
    ['hourly', "needs five or six fields, got 'hourly'"],
    [undefined, "needs five or six fields, got 'undefined'"],
    [60_000, "needs five or six fields, got '60000'"],
    ['61 * * * *', 'cannot be read: Constraint error, got value 61 expected range 0-59'],
    ['60 * * * * *', 'cannot be read: Constraint error, got value 60 expected range 0-59'],
    ['* 24 * * *', 'cannot be read: Constraint error, got value 24 expected range 0-23'],
    ['0 0 0 * *', 'cannot be read: Constraint error, got value 0 expected range 1-31'],
    ['0 0 * 13 *', 'cannot be read: Constraint error, got value 13 expected range 1-12'],
    ['* * * * 8', 'cannot be read: Constraint error, got value 8 expected range 0-7'],
    ['0 0 31 2 *', 'cannot be read: Invalid explicit day of month definition'],
    ['0 0 30 FEB *', 'cannot be read: Invalid explicit day of month definition'],
    ['*/0 * * * *', 'cannot be read: Constraint error, cannot repeat at every 0 time.'],
    ['5-1 * * * *', 'cannot be read: Invalid range: 5-1, min(5) > max(1)'],
    ['a b c d e', 'cannot be read: Invalid characters, got value: a'],
    ['* * * * MON-FOO', 'cannot be read: Validation error, cannot resolve alias "foo"'],
  ])('refuses %j', (cron, problem) => {
    expect(() => declare(cron as string)).toThrow(new OptionError('@Cron tick', problem));
  });

  it.each(['Mars/Olympus', '', 'Europe/madrid city', 'GMT+25', '__proto__'])(
    'refuses the time zone %j',
    (tz) => {
      expect(() => declare('* * * * *', { tz })).toThrow(
        new OptionError('@Cron tick tz', `is not a known time zone: '${tz}'`),
      );
    },
  );

  it('refuses an unknown option', () => {
    const options = { timezone: 'Europe/Madrid' } as CronOptions;
    expect(() => declare('* * * * *', options)).toThrow(
      new OptionError('@Cron tick timezone', 'is not an option'),
    );
  });
});
