import { Actor, Actors, CallsheetModule, Handle, Message, type Turn } from '@callsheet/messaging';
import { Cron, ScheduledRun, SchedulerModule } from '@callsheet/scheduler';
import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';

/** Stands for whatever the application does. */
@Injectable()
export class Guests {
  readonly welcomed: string[] = [];
  readonly reports: Date[] = [];

  async welcome(name: string, _request: { idempotencyKey: string; signal: AbortSignal }) {
    this.welcomed.push(name);
  }

  async report(day: Date) {
    this.reports.push(day);
  }
}

// The message: what may be sent, and to which actor. Any Standard Schema will do.
export class Greet extends Message('greeter.greet', z.strictObject({ name: z.string().min(1) })) {}

// The actor: a plain Nest provider.
@Actor({ retry: { attempts: 5, delay: '1s', factor: 2, max: '1m', jitter: 0.2 } })
export class GreeterActor {
  constructor(private readonly guests: Guests) {}

  @Handle(Greet)
  async greet({ name }: Greet, turn: Turn) {
    await this.guests.welcome(name, { idempotencyKey: turn.id, signal: turn.signal });
  }

  @Cron('0 7 * * MON-FRI', { tz: 'Europe/Madrid' })
  async report({ nominal }: ScheduledRun) {
    await this.guests.report(nominal);
  }
}

// The module.
@Module({
  imports: [CallsheetModule.forRoot({ url: process.env.CALLSHEET_URL }), SchedulerModule],
  providers: [GreeterActor, Guests],
})
export class AppModule {}

// Sending, from any provider.
@Injectable()
export class Reception {
  constructor(private readonly actors: Actors) {}

  async arrive(name: string) {
    const { id, state } = await this.actors.tell(new Greet({ name }), {
      id: `welcome-${name}`, // sent twice, handled once
      priority: 'high', // critical, high, normal, low, or a number
      delay: '250ms', // or at: a Date; ttl: give up when too late
    });
    return { id, state };
  }
}
