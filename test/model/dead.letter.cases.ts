import {
  Actor,
  Actors,
  DeadLetters,
  Handle,
  InvalidMessageError,
  Message,
  OnDeadLetter,
  OptionError,
  type DeadLetterAdded,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

function shop() {
  const name = uniqueActor();
  class Buy extends Message(`${name}.buy`, z.object({ item: z.string(), n: z.number() })) {}
  const bought: string[] = [];
  @Actor({ retry: { attempts: 2, delay: 0 } })
  class Shop {
    @Handle(Buy) buy({ item, n }: Buy, { attempt }: Turn): void {
      if (item === 'ghost') throw new Error(`no ghost number ${n} at attempt ${attempt}`);
      if (item === 'dragon') throw new TypeError('no dragons');
      bought.push(`${item} ${n}`);
    }
  }
  return { name, Buy, Shop, bought };
}

export const deadLetterCases: ModelCase[] = [
  {
    behaviour: 'dead letters are listed, filtered and grouped by what they died of',
    async run(stage) {
      const { name, Buy, Shop } = shop();
      const app = await stage.app([Shop]);
      const letters = app.get(DeadLetters);
      for (let n = 0; n < 3; n++) {
        await app.get(Actors).tell(new Buy({ item: 'ghost', n }), { tenant: 'a' });
      }
      await app.get(Actors).tell(new Buy({ item: 'dragon', n: 9 }), { headers: { x: 'y' } });
      await eventually(async () => (await letters.list({ actor: name })).length === 4);
      const groups = await letters.groups({ actor: name });
      expect(groups).toMatchObject([
        { count: 3, type: `${name}.buy`, reason: 'exhausted', error: { name: 'Error' } },
        { count: 1, error: { name: 'TypeError', message: 'no dragons' } },
      ]);
      expect(groups[0]?.ids).toHaveLength(3);
      const fingerprint = groups[1]?.fingerprint ?? '';
      const [dragon, ...rest] = await letters.list({ actor: name, fingerprint });
      expect(rest).toEqual([]);
      expect(dragon).toMatchObject({
        envelope: { data: { item: 'dragon' }, headers: { x: 'y' } },
        history: [{ attempt: 1 }, { attempt: 2, error: { message: 'no dragons' } }],
      });
      expect(await letters.list({ actor: name, tenant: 'a' })).toHaveLength(3);
      expect(await letters.list({ actor: name, before: new Date(0) })).toEqual([]);
      expect(await letters.list({ actor: name }, { limit: 2 })).toHaveLength(2);
    },
  },
  {
    behaviour:
      'a dead letter is mended and redriven, checked as the message was; others are discarded',
    async run(stage) {
      const { name, Buy, Shop, bought } = shop();
      const app = await stage.app([Shop]);
      const letters = app.get(DeadLetters);
      const { id } = await app
        .get(Actors)
        .tell(new Buy({ item: 'ghost', n: 1 }), { id: `${name}-1` });
      await app.get(Actors).tell(new Buy({ item: 'dragon', n: 2 }));
      await app.get(Actors).tell(new Buy({ item: 'dragon', n: 3 }));
      await eventually(async () => (await letters.list({ actor: name })).length === 3);
      await expect(letters.redrive(id, { item: 'book' })).rejects.toThrow(InvalidMessageError);
      expect(await letters.redrive(id, { item: 'book', n: 1 })).toBe(true);
      await eventually(() => bought.length === 1);
      expect(bought).toEqual(['book 1']);
      expect(await letters.redrive(id)).toBe(false);
      expect(await letters.get(id)).toBeUndefined();
      // What was meant to narrow must not come out as all of them.
      await expect(
        letters.discardAll({ actor: name, fingerprint: undefined as unknown as string }),
      ).rejects.toThrow(OptionError);
      expect(await letters.discardAll({ actor: name, type: `${name}.buy` })).toBe(2);
      expect(await letters.list({ actor: name })).toEqual([]);
    },
  },
  {
    behaviour:
      'all letters of a trouble are redriven at once, and die again if nothing has changed',
    async run(stage) {
      const { name, Buy, Shop } = shop();
      const app = await stage.app([Shop]);
      const letters = app.get(DeadLetters);
      await app.get(Actors).tellMany([1, 2, 3].map((n) => new Buy({ item: 'ghost', n })));
      await eventually(async () => (await letters.list({ actor: name })).length === 3);
      const [group] = await letters.groups({ actor: name });
      expect(await letters.redriveAll({ actor: name, fingerprint: group?.fingerprint ?? '' })).toBe(
        3,
      );
      await eventually(
        async () =>
          (await letters.list({ actor: name })).filter(({ history }) => history.length === 4)
            .length === 3,
      );
    },
  },
  {
    behaviour: 'a hook is told of every new dead letter, once',
    async run(stage) {
      const { name, Buy, Shop } = shop();
      const told: DeadLetterAdded[] = [];
      @Actor({ name: `${name}-alerts` })
      class Alerts {
        @OnDeadLetter() alert(letter: DeadLetterAdded): void {
          if (letter.actor === name) told.push(letter);
        }
      }
      const app = await stage.app([Shop, Alerts]);
      const { id } = await app
        .get(Actors)
        .tell(new Buy({ item: 'dragon', n: 2 }), { tenant: 'acme' });
      await eventually(() => told.length === 1);
      expect(told[0]).toMatchObject({
        id,
        actor: name,
        type: `${name}.buy`,
        reason: 'exhausted',
        tenant: 'acme',
        attempts: 2,
        error: { name: 'TypeError', message: 'no dragons' },
      });
      const [letter] = await app.get(DeadLetters).list({ actor: name });
      expect(told[0]?.fingerprint).toBe(letter?.fingerprint);
    },
  },
];
