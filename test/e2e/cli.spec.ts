import { once } from 'node:events';
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type } from '../../apps/cli/test/terminal.js';
import { ROOT } from '../support/app.process.js';
import { serverSuite } from '../support/available.js';
import { Child } from '../support/child.js';
import { startStandalone } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import { tempDir } from '../support/temp.js';
import { BASH, CLI, startBash, startCli, startTerminal, TERMINAL } from '../support/typed.js';

describe('the command line', () => {
  let env: Record<string, string>;

  beforeAll(async () => {
    const { api } = await startStandalone();
    env = { CALLSHEET_API_URL: api.url };
    await eventually(async () => (await api.request('GET', '/v1/sync/signups')).status === 200);
  });

  /** Ends as it does, with what it wrote. */
  async function ended(child: Child): Promise<{ code: number | null; out: string; err: string }> {
    const { code } = await child.exited;
    return { code, out: child.stdout, err: child.stderr };
  }

  it('does what the guide says', async () => {
    const page = readFileSync(path.join(ROOT, 'docs/guide/cli.md'), 'utf8');
    const lines = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.trimEnd().split('\n'),
    );
    expect(lines.length).toBeGreaterThan(25);
    for (const line of lines) {
      const shown = await type(line.replace(/^callsheet /, ''), {
        env: { ...env, CALLSHEET_URL: 'memory:' },
      });
      expect([line, shown]).toEqual([line, expect.objectContaining({ code: 0 })]);
    }
  });

  serverSuite(BASH, 'in bash', () => {
    it('writes into pipes what programs read, and minds none that is shut', async () => {
      const cut = await ended(startBash('callsheet actors list | cut -f1 | sort | head -2', env));
      expect(cut).toEqual({ code: 0, out: 'account\nactor\n', err: '' });
      const shut = await ended(startBash('callsheet --help | true; echo ${PIPESTATUS[0]}', env));
      expect(shut).toEqual({ code: 0, out: '0\n', err: '' });
      const json = await ended(startBash('callsheet actors list --json 2>&1 | head -1', env));
      expect(JSON.parse(json.out)).toMatchObject({ name: expect.any(String) as string });
    });

    it('completes what was begun', async () => {
      const script = await ended(
        startBash('source <(callsheet completion bash) && echo sourced', env),
      );
      expect(script).toEqual({ code: 0, out: 'sourced\n', err: '' });
    });
  });

  serverSuite(TERMINAL, 'in a terminal', () => {
    it('fits its tables to the terminal', async () => {
      const { out } = await ended(startTerminal('callsheet actors list', 'true', env));
      const lines = out.split('\r\n');
      expect(lines[0]?.startsWith('\u001b[1mactor ')).toBe(true);
      for (const line of lines.slice(1)) expect(line.length).toBeLessThanOrEqual(80);
      expect(out).toContain('ended with 0');
    });

    it('asks, and is left with Ctrl-C', async () => {
      const keys = path.join(tempDir(), 'keys');
      writeFileSync(keys, '');
      const terminal = startTerminal('callsheet sync reset signups', 'tail -f "$KEYS"', {
        ...env,
        KEYS: keys,
      });
      const question = 'set signups back to the beginning. Do it? [y/N] ';
      await eventually(() => terminal.stdout.includes(question), { timeout: 30_000 });
      appendFileSync(keys, '\u0003');
      await eventually(() => terminal.stdout.includes('ended with 130'), { timeout: 30_000 });
      expect(terminal.stdout).toMatch(/\[y\/N\] \^C(\r\n)?ended with 130\r\n$/);
    });
  });

  it.each<[NodeJS.Signals, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])(
    'ends by %s while it waits for an answer: %i, with nothing on its lips',
    async (signal, code) => {
      let asked = false;
      const server = createServer(() => (asked = true)).listen(0, '127.0.0.1');
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const child = startCli(['actors', 'list'], { CALLSHEET_API_URL: `http://127.0.0.1:${port}` });
      await eventually(() => asked, { timeout: 30_000 });
      child.signal(signal);
      expect(await ended(child)).toEqual({ code, out: '', err: '' });
    },
  );

  it('completes what was begun', async () => {
    const complete = async (...words: string[]) =>
      (await ended(startCli(['complete', '--', ...words], {}))).out;
    expect(await complete('sched')).toContain('schedules\t');
    expect(await complete('schedules', 'ba')).toContain('backfill\t');
    expect(await complete('dead-letters', 'list', '--because', '')).toContain('exhausted');
  });

  it('finds that the folder of the store cannot be written', async () => {
    const folder = tempDir();
    const examined = async () => {
      // Root writes where it may not, unless it has lost that power.
      const bare = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override'] : [];
      const [command, ...args] = [...bare, process.execPath, CLI, 'doctor', '--json'];
      const child = new Child(command, args, {
        env: { PATH: process.env['PATH'], ...env, CALLSHEET_URL: `pglite:${folder}` },
      });
      const { findings } = JSON.parse((await ended(child)).out) as { findings: { id: string }[] };
      return findings.map(({ id }) => id);
    };
    expect(await examined()).not.toContain('folder-read-only');
    chmodSync(folder, 0o555);
    expect(await examined()).toContain('folder-read-only');
  });

  it('is the binary of the package', async () => {
    const { bin } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      bin: { callsheet: string };
    };
    const child = new Child(path.join(ROOT, bin.callsheet), ['actors', 'list', '--json'], {
      env: { ...process.env, ...env },
    });
    expect((await child.exited).code).toBe(0);
  });
});

describe('callsheet dev', () => {
  const settings = { PORT: '0', CALLSHEET_URL: 'memory:' };

  async function developed(): Promise<{ child: Child; url: string }> {
    const child = startCli(['dev'], settings, tempDir());
    const ready = /actors +(http:\/\/127\.0\.0\.1:\d+)/;
    await eventually(() => ready.test(child.output), { timeout: 60_000 });
    return { child, url: ready.exec(child.output)?.[1] ?? '' };
  }

  const isGone = (url: string) =>
    fetch(`${url}/health/live`).then(
      () => false,
      () => true,
    );

  it('runs everything, and ends with Ctrl-C', async () => {
    const { child, url } = await developed();
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await child.stop('SIGINT')).toEqual({ code: 130, signal: null });
    expect(await isGone(url)).toBe(true);
  });

  it('leaves no orphan when it is killed', async () => {
    const { child, url } = await developed();
    await child.kill();
    expect(await eventually(() => isGone(url), { timeout: 40_000 })).toBe(true);
  });
});
