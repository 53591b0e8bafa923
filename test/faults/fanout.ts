import { NestFactory } from '@nestjs/core';
import type { Queue } from 'bullmq';
import assert from 'node:assert/strict';
import { Actors, CallsheetModule, ENGINE, type Engine } from '../../libs/messaging/src/index.js';
import type { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { Heard, Ring } from './fanout.actor.js';
import { progressOf } from './ledger.js';
import { Run } from './run.js';
import { keysOf } from './sender.js';

const KEYS = keysOf(50);
const ACTORS = ['bells', 'near', 'far'];

/** Turns that publish, and their subscribers, whose workers are killed in the middle of work; then who heard what. */
export async function fanout(
  name: string,
  url: string,
  kills: number,
): Promise<{ rings: number; heard: number }> {
  const run = new Run(name);
  const app = await NestFactory.createApplicationContext(CallsheetModule.forRoot({ url }), {
    logger: false,
    abortOnError: false,
  });
  try {
    const engine = app.get<Engine>(ENGINE);
    let rings = 0;
    /** Somebody who is started anew needs seconds, in which the other one goes on. */
    const feed = async (): Promise<void> => {
      if ((await engine.counts('bells')).waiting > 300) return;
      const batch = Array.from({ length: 300 }, () => {
        const n = rings++;
        const key = KEYS[n % KEYS.length] ?? '';
        return { message: new Ring({ key, n }), options: { id: idOf(n) } };
      });
      await app.get(Actors).tellMany(batch);
    };
    const start = () => run.start('fanout.worker.js', { url, lock: 2_000 });
    const workers = [start(), start()];
    for (let killed = 0; killed < kills; killed++) {
      const place = run.nemesis.between(0, workers.length - 1);
      const victim = workers[place] as Child;
      const lines = run.nemesis.between(5, 60);
      await eventually(
        async () => {
          await feed();
          assert(victim.running, `a process ended by itself:\n${victim.output}`);
          return progressOf(run.dir, victim.pid ?? 0) >= lines;
        },
        { timeout: 60_000, interval: 20 },
      );
      await run.down(victim, 'kill -9');
      workers[place] = start();
    }
    const isOver = async (): Promise<boolean> => {
      const all = await Promise.all(ACTORS.map((actor) => engine.counts(actor)));
      return all.every(({ waiting, delayed, active }) => waiting + delayed + active === 0);
    };
    await eventually(isOver, { timeout: 180_000, interval: 200 });
    for (const worker of workers) await worker.stop();

    const heard = await heardOf(engine);
    const wrong = Array.from({ length: rings }, (_, n) => {
      const by = (heard.get(idOf(n)) ?? []).sort().join();
      const right = n % 3 === 0 ? 'far,near' : 'near';
      return by === right ? '' : `${idOf(n)} was heard by '${by}', and should be by '${right}'`;
    }).filter((each) => each !== '');
    for (const letter of await engine.deadLetters(ACTORS, { limit: 20 })) {
      wrong.push(`dead letter ${letter.envelope.id}: ${letter.reason}`);
    }
    const starts = run.events().filter(({ kind }) => kind === 'start').length;
    console.log(`${name}: ${rings} turns, ${kills} kills, ${starts - rings} begun again`);
    assert.deepEqual(wrong.slice(0, 20), [], `seed ${run.nemesis.seed}`);
    run.forget();
    return { rings, heard: [...heard.values()].flat().length };
  } finally {
    await run.end();
    await app.close();
  }
}

function idOf(n: number): string {
  return `ring-${n}`;
}

/** By message, the subscribers that have heard of it, as often as they have. */
async function heardOf(engine: Engine): Promise<Map<string, string[]>> {
  const queue = engine.queue?.(Heard.meta.actor) as Queue<{ of: string; by: string }>;
  const heard = new Map<string, string[]>();
  for (let from = 0; from < 1_000_000; from += 2_000) {
    const jobs = await queue.getJobs(['waiting', 'prioritized'], from, from + 1_999, true);
    for (const { data } of jobs) heard.set(data.of, [...(heard.get(data.of) ?? []), data.by]);
    if (jobs.length < 2_000) break;
  }
  return heard;
}
