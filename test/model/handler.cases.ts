import {
  Actor,
  Actors,
  DeadLetters,
  Handle,
  Message,
  TurnContext,
  TurnTimeoutError,
  type Turn,
} from '@callsheet/messaging';
import {
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, REQUEST } from '@nestjs/core';
import { tap, throwError, type Observable } from 'rxjs';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const FAST = { retry: { attempts: 2, delay: 10, jitter: 0 } };

export const handlerCases: ModelCase[] = [
  {
    behaviour:
      'guards, interceptors and filters run around a handler, global ones too, in the order of Nest',
    async run(stage) {
      const name = uniqueActor();
      class Open extends Message(`${name}.open`, z.object({ who: z.string() })) {}
      const steps: string[] = [];
      @Injectable()
      class Owners implements CanActivate {
        canActivate(context: ExecutionContext): boolean {
          const { who } = context.switchToRpc().getData<Open>();
          const turn = context.switchToRpc().getContext<TurnContext>();
          expect(turn).toBeInstanceOf(TurnContext);
          steps.push(`guard ${context.getType()} ${context.getHandler().name} ${who}`);
          return who !== 'thief';
        }
      }
      class Timing implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          steps.push('before');
          return next.handle().pipe(tap(() => steps.push('after')));
        }
      }
      class Everywhere implements NestInterceptor {
        intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
          steps.push('global');
          return next.handle();
        }
      }
      @Catch(RangeError)
      class Translating implements ExceptionFilter {
        catch(error: RangeError): Observable<never> {
          return throwError(() => new TypeError(`translated ${error.message}`));
        }
      }
      @UseGuards(Owners)
      @UseInterceptors(Timing)
      @Actor({ ...FAST, on: [[TypeError, 'reject']] })
      class Door {
        @UseFilters(Translating)
        @Handle(Open)
        open({ who }: Open): void {
          steps.push('handler');
          if (who === 'ghost') throw new RangeError('boo');
        }
      }
      const app = await stage.app([
        Door,
        Owners,
        { provide: APP_INTERCEPTOR, useClass: Everywhere },
      ]);
      const actors = app.get(Actors);
      await actors.ask(new Open({ who: 'ada' }));
      expect(steps).toEqual(['guard rpc open ada', 'global', 'before', 'handler', 'after']);
      steps.length = 0;
      await expect(actors.ask(new Open({ who: 'thief' }))).rejects.toMatchObject({
        reason: 'rejected',
        error: { name: ForbiddenException.name },
      });
      expect(steps).toEqual(['guard rpc open thief']);
      await expect(actors.ask(new Open({ who: 'ghost' }))).rejects.toMatchObject({
        reason: 'rejected',
        error: { name: 'TypeError', message: 'translated boo' },
      });
    },
  },
  {
    behaviour: 'a request-scoped provider has one instance per turn, and is told which',
    async run(stage) {
      const name = uniqueActor();
      class Count extends Message(`${name}.count`, z.object({}), {
        reply: z.object({ instance: z.number(), tenant: z.string().optional() }),
      }) {}
      let instances = 0;
      @Injectable({ scope: Scope.REQUEST })
      class PerTurn {
        readonly instance = ++instances;
        constructor(@Inject(REQUEST) readonly request: { context: TurnContext }) {}
      }
      @Actor()
      class Counting {
        constructor(private readonly own: PerTurn) {}
        @Handle(Count) count() {
          const { tenant } = this.own.request.context.getTurn();
          return { instance: this.own.instance, ...(tenant !== undefined && { tenant }) };
        }
      }
      const app = await stage.app([Counting, PerTurn]);
      const actors = app.get(Actors);
      expect(await actors.ask(new Count({}), { tenant: 'a' })).toEqual({
        instance: 1,
        tenant: 'a',
      });
      expect(await actors.ask(new Count({}))).toEqual({ instance: 2 });
      expect(instances).toBe(2);
    },
  },
  {
    behaviour: 'a handler over its timeout is told to stop, and its attempt fails',
    async run(stage) {
      const name = uniqueActor();
      class Crawl extends Message(`${name}.crawl`, z.object({})) {}
      const reasons: unknown[] = [];
      @Actor({ retry: { attempts: 2, delay: 0, jitter: 0 } })
      class Crawler {
        @Handle(Crawl, { timeout: 40 })
        async crawl(_: Crawl, { signal }: Turn): Promise<void> {
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          reasons.push(signal.reason);
          signal.throwIfAborted();
        }
      }
      const app = await stage.app([Crawler]);
      await expect(app.get(Actors).ask(new Crawl({}))).rejects.toMatchObject({
        reason: 'exhausted',
        error: { name: 'TurnTimeoutError', code: 'turn_timeout' },
      });
      expect(reasons).toHaveLength(2);
      expect(reasons[0]).toBeInstanceOf(TurnTimeoutError);
    },
  },
  {
    behaviour: 'a batch handler gets several messages at once, and tells which of them failed',
    async run(stage) {
      const name = uniqueActor();
      class Index extends Message(`${name}.index`, z.object({ n: z.number() })) {}
      class Indexed extends Message(`${name}.indexed`, z.object({ n: z.number() })) {}
      const sizes: number[] = [];
      const indexed: number[] = [];
      @Actor({ retry: { attempts: 1 }, concurrency: 1 })
      class Indexer {
        constructor(private readonly actors: Actors) {}
        @Handle(Index, { batch: { max: 5, wait: 300 } })
        async index(messages: readonly Index[], turns: readonly Turn[]) {
          sizes.push(messages.length);
          for (const [i, { n }] of messages.entries()) {
            await turns[i]?.join(() => this.actors.tell(new Indexed({ n })));
          }
          return messages.map(({ n }) => (n === 3 ? new Error('three is odd') : undefined));
        }
        @Handle(Indexed) done({ n }: Indexed): void {
          indexed.push(n);
        }
      }
      const app = await stage.app([Indexer]);
      const ns = Array.from({ length: 7 }, (_, n) => n);
      await app.get(Actors).tellMany(ns.map((n) => new Index({ n })));
      await eventually(() => indexed.length === 6);
      expect(sizes.reduce((a, b) => a + b)).toBe(7);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(5);
      expect(indexed.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6]);
      await eventually(async () => (await app.get(DeadLetters).list({ actor: name })).length === 1);
      const [letter] = await app.get(DeadLetters).list({ actor: name });
      expect(letter).toMatchObject({ reason: 'exhausted', envelope: { data: { n: 3 } } });
    },
  },
  {
    behaviour: 'Dates, BigInts, Maps, Sets, bytes and undefined arrive as what they were',
    async run(stage) {
      const name = uniqueActor();
      const shape = z.object({
        at: z.date(),
        big: z.bigint(),
        map: z.map(z.string(), z.number()),
        set: z.set(z.string()),
        bytes: z.instanceof(Uint8Array),
        gap: z.array(z.number().optional()),
      });
      class Carry extends Message(`${name}.carry`, shape, { reply: shape }) {}
      @Actor()
      class Carrier {
        @Handle(Carry) carry({ at, big, map, set, bytes, gap }: Carry) {
          return { at, big, map, set, bytes, gap: [...gap] };
        }
      }
      const app = await stage.app([Carrier]);
      const data = {
        at: new Date('2026-03-01T10:00:00.123Z'),
        big: 2n ** 70n,
        map: new Map([['a', 1]]),
        set: new Set(['x', 'y']),
        bytes: new Uint8Array([0, 255, 7]),
        gap: [1, undefined, 3],
      };
      expect(await app.get(Actors).ask(new Carry(data))).toEqual(data);
    },
  },
  {
    behaviour:
      'a newer worker reads older messages; an older one leaves newer ones, without using an attempt',
    waits: true,
    shared: true,
    async run(stage) {
      const name = uniqueActor();
      const v1 = z.object({ to: z.string() });
      const v2 = z.object({ to: z.string(), locale: z.string() });
      class SendV1 extends Message(`${name}.send`, v1) {}
      class SendV2 extends Message(`${name}.send`, v2, {
        version: 2,
        upcast: { 1: (old) => ({ ...(old as z.infer<typeof v1>), locale: 'en' }) },
      }) {}
      const old: string[] = [];
      const young: string[] = [];
      @Actor()
      class Old {
        @Handle(SendV1) send({ to }: SendV1): void {
          old.push(to);
        }
      }
      @Actor()
      class Young {
        @Handle(SendV2) send({ to, locale }: SendV2, { attempt }: Turn): void {
          young.push(`${to} ${locale} ${attempt}`);
        }
      }
      const sender = await stage.app([]);
      const oldWorker = await stage.app([Old]);
      await sender.get(Actors).tell(new SendV1({ to: 'one' }));
      const { id } = await sender.get(Actors).tell(new SendV2({ to: 'two', locale: 'es' }));
      await eventually(() => old.length === 1);
      const { ENGINE } = await import('@callsheet/messaging');
      const engine = oldWorker.get(ENGINE);
      await eventually(async () => (await engine.find(id, [name])).state === 'delayed');
      await oldWorker.close();
      await sender.get(Actors).tell(new SendV1({ to: 'three' }));
      await stage.app([Young]);
      await eventually(() => young.length === 2, { timeout: 20_000 });
      expect(old).toEqual(['one']);
      expect(young.toSorted()).toEqual(['three en 1', 'two es 1']);
    },
  },
];
