import { createServer } from 'node:http';
import { DeadLetters } from '@callsheet/messaging';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Greeter } from '../../../api/test/stage.js';
import { eventually } from '../../../../test/support/eventually.js';
import { listening, stageForFile } from '../../test/stage.js';
import { linesOf } from '../../test/terminal.js';

const { app, run, dead } = stageForFile();

describe('dead letters', () => {
  it('in groups say which could not be looked at in time', async () => {
    const part = { groups: [], complete: false, since: Date.UTC(2026, 0, 1) };
    const groups = vi.spyOn(app().get(DeadLetters), 'groupSome').mockResolvedValue(part);
    onTestFinished(() => groups.mockRestore());
    const { code, err } = await run('dead-letters groups');
    expect(code).toBe(0);
    expect(err).toContain('those that died before 2026-01-01T00:00:00.000Z are not counted');
  });

  it('are redriven and discarded by filter: counted, asked, done', async () => {
    for (const id of ['a', 'b', 'c']) await dead(`letter-${id}`);
    const filter = '--actor greeter --error TypeError';
    expect((await run(`dead-letters groups ${filter}`)).out).toMatch(
      /^3\tgreeter.greet\texhausted/m,
    );
    expect((await run(`dead-letters redrive ${filter} --dry-run`)).out).toBe(
      '3 dead letters would be taken\n',
    );
    expect(await run(`dead-letters redrive ${filter}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('redrive 3 dead letters: nobody is here to be asked') as string,
    });
    const no = await run(`dead-letters redrive ${filter}`, { columns: 80, input: 'n\n' });
    expect(no).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing was done') as string,
    });

    Greeter.mended = true;
    const yes = await run(`dead-letters redrive ${filter} --limit 2`, {
      columns: 80,
      input: 'y\nmended\n',
    });
    expect(yes.err).toMatch(/2 of 2 dead letters redriven\n$/);
    expect(yes.code).toBe(0);
    await eventually(async () => {
      const { out } = await run(`dead-letters list ${filter} --json`);
      return (
        linesOf(out)
          .map(({ id }) => id)
          .join() === 'letter-c'
      );
    });
    expect((await run('audit --limit 1 --json')).out).toContain('"reason":"mended"');
    expect((await run(`dead-letters discard ${filter} --yes --json`)).out).toBe(
      '{"state":"discarded","count":1}\n',
    );
    expect((await run(`dead-letters list ${filter}`)).err).toBe('none\n');
  });

  it('are named, and one of them is mended', async () => {
    await dead('letter-d');
    const data = '{"name":"Ada"}';
    expect((await run(['dead-letters', 'redrive', 'letter-d', '--data', data])).code).toBe(0);
    await eventually(async () => (await run('messages show letter-d')).out.includes('done'));
    expect((await run('dead-letters redrive letter-d')).code).toBe(3);
    expect((await run('dead-letters redrive')).err).toContain('or say --all');
    expect((await run('dead-letters discard x --actor greeter')).code).toBe(2);
    expect((await run('dead-letters discard x --dry-run --yes')).code).toBe(2);
    expect((await run('dead-letters redrive --all --data {} --yes')).code).toBe(2);
  });

  it('that are not there do not keep others from being discarded', async () => {
    for (const id of ['e', 'f']) await dead(`letter-${id}`);
    const ids = ['nobody', 'letter-e', 'letter-f'];
    const { code, out, err } = await run(['dead-letters', 'discard', ...ids, '--yes']);
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain("'nobody'");
    expect(err).toContain('2 of 3 dead letters discarded');
    expect((await run('messages show letter-e')).code).toBe(3);
    expect((await run('messages show letter-f')).code).toBe(3);
  });

  it('that match and that nobody can take end the redrive', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      const count = seen.length === 1 ? 5 : 0;
      const state = seen.length === 1 ? 'counted' : 'redriven';
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ state, count, matched: 5, more: true }));
    });
    const url = await listening(server);
    const { code, err } = await run('dead-letters redrive --all --yes', {
      env: { CALLSHEET_API_URL: url },
    });
    expect([code, seen.length]).toEqual([0, 2]);
    expect(err).toContain('5 were not there any more');
  });
});
