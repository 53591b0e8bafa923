import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  Message,
  Read,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const CounterState = z.object({ n: z.number().default(0) });
class Broken extends Error {}

function counter() {
  const name = uniqueActor();
  const id = z.string();
  class Add extends Message(`${name}.add`, z.object({ id, n: z.number() }), { key: 'id' }) {}
  class Get extends Message(`${name}.get`, z.object({ id }), { key: 'id', reply: z.number() }) {}
  const seen: string[] = [];
  const broken = new Set<string>();
  @Actor({
    state: CounterState,
    retry: { attempts: 3, delay: 20, jitter: 0 },
    on: [[Broken, 'quarantine']],
  })
  class Counter {
    @Handle(Add) async add({ id: key, n }: Add, turn: Turn<typeof CounterState>): Promise<void> {
      if (broken.has(key)) throw new Broken(key);
      turn.state.n += n;
      await new Promise((resolve) => setImmediate(resolve));
      if (n === 2 && turn.attempt === 1) throw new Error('the second is tried again');
      seen.push(`${key}${n}`);
    }
    @Read(Get) get(_: Get, turn: Turn<typeof CounterState>): number {
      return turn.state.n;
    }
  }
  return { name, Add, Get, Counter, seen, broken };
}

export const keyCases: ModelCase[] = [
  {
    behaviour: 'messages of a key keep their order, and its state what they left',
    async run(stage) {
      const { name, Add, Get, Counter, seen } = counter();
      const app = await stage.app([Counter]);
      const actors = app.get(Actors);
      for (const n of [1, 2, 3]) {
        await actors.tell(new Add({ id: 'a', n }));
        await actors.tell(new Add({ id: 'b', n: n + 10 }));
      }
      await eventually(() => seen.length === 6);
      expect(seen.filter((each) => each.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
      expect(seen.filter((each) => each.startsWith('b'))).toEqual(['b11', 'b12', 'b13']);
      expect(await actors.ref('a').ask(Get, {})).toBe(6);
      expect(await app.get<Engine>(ENGINE).state(name, 'b')).toMatchObject({ data: { n: 36 } });
    },
  },
  {
    behaviour: 'quarantine stops one key with its mailbox, and its release lets it go on in order',
    async run(stage) {
      const { name, Add, Counter, seen, broken } = counter();
      broken.add('a');
      const app = await stage.app([Counter]);
      const engine = app.get<Engine>(ENGINE);
      const actors = app.get(Actors);
      for (const n of [1, 3, 4]) {
        await actors.tell(new Add({ id: 'a', n }));
        await actors.tell(new Add({ id: 'b', n }));
      }
      await eventually(() => seen.length === 3);
      expect(seen).toEqual(['b1', 'b3', 'b4']);
      expect(await engine.quarantined(name)).toMatchObject([
        { key: 'a', depth: 3, attempt: { error: { name: 'Error', message: 'a' } } },
      ]);
      broken.delete('a');
      expect(await engine.release(name, 'a')).toBe(true);
      await eventually(() => seen.length === 6);
      expect(seen.slice(3)).toEqual(['a1', 'a3', 'a4']);
      expect(await engine.quarantined(name)).toEqual([]);
    },
  },
];
