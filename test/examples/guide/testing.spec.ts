import { Actor, Actors, Handle, Message, type Turn } from '@callsheet/messaging';
import { explore, TestCallsheet } from '@callsheet/messaging/testing';
import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

export class Subscribe extends Message('plan.subscribe', z.object({ user: z.string() })) {}
export class Remind extends Message('plan.remind', z.object({ user: z.string() })) {}
export class SendMail extends Message('mail.send', z.object({ to: z.string() })) {}

@Actor({ retry: { attempts: 3, delay: '1m', jitter: 0 } })
export class PlanActor {
  constructor(private readonly actors: Actors) {}

  @Handle(Subscribe)
  async subscribe({ user }: Subscribe) {
    await this.actors.tell(new SendMail({ to: user }));
    await this.actors.tell(new Remind({ user }), { delay: '30d' });
  }

  @Handle(Remind)
  async remind({ user }: Remind) {
    await this.actors.tell(new SendMail({ to: user }));
    await this.actors.tell(new Remind({ user }), { delay: '30d' });
  }
}

/** Counts in a place that no turn commits. */
@Injectable()
export class Visits {
  count = 0;
}

export class Visit extends Message('visits.visit', z.object({})) {}

// A bug to find: another turn may have counted while this one waited.
@Actor()
export class VisitsActor {
  constructor(
    private readonly actors: Actors,
    private readonly visits: Visits,
  ) {}

  @Handle(Visit)
  async visit(_: Visit, turn: Turn) {
    const before = this.visits.count;
    await this.actors.tell(new SendMail({ to: turn.id }));
    this.visits.count = before + 1;
  }
}

describe('testing', () => {
  it('months pass in milliseconds', async () => {
    const t = await TestCallsheet.create({ providers: [PlanActor] });
    const mail = t.probe(SendMail); // stands in for the actor that is not here
    await t.actors.tell(new Subscribe({ user: 'ada' }));
    await t.advance('91d');
    expect(mail.received.map(({ to }) => to)).toEqual(['ada', 'ada', 'ada', 'ada']);
    expect(t.sent(Remind)).toHaveLength(4);
    await t.close();
  });

  it('a probe fails as often as it is told', async () => {
    const t = await TestCallsheet.create({ providers: [PlanActor] });
    const mail = t.probe(SendMail);
    mail.fail(new Error('no connection'), 5);
    await t.actors.tell(new Subscribe({ user: 'ada' }));
    await t.advance('1h');
    expect(t.dead).toHaveLength(1);
    await t.redrive();
    await t.drain();
    expect(mail.received).toHaveLength(6); // five attempts that failed, and the one after
    await t.close();
  });

  it('explore finds the turn that counts wrong, and the seed finds it again', async () => {
    const lostUpdate = (seed?: number): Promise<void> =>
      explore(
        { providers: [VisitsActor, Visits], seeds: 100, ...(seed !== undefined && { seed }) },
        async (t) => {
          t.probe(SendMail);
          await t.actors.tellMany([new Visit({}), new Visit({})]);
          await t.drain();
          expect(t.get(Visits).count).toBe(2);
        },
      );
    const failure = (await lostUpdate().catch((error: unknown) => error)) as Error;
    const [, seed] = /seed (\d+)/.exec(failure.message) ?? [];
    await expect(lostUpdate(Number(seed))).rejects.toThrow(`seed ${seed}`);
  });
});
