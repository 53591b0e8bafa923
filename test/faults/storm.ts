import type { Child } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import type { History } from './history.js';
import { createTable, opened, remainsOf, withRaw } from './remains.js';
import { Run } from './run.js';
import { keysOf, Sender } from './sender.js';

export interface Storm {
  name: string;
  url: string;
  messages: number;
  /** Of workers, in the middle of work. */
  kills: number;
  workers: number;
  /** 'SIGTERM': workers are deployed anew, and hand back what they cannot end. Default 'kill -9'. */
  by?: 'kill -9' | 'SIGTERM';
}

const KEYS = keysOf(100);

/** Sends to many keys, kills workers until all is handled, and compares what happened with what should have. */
export async function storm({ by = 'kill -9', ...storm }: Storm): Promise<History> {
  const { name, url, messages, kills, workers } = storm;
  const run = new Run(name);
  const sender = await Sender.open(url, run.ledger);
  for (let n = 0; n < messages / KEYS.length; n++) await sender.sendRound(KEYS, n);
  await sender.close();
  if (!url.startsWith('redis:')) await createTable(url);

  const running = Array.from({ length: workers }, () => run.worker({ url }));
  // Bounded by kills: each waits until the victim is in the middle of work.
  for (let killed = 0; killed < kills; killed++) {
    const place = run.nemesis.between(0, workers - 1);
    const victim = running[place]!;
    await run.reached(victim, run.nemesis.between(20, 200));
    await run.down(victim, by);
    running[place] = run.worker({ url });
  }
  await (url.startsWith('pglite:') ? idle(run, running[0]!) : settled(url));
  for (const child of running) await child.stop();
  const remains = await withRaw(url, await remainsOf(url, KEYS));
  const alone = 'the one process that could begin it again is killed again and again';
  const except = url.startsWith('pglite:') ? { recoveredInTime: alone } : {};
  return run.judge({ remains, faults: { [by]: kills }, except });
}

/** Nothing is left to do, as seen from outside. */
export async function settled(url: string, timeout = 180_000): Promise<void> {
  const engine = await opened(url);
  try {
    const isOver = async (): Promise<boolean> => {
      const all = await Promise.all([engine.counts('tally'), engine.counts('ticks')]);
      return all.every(({ waiting, delayed, active }) => waiting + delayed + active === 0);
    };
    await eventually(isOver, { timeout, interval: 200 });
  } finally {
    await engine.close();
  }
}

/** The same, as the one process sees it that may look. */
async function idle(run: Run, worker: Child): Promise<void> {
  const isIdle = (): boolean =>
    run.events().some(({ kind, pid }) => kind === 'idle' && pid === worker.pid);
  await eventually(isIdle, { timeout: 180_000, interval: 500 });
}
