import { Actor, Actors, Handle, Message, On, type Turn } from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const FAST = { retry: { attempts: 3, delay: 10, jitter: 0 } };

export const eventCases: ModelCase[] = [
  {
    behaviour: 'every subscribing actor gets its own copy of an event, with its own retries',
    async run(stage) {
      const topic = uniqueActor();
      class Paid extends Message(`${topic}.paid`, z.object({ n: z.number() })) {}
      const seen: string[] = [];
      @Actor({ name: `${topic}-a`, ...FAST })
      class Mails {
        @On(Paid) paid({ n }: Paid, { attempt }: Turn): void {
          seen.push(`a${n} ${attempt}`);
          if (attempt < 2) throw new Error('again');
        }
      }
      @Actor({ name: `${topic}-b`, ...FAST })
      class Books {
        @On(Paid) paid({ n }: Paid, { attempt }: Turn): void {
          seen.push(`b${n} ${attempt}`);
        }
      }
      const app = await stage.app([Mails, Books]);
      const publication = await app.get(Actors).publish(new Paid({ n: 1 }));
      expect(publication.receivers).toEqual([`${topic}-a`, `${topic}-b`]);
      await eventually(() => seen.length === 3);
      expect(seen.toSorted()).toEqual(['a1 1', 'a1 2', 'b1 1']);
    },
  },
  {
    behaviour: 'what is published with an id twice reaches each subscriber once',
    async run(stage) {
      const topic = uniqueActor();
      class Paid extends Message(`${topic}.paid`, z.object({ n: z.number() })) {}
      const seen: number[] = [];
      @Actor({ name: `${topic}-a` })
      class Mails {
        @On(Paid) paid({ n }: Paid): void {
          seen.push(n);
        }
      }
      const app = await stage.app([Mails]);
      const actors = app.get(Actors);
      await actors.publish(new Paid({ n: 1 }), { id: `${topic}-1` });
      await actors.publish(new Paid({ n: 1 }), { id: `${topic}-1` });
      await actors.publish(new Paid({ n: 2 }));
      await eventually(() => seen.includes(2));
      expect(new Set(seen)).toEqual(new Set([1, 2]));
      expect(seen).toHaveLength(2);
    },
  },
  {
    behaviour: 'an event that is published in a turn is part of its commit',
    async run(stage) {
      const name = uniqueActor();
      class Do extends Message(`${name}.do`, z.object({})) {}
      class Done extends Message(`${name}.done`, z.object({ attempt: z.number() })) {}
      const seen: number[] = [];
      @Actor(FAST)
      class Doing {
        constructor(private readonly actors: Actors) {}
        @Handle(Do) async do(_: Do, { attempt }: Turn): Promise<void> {
          await this.actors.publish(new Done({ attempt }));
          if (attempt < 2) throw new Error('again');
        }
      }
      @Actor({ name: `${name}-log` })
      class Log {
        @On(Done) done({ attempt }: Done): void {
          seen.push(attempt);
        }
      }
      const app = await stage.app([Doing, Log]);
      await app.get(Actors).tell(new Do({}));
      await eventually(() => seen.length > 0);
      expect(seen).toEqual([2]);
    },
  },
  {
    behaviour: 'the copies of an event can be cancelled one by one, by whoever published it',
    async run(stage) {
      const topic = uniqueActor();
      class Due extends Message(`${topic}.due`, z.object({})) {}
      @Actor({ name: `${topic}-a` })
      class Mails {
        @On(Due) due(): void {
          throw new Error('must not start');
        }
      }
      const app = await stage.app([Mails]);
      const actors = app.get(Actors);
      const { id, copies } = await actors.publish(new Due({}), { delay: '1h' });
      expect(copies).toEqual([`${id}@${topic}-a`]);
      expect(await actors.cancel(copies[0] ?? '')).toBe('cancelled');
      expect(await actors.cancel(copies[0] ?? '')).toBe('ended');
    },
  },
  {
    behaviour: 'an event nobody subscribes to reaches nobody, and says so',
    async run(stage) {
      const topic = uniqueActor();
      class Lost extends Message(`${topic}.lost`, z.object({})) {}
      const app = await stage.app([]);
      expect(await app.get(Actors).publish(new Lost({}))).toMatchObject({ receivers: [] });
    },
  },
  {
    behaviour: 'a process without the actors knows their subscriptions from the store',
    shared: true,
    async run(stage) {
      const topic = uniqueActor();
      class Paid extends Message(`${topic}.paid`, z.object({})) {}
      class Go extends Message(`${topic}.go`, z.object({})) {}
      let seen = 0;
      @Actor()
      class Books {
        @Handle(Go) go(): void {}
        @On(Paid) paid(): void {
          seen++;
        }
      }
      await stage.app([Books]);
      const publisher = await stage.app([]);
      const { receivers } = await publisher.get(Actors).publish(new Paid({}));
      expect(receivers).toEqual([topic]);
      await eventually(() => seen === 1);
    },
  },
];
