import { DeliverWebhook } from '@callsheet/contracts';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { ScheduleTroubled } from '@callsheet/scheduler';
import { expect, it } from 'vitest';
import { Settings } from '../settings.js';
import { AlertActor } from './alert.actor.js';

async function told(env: Record<string, string>) {
  const t = await TestCallsheet.create({
    providers: [AlertActor, { provide: Settings, useValue: new Settings(env) }],
  });
  const nominal = Date.UTC(2026, 11, 24);
  await t.actors.publish(
    new ScheduleTroubled({ schedule: 'report', kind: 'missed', nominal, count: 3, detail: '' }),
  );
  await t.actors.publish(new ScheduleTroubled({ schedule: 'a', kind: 'dead', detail: 'no zone' }));
  await t.drain();
  const sent = t.sent(DeliverWebhook);
  await t.close();
  return sent;
}

it('what is wrong with schedules is told to a webhook', async () => {
  const url = 'http://127.0.0.1:9/alerts';
  expect(await told({ ALERT_WEBHOOK_URL: url })).toMatchObject([
    {
      url,
      event: 'schedule.missed',
      payload: { schedule: 'report', nominal: '2026-12-24T00:00:00.000Z', count: 3, detail: '' },
    },
    { url, event: 'schedule.dead', payload: { schedule: 'a', detail: 'no zone' } },
  ]);
});

it('and to none when there is none', async () => {
  expect(await told({})).toEqual([]);
});
