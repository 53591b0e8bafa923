import { describe, expect, it } from 'vitest';
import { stageForFile } from '../../test/stage.js';

const { run } = stageForFile();

describe('API keys', () => {
  it('are shown when they are made, and never again', async () => {
    const made = await run([
      ...['keys', 'create', 'the shop', 'operator', '--expires', '90d', '--tenant', 'acme'],
      ...['--permission', 'messages:send', '--permission', 'messages:read'],
    ]);
    expect(made.out).toMatch(/^cs_[0-9a-f]{16}_[\w-]{43}\n$/);
    const id = made.out.slice(3, 19);
    expect(made.err).toMatch(new RegExp(`^key ${id}, holds until \\d{4}-`));
    const list = await run('keys list');
    expect(list.out).toMatch(
      new RegExp(`^${id}\toperator\tthe shop\tacme\t\\d{4}-.*\tmessages:send,messages:read$`, 'm'),
    );
    const rotated = await run(`keys rotate ${id} --overlap 0`);
    expect(rotated.out).not.toBe(made.out);
    const own = { CALLSHEET_API_KEY: made.out.trim() };
    expect(await run('messages show x', { env: own })).toMatchObject({ code: 4 });
    expect((await run(`keys revoke ${id} --yes`)).out).toBe(`${id} is revoked\n`);
    for (const line of ['keys list --json', 'audit --json']) {
      const { out } = await run(line);
      expect(out).not.toContain(made.out.trim().slice(20));
      expect(out).not.toContain(rotated.out.trim().slice(20));
    }
  });
});
