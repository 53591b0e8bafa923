import {
  Actor,
  Actors,
  ENGINE,
  Handle,
  Message,
  OptionError,
  Read,
  TurnUsageError,
  type Engine,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

export const sqlCases: ModelCase[] = [
  {
    behaviour: 'SQL of a turn runs at its commit, and fails the turn; stores without SQL say so',
    async run(stage) {
      const name = uniqueActor();
      const id = z.string();
      const both = z.object({ id, n: z.number() });
      class Divide extends Message(`${name}.divide`, both, { key: 'id' }) {}
      class Look extends Message(`${name}.look`, z.object({ id }), { key: 'id' }) {}
      const seen: unknown[] = [];
      @Actor({ state: z.object({}), retry: { attempts: 2, delay: 1 } })
      class Divider {
        @Handle(Divide) async divide({ n }: Divide, turn: Turn): Promise<void> {
          const statement = turn.sql`select ${n}::integer / ${turn.attempt - 1}::integer`;
          seen.push(await statement.catch((error: unknown) => error));
        }
        @Read(Look) async look(_: Look, turn: Turn): Promise<void> {
          seen.push(await turn.sql`select 1`.catch((error: unknown) => error));
        }
      }
      const app = await stage.app([Divider]);
      const receipt = await app.get(Actors).tell(new Divide({ id: 'k', n: 1 }));
      const engine = app.get<Engine>(ENGINE);
      await eventually(async () => (await engine.find(receipt.id, [name]))?.state === 'done');
      const { history } = (await engine.find(receipt.id, [name]))!;
      expect(history.map(({ error }) => error.code)).toEqual(
        engine.store.sql ? ['turn_sql_failed'] : [],
      );
      expect(engine.store.sql ? seen : seen[0]).toEqual(
        engine.store.sql ? [undefined, undefined] : expect.any(TurnUsageError),
      );
      await app.get(Actors).tell(new Look({ id: 'k' }));
      await eventually(() => seen.length === (engine.store.sql ? 3 : 2));
      expect(seen.at(-1)).toBeInstanceOf(TurnUsageError);
    },
  },
  {
    behaviour:
      'a send joins a transaction of the caller where the store has SQL, never inside a handler',
    async run(stage) {
      const name = uniqueActor();
      class Go extends Message(`${name}.go`, z.object({})) {}
      const asked: string[] = [];
      const client = {
        query: async (text: string): Promise<void> => {
          asked.push(text);
        },
      };
      const errors: unknown[] = [];
      @Actor()
      class Goer {
        constructor(private readonly actors: Actors) {}
        @Handle(Go) async go(): Promise<void> {
          await this.actors.tell(new Go({}), { tx: client }).catch((error) => errors.push(error));
        }
      }
      Reflect.defineMetadata('design:paramtypes', [Actors], Goer);
      const app = await stage.app([Goer]);
      const actors = app.get(Actors);
      await actors.tell(new Go({}));
      await eventually(() => errors.length === 1);
      expect(errors[0]).toBeInstanceOf(OptionError);
      await expect(actors.tell(new Go({}), { tx: {} as never })).rejects.toThrow('tx must be');
      const sent = await actors.tell(new Go({}), { tx: client }).catch((error: unknown) => error);
      const hasSql = app.get<Engine>(ENGINE).store.sql;
      expect(asked).toHaveLength(hasSql ? 1 : 0);
      expect(sent).toEqual(
        hasSql ? expect.objectContaining({ state: 'waiting' }) : expect.any(OptionError),
      );
    },
  },
];
