import {
  Actor,
  CallsheetModule,
  Handle,
  Message,
  RejectError,
  type MessageClass,
  type Turn,
} from '@callsheet/messaging';
import { Cron, ScheduledRun } from '@callsheet/scheduler';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { ApiModule, createHttpApp, type HttpOptions } from '../src/index.js';

/** A message whose actor runs here: `nobody` is rejected, `later` fails until {@link Greeter.mended}. */
export class Greet extends Message(
  'greeter.greet',
  z.strictObject({ name: z.string().min(1).max(100), tags: z.array(z.unknown()).optional() }),
) {}

/** A message whose actor runs nowhere, so that it stays where it is. */
export class Keep extends Message('shelf.keep', z.looseObject({}), {
  search: ['orderId', 'tags'],
}) {}

@Actor({ retry: { attempts: 2, delay: 0, jitter: 0 } })
export class Greeter {
  static mended = false;

  @Handle(Greet)
  async greet({ name }: Greet, turn: Turn): Promise<void> {
    if (name === 'nobody') throw new RejectError('nobody is there');
    if (name === 'later' && !Greeter.mended)
      throw new TypeError(`not yet, attempt ${turn.attempt}`);
  }

  @Cron('0 7 * * 1', { tz: 'Europe/Madrid' })
  async monday(_run: ScheduledRun): Promise<void> {}
}

/** An application on the memory store, ready for `inject`. The caller closes it. */
export async function openStage(
  options: HttpOptions & {
    url?: string;
    providers?: Type[];
    messages?: MessageClass[];
  } = {},
): Promise<NestFastifyApplication> {
  const { url = 'memory:', providers = [Greeter], messages = [], ...http } = options;
  class StageModule {}
  const app = await createHttpApp(
    {
      module: StageModule,
      imports: [CallsheetModule.forRoot({ url, messages: [Greet, Keep, ...messages] }), ApiModule],
      providers,
    },
    http,
  );
  app.useLogger(false);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

/** As {@link openStage}; closed when the test ends. */
export async function stageForTest(
  options?: Parameters<typeof openStage>[0],
): Promise<NestFastifyApplication> {
  const app = await openStage(options);
  onTestFinished(() => app.close());
  return app;
}

/** Sends one message and returns its id. */
export async function send(app: NestFastifyApplication, body: object): Promise<string> {
  const response = await app.inject({ method: 'POST', url: '/v1/messages', payload: body });
  if (response.statusCode !== 202) throw new Error(response.body);
  return response.json<{ id: string }>().id;
}
