import { type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterEach, vi } from 'vitest';
import { z } from 'zod';
import { exploreActors } from '../../libs/messaging/src/actor.explorer.js';
import { HandlerPipeline, type RunHandler } from '../../libs/messaging/src/handler.pipeline.js';
import { Message } from '../../libs/messaging/src/message.js';
import { testTurn } from '../../libs/messaging/src/testing/test.turn.js';
import type { Turn } from '../../libs/messaging/src/turn.js';

/** The one message of the account. */
export class Deposit extends Message('account.deposit', z.object({ amount: z.number() })) {}
export const deposit = new Deposit({ amount: 3 });

let count = 0;
/** A turn of its own id. */
export function turnOf(given: Partial<Turn> = {}): Turn {
  return testTurn({ id: `m${++count}`, type: 'account.deposit', ...given });
}

/** The application that {@link start} made last, until its test is over. */
export let app: NestFastifyApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
  vi.restoreAllMocks();
});

/** Starts a real application and makes what runs `method` of the one actor in it, as the framework does at start. */
export async function start(
  providers: Provider[],
  {
    imports = [],
    method = 'deposit',
    configure,
  }: {
    imports?: Type[];
    method?: string;
    configure?: (app: NestFastifyApplication) => void;
  } = {},
): Promise<RunHandler> {
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule, ...imports],
    providers: [HandlerPipeline, ...providers],
  }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    logger: false,
  });
  configure?.(app);
  await app.init();
  const [actor] = exploreActors(app.get(DiscoveryService), []);
  if (!actor) throw new Error('no actor');
  const { message } = [...actor.handlers.values()].find((each) => each.method === method)!;
  return app.get(HandlerPipeline).create(actor.wrapper, method, message);
}

/** The method itself, as Nest hands it to enhancers. */
export function handlerOf({ prototype }: Type): unknown {
  return (prototype as { deposit: unknown }).deposit;
}
