import {
  Actor,
  Actors,
  currentTurn,
  Handle,
  IdempotencyConflictError,
  Message,
  type Turn,
} from '@callsheet/messaging';
import { Injectable } from '@nestjs/common';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const FAST = { retry: { attempts: 3, delay: 10, jitter: 0 } };

export const turnCases: ModelCase[] = [
  {
    behaviour: 'what a handler sends is stored when it succeeds, once, and not when it fails',
    async run(stage) {
      const name = uniqueActor();
      class Order extends Message(`${name}.order`, z.object({ n: z.number() })) {}
      class Ship extends Message(
        `${name}.ship`,
        z.object({ n: z.number(), attempt: z.number() }),
      ) {}
      const shipped: string[] = [];
      @Actor(FAST)
      class Shop {
        constructor(private readonly actors: Actors) {}
        @Handle(Order) async order({ n }: Order, { attempt }: Turn): Promise<void> {
          const receipt = await this.actors.tell(new Ship({ n, attempt }));
          expect(receipt.state).toBe('pending');
          if (attempt < 3) throw new Error('not yet');
        }
        @Handle(Ship) ship({ n, attempt }: Ship): void {
          shipped.push(`${n} at ${attempt}`);
        }
      }
      const app = await stage.app([Shop]);
      await app.get(Actors).tell(new Order({ n: 1 }));
      await eventually(() => shipped.length > 0);
      // Whatever the failed attempts had sent would have come before.
      expect(shipped).toEqual(['1 at 3']);
    },
  },
  {
    behaviour: 'a send with { now: true } is stored at once, whatever becomes of the turn',
    async run(stage) {
      const name = uniqueActor();
      class Try extends Message(`${name}.try`, z.object({})) {}
      class Note extends Message(`${name}.note`, z.object({ attempt: z.number() })) {}
      const notes: number[] = [];
      @Actor(FAST)
      class Trying {
        constructor(private readonly actors: Actors) {}
        @Handle(Try) async try(_: Try, { attempt }: Turn): Promise<void> {
          await this.actors.tell(new Note({ attempt }), { now: true });
          if (attempt < 2) throw new Error('not yet');
        }
        @Handle(Note) note({ attempt }: Note): void {
          notes.push(attempt);
        }
      }
      const app = await stage.app([Trying]);
      await app.get(Actors).tell(new Try({}));
      await eventually(() => notes.length === 2);
      expect(notes).toEqual([1, 2]);
    },
  },
  {
    behaviour:
      'a chain of messages knows its cause, its first message and its tenant, in any provider',
    async run(stage) {
      const name = uniqueActor();
      class First extends Message(`${name}.first`, z.object({})) {}
      class Second extends Message(`${name}.second`, z.object({})) {}
      const seen: object[] = [];
      @Injectable()
      class Deep {
        look(): void {
          const turn = currentTurn();
          seen.push({ ...turn, is: turn?.type.split('.')[1] });
        }
      }
      @Actor()
      class Chain {
        constructor(
          private readonly actors: Actors,
          private readonly deep: Deep,
        ) {}
        @Handle(First) async first(): Promise<void> {
          this.deep.look();
          await this.actors.tell(new Second({}));
        }
        @Handle(Second) async second(): Promise<void> {
          await new Promise((resolve) => setImmediate(resolve));
          this.deep.look();
        }
      }
      const app = await stage.app([Chain, Deep]);
      const { id } = await app
        .get(Actors)
        .tell(new First({}), { tenant: 'acme', headers: { a: 'b' } });
      await eventually(() => seen.length === 2);
      expect(seen[0]).toMatchObject({
        id,
        is: 'first',
        tenant: 'acme',
        correlationId: id,
        causationId: undefined,
        headers: { a: 'b' },
      });
      expect(seen[1]).toMatchObject({
        is: 'second',
        tenant: 'acme',
        correlationId: id,
        causationId: id,
      });
      expect(currentTurn()).toBeUndefined();
    },
  },
  {
    behaviour: 'a send that is refused at the commit fails the turn, and nothing of it is stored',
    async run(stage) {
      const name = uniqueActor();
      class Book extends Message(`${name}.book`, z.object({})) {}
      class Bill extends Message(`${name}.bill`, z.object({ amount: z.number() })) {}
      const bills: number[] = [];
      @Actor({ retry: { attempts: 1 } })
      class Hotel {
        constructor(private readonly actors: Actors) {}
        @Handle(Book) async book(): Promise<void> {
          await this.actors.tell(new Bill({ amount: 7 }));
          await this.actors.tell(new Bill({ amount: 2 }), { id: `${name}-once` });
        }
        @Handle(Bill) bill({ amount }: Bill): void {
          bills.push(amount);
        }
      }
      const app = await stage.app([Hotel], { messages: [Book as never] });
      const actors = app.get(Actors);
      await actors.tell(new Bill({ amount: 1 }), { id: `${name}-once` });
      await expect(actors.ask(new Book({}), { timeout: '20s' })).rejects.toMatchObject({
        code: 'ask_failed',
        error: { code: new IdempotencyConflictError('').code },
      });
      await eventually(() => bills.length > 0);
      expect(bills).toEqual([1]);
    },
  },
  {
    behaviour: 'a timer is moved by sending again with the same id and replace',
    async run(stage) {
      const name = uniqueActor();
      class Tick extends Message(`${name}.tick`, z.object({ n: z.number() })) {}
      const ticks: number[] = [];
      @Actor()
      class Clock {
        constructor(private readonly actors: Actors) {}
        @Handle(Tick) async tick({ n }: Tick): Promise<void> {
          ticks.push(n);
          // Its own id is free again with the commit.
          if (n === 2) {
            const next = { id: `${name}-timer`, delay: 5, replace: true };
            await this.actors.tell(new Tick({ n: 3 }), next);
          }
        }
      }
      const app = await stage.app([Clock]);
      const actors = app.get(Actors);
      await actors.tell(new Tick({ n: 1 }), { id: `${name}-timer`, delay: '1h' });
      await actors.tell(new Tick({ n: 2 }), { id: `${name}-timer`, delay: 5, replace: true });
      await eventually(() => ticks.length === 2);
      expect(ticks).toEqual([2, 3]);
    },
  },
];
