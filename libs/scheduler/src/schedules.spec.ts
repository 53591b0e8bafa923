import {
  Actor,
  ActorHost,
  CallsheetModule,
  DeclarationError,
  ENGINE,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import type { Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { Cron } from './cron.decorator.js';
import { SchedulerModule } from './scheduler.module.js';
import { Schedules } from './schedules.js';

async function boot(providers: Provider[], actors: readonly string[] = []): Promise<TestingModule> {
  const app = await Test.createTestingModule({
    imports: [CallsheetModule.forRoot({ url: 'memory:', actors }), SchedulerModule],
    providers,
  }).compile();
  app.useLogger(false);
  return app.init();
}

@Actor({ name: 'reports' })
class Reports {
  @Cron('30 18 * * 5', { tz: 'Europe/Madrid' }) weekly(): void {}
  @Cron('0 7 * * *') daily(): void {}
}

@Actor({ name: 'cleaning' })
class Cleaning {
  @Cron('0 0 1 1 *') yearly(): void {}
}

describe('Schedules', () => {
  it('lists what is declared, by id, with the next nominal time', async () => {
    const app = await boot([Reports, Cleaning]);
    const list = await app.get(Schedules).list();
    await app.close();
    expect(list).toEqual([
      {
        id: 'cleaning.yearly',
        actor: 'cleaning',
        cron: '0 0 1 1 *',
        tz: 'UTC',
        priority: 100,
        next: Date.UTC(new Date().getUTCFullYear() + 1, 0, 1),
      },
      expect.objectContaining({ id: 'reports.daily', cron: '0 7 * * *' }),
      expect.objectContaining({
        id: 'reports.weekly',
        cron: '30 18 * * 5',
        tz: 'Europe/Madrid',
      }),
    ]);
    const weekly = new Date(list[2]?.next ?? 0);
    const there = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Madrid',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    });
    expect(there.format(weekly)).toBe('Fri 18:30');
  });

  it('is empty without any', async () => {
    const app = await boot([]);
    expect(await app.get(Schedules).list()).toEqual([]);
    await app.close();
  });

  it('knows those of actors that run elsewhere, if it knows their names', async () => {
    const spec = {
      id: 'cleaning.yearly',
      actor: 'cleaning',
      cron: '0 0 1 1 *',
      tz: 'UTC',
      priority: 100,
    } as const;
    for (const [actors, expected] of [
      [['cleaning'], [spec]],
      [[], []],
    ] as const) {
      const app = await boot([], actors);
      await app.get<Engine>(ENGINE).putSchedule(spec);
      expect(await app.get(Schedules).list()).toMatchObject(expected);
      await app.close();
    }
  });

  it('refuses a schedule whose actor has no name', async () => {
    @Actor()
    class Nameless {
      @Cron('* * * * *') tick(): void {}
    }
    await expect(boot([Nameless])).rejects.toThrow(
      new DeclarationError(
        "Nameless handles only events or schedules: name it, @Actor({ name: '...' }), or add the @Handle that is missing",
      ),
    );
  });
});

describe('an actor with a schedule', () => {
  it('runs once per occurrence, is told its nominal time, and is retried by its policy', async () => {
    const turns: Turn[] = [];
    @Actor({ name: 'clock', retry: { attempts: 3, delay: 1, jitter: 0 } })
    class Clock {
      private failed = false;

      @Cron('* * * * * *')
      async tick(occurrence: Record<string, never>, turn: Turn): Promise<void> {
        expect(occurrence).toEqual({});
        turns.push(turn);
        if (this.failed) return;
        this.failed = true;
        throw new Error('the first time only');
      }
    }
    const app = await boot([Clock]);
    expect(app.get(ActorHost).actors()).toHaveLength(1);
    await eventually(() => turns.length >= 3);
    await app.close();

    const [first, again, second] = turns;
    expect(turns.map(({ attempt }) => attempt).slice(0, 3)).toEqual([1, 2, 1]);
    expect(again?.id).toBe(first?.id);
    expect(again?.occurrence).toEqual(first?.occurrence);
    expect(first?.attempts).toBe(3);
    const nominal = [first, second].map((turn) => turn?.occurrence?.getTime() ?? NaN);
    expect(nominal[0]).toBe(Math.floor((nominal[0] ?? 0) / 1_000) * 1_000);
    expect(nominal[1]).toBe((nominal[0] ?? 0) + 1_000);
    expect(nominal[0]).toBeLessThanOrEqual(Date.now());
  });
});
