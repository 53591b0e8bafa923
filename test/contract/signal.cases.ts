import { expect } from 'vitest';
import { SIGNAL_BYTES, type Engine } from '../../libs/messaging/src/engine.js';
import { IdempotencyConflictError } from '../../libs/messaging/src/messaging.errors.js';
import { eventually } from '../support/eventually.js';
import type { Case } from './case.js';
import { dead, doneWith, retry } from './context.js';
import { reaches } from './expect.js';

export const signalCases: Case[] = [
  {
    promise: 'a signal is heard by all who listen to its name, as it was sent, and by nobody else',
    async run(context) {
      const engine = await context.engine();
      const names = ['a', 'a b', '2 b*', 'x'.repeat(200), '{a}:"\'\\\n\t%?[z]', 'żółć 🎬'];
      const texts = ['', 'one', 'two\nlines', ' 🎬 ', '1 a', 'é'.repeat(SIGNAL_BYTES / 2)];
      // Another case must not hear it, and a name is never longer than it may be.
      const own = (name: string): string => (context.id('') + name).slice(0, 200);
      const ears = [...names, 'a', 'not told'].map((name) => own(name));
      const heard = await Promise.all(ears.map((name) => hearing(engine, name)));
      for (const name of names) {
        await engine.signal(texts.map((text) => ({ name: own(name), text })));
      }
      await eventually(() => heard.slice(0, 7).every(({ texts }) => texts.length >= 6));
      await told(context.id('end'), engine);
      const sorted = [...texts].sort();
      expect(heard.map(({ texts }) => texts.sort())).toEqual([...Array(7).fill(sorted), []]);
    },
  },
  {
    promise: 'whoever has ended listening hears nothing more, others still do',
    async run(context) {
      const engine = await context.engine();
      const name = context.id('room');
      const [mine, yours] = [await hearing(engine, name), await hearing(engine, name)];
      const tell = async (text: string): Promise<void> => {
        await engine.signal([{ name, text }]);
        await eventually(() => yours.texts.includes(text));
      };
      await tell('one');
      await eventually(() => mine.texts.length === 1);
      await mine.end();
      await tell('two');
      await mine.end();
      const again = await hearing(engine, name);
      await tell('three');
      await eventually(() => again.texts.length === 1);
      await Promise.all([again.end(), yours.end()]);
      const last = await hearing(engine, name);
      await engine.signal([{ name, text: 'four' }]);
      await eventually(() => last.texts.length === 1);
      const all = [mine, yours, again, last].map(({ texts }) => texts);
      expect(all).toEqual([['one'], ['one', 'two', 'three'], ['three'], ['four']]);
    },
  },
  {
    promise: 'every process hears a signal, the one that sends it too',
    needs: 'shared',
    async run(context) {
      const name = context.id('room');
      const engines = [await context.engine(), await context.engine(), await context.engine()];
      const ears = await Promise.all(engines.map((engine) => hearing(engine, name)));
      for (const [n, engine] of engines.entries()) {
        await engine.signal([{ name, text: `from ${n}` }]);
        await eventually(() => ears.every(({ texts }) => texts.length === n + 1));
      }
      const all = ['from 0', 'from 1', 'from 2'];
      expect(ears.map(({ texts }) => texts)).toEqual([all, all, all]);
    },
  },
  {
    promise: 'whoever hears the signal of a turn finds what the turn has committed',
    async run(context) {
      const engine = await context.engine();
      const { actor } = context;
      const name = context.id('room');
      const found: unknown[] = [];
      const end = await engine.onSignal(name, (id) => {
        void engine.find(id, [actor]).then((record) => found.push(record?.state, record?.reply));
      });
      await context.consume(engine, ({ envelope: { id } }) =>
        doneWith({ reply: { data: 42 }, signals: [{ name, text: id }] }),
      );
      for (let n = 0; n < 10; n++) {
        await engine.send([context.envelope()]);
        await eventually(() => found.length === 2 * (n + 1), { interval: 2 });
        expect(found.slice(-2)).toEqual(['done', { data: 42 }]);
      }
      await end();
    },
  },
  {
    promise: 'a turn that does not succeed, or is refused, tells nothing',
    async run(context) {
      const engine = await context.engine();
      const name = context.id('room');
      const ear = await hearing(engine, name);
      const taken = context.id('taken');
      await engine.send([context.named(taken, 'one', { dueAt: Date.now() + 60_000 })]);
      const signals = [{ name, text: 'refused' }];
      const refused = context.named(context.id('refused'));
      const late = context.named(context.id('late'));
      await context.consume(engine, (delivery) => {
        if (delivery.envelope.id === refused.id) {
          const sends = [context.named(taken, 'another')];
          return doneWith({ sends, signals }, (error) => {
            expect(error).toBeInstanceOf(IdempotencyConflictError);
            return dead(delivery);
          });
        }
        if (delivery.attempt === 1) return retry(5)(delivery);
        return doneWith({ signals: ['one', 'two'].map((text) => ({ name, text })) });
      });
      await engine.send([refused]);
      await reaches(context, engine, refused.id, 'dead');
      await engine.send([late]);
      await eventually(() => ear.texts.length >= 2);
      await told(context.id('end'), engine);
      expect(ear.texts.sort()).toEqual(['one', 'two']);
    },
  },
];

interface Ear {
  texts: string[];
  end(): Promise<void>;
}

async function hearing(engine: Engine, name: string): Promise<Ear> {
  const texts: string[] = [];
  return { texts, end: await engine.onSignal(name, (text) => texts.push(text)) };
}

/** Tells something last, and waits until it is heard: then all before it has been. */
async function told(name: string, engine: Engine): Promise<void> {
  const last = await hearing(engine, name);
  await engine.signal([{ name, text: 'end' }]);
  await eventually(() => last.texts.length === 1);
  await last.end();
}
