import {
  Actor,
  Actors,
  DeadLetters,
  Handle,
  Keys,
  Message,
  RejectError,
  sealMessage,
  type EndNotice,
  type SealedMessage,
  type Turn,
} from '@callsheet/messaging';
import { expect } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { uniqueActor, type ModelCase } from './stage.js';

const plan = z.object({ plan: z.string() });
const WatchState = z.object({
  run: z.custom<SealedMessage>().optional(),
  runs: z.int().default(0),
});

/** An actor that keeps a message, sends it when told to, and writes down how it ended; and one whose work that is. */
function watched() {
  const [name, job] = [uniqueActor(), uniqueActor()];
  class Run extends Message(`${job}.run`, z.object({ how: z.string() }), { reply: z.any() }) {}
  const kept = plan.extend({ run: z.custom<SealedMessage>() });
  class Keep extends Message(`${name}.keep`, kept, { key: 'plan' }) {}
  class Go extends Message(`${name}.go`, plan, { key: 'plan' }) {}
  class Drop extends Message(`${name}.drop`, plan, { key: 'plan' }) {}
  const notice = z.custom<EndNotice & { key: string }>((given) => typeof given === 'object');
  class Ended extends Message(`${name}.ended`, notice, { key: 'key' }) {}

  @Actor({ state: WatchState, journal: { keep: 50 } })
  class Watch {
    constructor(private readonly actors: Actors) {}

    @Handle(Keep) keep({ run }: Keep, turn: Turn<typeof WatchState>): void {
      turn.state.run = run;
    }
    @Handle(Go) async go({ plan: key }: Go, turn: Turn<typeof WatchState>): Promise<void> {
      if (!turn.state.run) throw new RejectError('nothing is kept');
      const runs = ++turn.state.runs;
      await this.actors.forward(turn.state.run, {
        id: `${key}-${runs}`,
        occurrence: new Date(runs * 60_000),
        notify: { type: Ended.meta.type, key },
        retry: { attempts: 1 },
      });
      turn.journal({ sent: runs });
    }
    @Handle(Ended) ended(end: Ended, turn: Turn<typeof WatchState>): void {
      const { outcome, occurrence = 0, reason = '', result = null } = end;
      turn.journal({ outcome, run: occurrence / 60_000, reason, result });
    }
    @Handle(Drop) drop(_: Drop, turn: Turn<typeof WatchState>): void {
      turn.forget();
    }
  }

  const begun: (Date | undefined)[] = [];
  const mended = { isWhole: false };
  @Actor()
  class Job {
    @Handle(Run) async run({ how }: Run, turn: Turn): Promise<unknown> {
      begun.push(turn.occurrence);
      if (how === 'reject' && !mended.isWhole) throw new RejectError('no');
      if (how !== 'wait') return { how };
      await new Promise((resolve) =>
        turn.signal.addEventListener('abort', resolve, { once: true }),
      );
      throw turn.signal.reason;
    }
  }
  return { Run, Keep, Go, Drop, Watch, Job, begun, mended };
}

export const endCases: ModelCase[] = [
  {
    behaviour: 'a message that is kept is sent later, and who sent it is told of every end of it',
    async run(stage) {
      const { Run, Keep, Go, Drop, Watch, Job, begun, mended } = watched();
      const app = await stage.app([Watch, Job]);
      const [actors, keys] = [app.get(Actors), app.get(Keys)];
      const key = uniqueActor();
      const rows = async () => (await keys.journal(Watch, key)).map(({ row }) => row).reverse();
      const go = async (how: string) => {
        await actors.tell(new Keep({ plan: key, run: sealMessage(new Run({ how })) }));
        await actors.tell(new Go({ plan: key }));
      };
      const done = { outcome: 'done', reason: '' };

      await go('well');
      await eventually(async () => (await rows()).length === 2);
      expect(await rows()).toEqual([{ sent: 1 }, { ...done, run: 1, result: { how: 'well' } }]);
      expect(begun).toEqual([new Date(60_000)]);

      await go('reject');
      const dead = { outcome: 'dead', run: 2, reason: 'rejected', result: null };
      await eventually(async () => (await rows()).length === 4);
      expect((await rows()).slice(2)).toEqual([{ sent: 2 }, dead]);
      mended.isWhole = true;
      expect(await app.get(DeadLetters).redrive(`${key}-2`)).toBe(true);
      await eventually(async () => (await rows()).length === 5);
      expect((await rows())[4]).toEqual({ ...done, run: 2, result: { how: 'reject' } });

      await go('wait');
      await eventually(() => begun.length === 4);
      expect(await actors.cancel(`${key}-3`)).toBe('cancelling');
      await eventually(async () => (await rows()).length === 7);
      expect((await rows())[6]).toMatchObject({ outcome: 'cancelled', run: 3 });

      const [listed] = await keys.states(Watch);
      expect(listed).toMatchObject({ key, state: { runs: 3 } });
      await actors.tell(new Drop({ plan: key }));
      await eventually(async () => (await keys.states(Watch)).length === 0);
      expect(await rows()).toEqual([]);
    },
  },
];
