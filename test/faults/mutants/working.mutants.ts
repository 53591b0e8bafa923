import { Worker } from 'bullmq';
import { eventually } from '../../support/eventually.js';
import { NEW, tallied, type Tally } from '../history.js';
import { LOCK } from './lock.js';
import type { Mutant, Stage } from './stage.js';

/** Mistakes of those that do the work. */
export const WORKING: readonly Mutant[] = [
  {
    title: 'effects are written after the ack',
    by: 'nothingLost',
    play: async (stage) => {
      await stage.add({ id: 'm' });
      await stage.worker('writes after the ack').exited;
      return stage.remains();
    },
  },
  {
    title: 'completing does not ask for the lock',
    by: 'zombiesCommitNothing',
    play: async (stage) => {
      await stage.add({ id: 'm' });
      const zombie = stage.worker('freezes');
      await stage.run.reached(zombie, 1);
      const thaw = async (): Promise<void> => {
        const other = stage.worker('waits');
        await stage.run.reached(other, 1);
        zombie.signal('SIGCONT');
      };
      await stage.run.nemesis.harm('SIGSTOP', thaw, zombie.pid);
      await eventually(async () => (await stage.effects()).length > 0);
      await stage.redis.set('go', '1');
      return stage.remains();
    },
  },
  {
    title: 'state is read, changed and written back without a fence',
    by: 'stateIsFold',
    play: async (stage) => {
      for (const n of [0, 1]) await stage.add({ id: `m${n}`, key: 'k', n });
      let readers = 0;
      const worker = new Worker(
        'plain',
        async ({ data }) => {
          const { id: of, key, n } = data as { id: string; key: string; n: number };
          const before = JSON.parse(
            (await stage.redis.get('state')) ?? JSON.stringify(NEW),
          ) as Tally;
          readers++;
          await eventually(() => readers === 2);
          await stage.redis.set('state', JSON.stringify(tallied(before, n)));
          await stage.redis.rpush('effects', JSON.stringify({ of, run: of, key, n }));
        },
        { connection: stage.connection, concurrency: 2 },
      );
      await eventually(async () => (await stage.effects()).length === 2);
      await worker.close();
      const state = JSON.parse((await stage.redis.get('state')) ?? '{}') as Tally;
      return stage.remains({ states: { k: state } });
    },
  },
  {
    title: 'dead letters are made on the event that a job failed',
    by: 'deadLettersExact',
    play: async (stage) => {
      await stage.add({ id: 'm' });
      await stage.worker('dead letter by event').exited;
      // The queue of dead letters, to which the event would have added.
      return stage.remains({ dead: [] });
    },
  },
  {
    title: 'crashes are counted as stalls, of which there may be one',
    by: 'deadLettersExact',
    play: async (stage) => {
      await stage.add({ id: 'm' });
      for (let crash = 1; crash <= 2; crash++) {
        const child = stage.worker('dies at once');
        await stage.run.nemesis.harm('kill -9', () => child.exited, child.pid);
      }
      await failed(stage);
      return stage.remains();
    },
  },
  {
    title: 'delays are counted on the clock of the worker',
    by: 'neverEarly',
    play: async (stage) => {
      const hour = 3_600_000;
      await stage.add({ id: 'm', due: Date.now() + hour }, { delay: hour });
      const child = stage.worker('fast clock');
      await eventually(async () => (await stage.effects()).length === 1);
      await child.kill();
      return stage.remains();
    },
  },
  {
    title: 'a process runs what it is still running, after its event loop was blocked',
    by: 'singleWriter',
    play: async (stage) => {
      await stage.add({ id: 'm', key: 'k', n: 0 });
      const child = stage.worker('blocks its loop');
      await eventually(async () => (await stage.effects()).length === 2);
      await child.kill();
      return stage.remains();
    },
  },
];

/** Waits until BullMQ has given up a job of its own accord. */
async function failed(stage: Stage): Promise<void> {
  const worker = new Worker('plain', async () => undefined, {
    connection: stage.connection,
    stalledInterval: LOCK / 2,
  });
  await eventually(async () => (await stage.queue.getFailedCount()) === 1);
  await worker.close();
}
