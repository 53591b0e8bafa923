import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBullmqEngine } from '../../libs/messaging/src/drivers/bullmq/bullmq.engine.js';
import { resolveOptions } from '../../libs/messaging/src/messaging.options.js';
import { ROOT } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { Child } from '../support/child.js';
import { startWorker } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import { startPostgres } from '../support/postgres.server.js';
import { startRedis } from '../support/redis.server.js';
import { tempDir } from '../support/temp.js';

/** What `npm run demo:ledger` runs, in a folder and on a store of the test. */
function demo(cwd: string, transfers: number, url = ''): Child {
  const { PATH, HOME } = process.env;
  return new Child(process.execPath, [path.join(ROOT, 'scripts/start.mjs'), 'ledger'], {
    cwd,
    env: { PATH, HOME, CALLSHEET_URL: url, LEDGER_TRANSFERS: `${transfers}` },
  });
}

/** For a busy machine; each takes a few seconds on a quiet one. */
const PATIENCE = 90_000;

/** How much of the run it says is handled, in percent. */
function handled(child: Child): number {
  if (!child.running) throw new Error(`it ended by itself:\n${child.output}`);
  const [, done = '0'] = [...child.stdout.matchAll(/sent, (\d+) % handled/g)].at(-1) ?? [];
  return Number(done);
}

/** Waits until something was handled in its time, and much is left: that is when a kill tells. */
async function inTheMiddle(child: Child): Promise<void> {
  const before = () => Number(/goes on, (\d+) % done/.exec(child.stdout)?.[1] ?? 0);
  await eventually(() => handled(child) > before(), { timeout: PATIENCE });
}

/** The pid that it tells people to kill. */
function toldPid(child: Child): number {
  return Number(/^ {2}kill -9 (\d+)$/m.exec(child.stdout)?.[1]);
}

/** Starts it, kills it in the middle of work, and so on; then lets it come to its end. */
async function killed(kills: number, start: () => Child): Promise<Child> {
  for (let n = 0; n < kills; n++) {
    const victim = start();
    await inTheMiddle(victim);
    expect(toldPid(victim)).toBe(victim.pid);
    await victim.kill();
  }
  return start();
}

/** How it ended, and its last lines. */
async function endOf(last: Child): Promise<{ code: number | null; report: string[] }> {
  const { code } = await last.exited;
  return { code, report: last.stdout.trimEnd().split('\n').slice(-4) };
}

/** An account is opened with 1,000.00 more than it pays, and the n-th transfer moves n cents. */
function right(transfers: number): { code: number; report: string[] } {
  const sum = (20_000 + (transfers * (transfers + 1)) / 200).toLocaleString('en', {
    minimumFractionDigits: 2,
  });
  return {
    code: 0,
    report: [
      'accounts that hold what they must: 20 of 20',
      `sum of all balances: ${sum}, and must be ${sum}`,
      `transfers: ${transfers}, each counted once; 0 lost, 0 doubled`,
      'Right. The same command begins another run.',
    ],
  };
}

// Most of it is waiting for locks of the dead, so the stores do it at the same time.
describe.concurrent('the ledger, killed by hand', { timeout: 300_000 }, () => {
  it('goes on where it stopped on the embedded store, and the sums are right', async () => {
    const cwd = tempDir();
    const last = await killed(2, () => demo(cwd, 250));
    expect(await endOf(last), last.output).toEqual(right(250));
    expect(last.stdout).toMatch(/^Ledger, run 1 goes on, [1-9]\d? % done/m);
    // The run is over: the next one is another.
    const next = demo(cwd, 250);
    await eventually(() => /^Ledger, run 2 begins/m.test(next.stdout), { timeout: PATIENCE });
    expect(await next.stop('SIGINT')).toMatchObject({ signal: 'SIGINT' });
    expect(next.stderr).toBe('');
  });

  it('reports as the README shows it', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    expect(readme).toContain(right(2_000).report.join('\n'));
  });

  it('says when the sums are wrong', async () => {
    const cwd = tempDir();
    const victim = demo(cwd, 300);
    await eventually(() => /300 of 300 transfers sent/.test(victim.stdout), { timeout: PATIENCE });
    await victim.kill();
    const engine = await createBullmqEngine(resolveOptions({ url: `pglite:${cwd}/.callsheet` }));
    await engine.open();
    expect(await engine.cancel('ledger-300.1/300', ['account'])).toBe('cancelled');
    const key = 'ledger-300.1.01';
    const data = { accountId: key, amount: 1 };
    const common = { version: 1, priority: 100, sentAt: Date.now(), headers: {} };
    await engine.send([
      { ...common, id: 'x', actor: 'account', type: 'account.deposit', key, data },
    ]);
    await engine.close();

    const last = demo(cwd, 300);
    expect(await endOf(last), last.output).toEqual({
      code: 1,
      report: [
        expect.stringMatching(/^ {2}ledger-300\.1\.\d\d holds /),
        'sum of all balances: 20,451.51, and must be 20,451.50',
        'transfers: 300; entries on accounts: 2 lost, 1 doubled',
        'WRONG. The accounts stay as they are, to be looked at.',
      ],
    });
    expect(last.stdout).toContain('accounts that hold what they must: 17 of 20');
  });

  serverSuite('redis-server', 'Redis', () => {
    it('goes on where it stopped, though its workers are killed too', async () => {
      const { url } = await startRedis({ appendonly: true });
      const last = await killedOn(url, 6_000);
      expect(await endOf(last), last.output).toEqual(right(6_000));
    });
  });

  serverSuite('postgres', 'PostgreSQL', () => {
    it('goes on where it stopped, though its workers are killed too', async () => {
      const { url } = await startPostgres();
      const last = await killedOn(url, 500);
      expect(await endOf(last), last.output).toEqual(right(500));
    });
  });
});

/**
 * With a worker of its own beside it at first, and at last. No worker lives while the demo is started again: it could come to
 * the end before the next kill.
 */
async function killedOn(url: string, transfers: number): Promise<Child> {
  const start = (): Child => demo(tempDir(), transfers, url);
  const helper = await startWorker(url);
  const first = start();
  await inTheMiddle(first);
  await helper.kill9();
  const done = handled(first);
  await eventually(() => handled(first) > done, { timeout: PATIENCE });
  await first.kill();
  const last = await killed(1, start);
  await startWorker(url);
  return last;
}
