import {
  Actor,
  Actors,
  CancelledError,
  ENGINE,
  Handle,
  Message,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

export const cancelCases: ModelCase[] = [
  {
    behaviour: 'a delayed message that is cancelled never starts, and whoever asked is told',
    async run(stage) {
      const name = uniqueActor();
      class Later extends Message(`${name}.later`, z.object({})) {}
      @Actor()
      class Later1 {
        @Handle(Later) later(): void {
          throw new Error('must not start');
        }
      }
      const app = await stage.app([Later1]);
      const actors = app.get(Actors);
      const { id } = await actors.tell(new Later({}), { delay: '1h', id: `${name}-1` });
      expect(await actors.cancel(id)).toBe('cancelled');
      expect(await actors.cancel(id)).toBe('ended');
      expect(await actors.cancel(`${name}-unknown`)).toBe('unknown');
      const engine = app.get<Engine>(ENGINE);
      expect((await engine.find(id, [name]))?.state).toBe('cancelled');
    },
  },
  {
    behaviour:
      'a message in work is told to stop by its signal, in whatever process, and is not tried again',
    async run(stage) {
      const name = uniqueActor();
      class Long extends Message(`${name}.long`, z.object({})) {}
      const reasons: unknown[] = [];
      let starts = 0;
      @Actor()
      class Longing {
        @Handle(Long) async long(_: Long, { signal }: Turn): Promise<void> {
          starts++;
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          reasons.push(signal.reason);
          throw new Error('stopped');
        }
      }
      const worker = await stage.app([Longing]);
      // The other process, where there can be one.
      const other =
        stage.store.alone === undefined ? await stage.app([], { actors: [name] }) : worker;
      const asked = worker.get(Actors).ask(new Long({}), { id: `${name}-1` });
      const told = asked.catch((error: unknown) => error);
      await eventually(() => starts === 1);
      expect(await other.get(Actors).cancel(`${name}-1`)).toBe('cancelling');
      expect(await told).toEqual(new CancelledError(`${name}-1`));
      expect(reasons[0]).toBeInstanceOf(CancelledError);
      expect(starts).toBe(1);
    },
  },
];
