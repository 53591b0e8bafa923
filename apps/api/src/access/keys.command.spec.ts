import { beforeEach, describe, expect, it } from 'vitest';
import { stageForTest } from '../../test/stage.js';
import { CommandError, keysCommand } from './keys.command.js';

const KEY = 'k'.repeat(32);
let env: { CALLSHEET_API_URL: string; CALLSHEET_API_KEY: string };

beforeEach(async () => {
  const app = await stageForTest({ apiKey: KEY });
  await app.listen(0, '127.0.0.1');
  env = { CALLSHEET_API_URL: await app.getUrl(), CALLSHEET_API_KEY: KEY };
});

async function lines(): Promise<string[]> {
  return (await keysCommand(['list'], env)).out.trimEnd().split('\n').slice(1);
}

describe('npm run keys', () => {
  it('makes, lists, rotates and revokes keys', async () => {
    const made = await keysCommand(
      [
        ...['create', 'the shop', 'operator', '--expires', '90d', '--tenant', 'acme'],
        ...['--permission', 'messages:send', '--permission', 'messages:read'],
      ],
      env,
    );
    expect(made.out).toMatch(/^cs_[0-9a-f]{16}_[\w-]{43}\n$/);
    const id = made.out.slice(3, 19);
    expect(made.note).toMatch(new RegExp(`^key ${id}, holds until \\d{4}-`));
    expect(await lines()).toEqual([
      expect.stringMatching(
        new RegExp(`^${id}\toperator\tthe shop\tacme\t\\d{4}-.*\tmessages:send,messages:read$`),
      ),
    ]);

    const rotated = await keysCommand(['rotate', id, '--overlap', '0ms'], env);
    expect(rotated.out).not.toBe(made.out);
    const own = { ...env, CALLSHEET_API_KEY: made.out.trim() };
    await expect(keysCommand(['list'], own)).rejects.toThrow('the credentials do not hold');

    expect(await keysCommand(['revoke', id], env)).toEqual({ out: `revoked ${id}\n` });
    expect(await lines()).toEqual([]);
  });

  it.each([
    [[]],
    [['nonsense']],
    [['list', 'x']],
    [['create', 'a']],
    [['create', 'a', 'viewer', 'b']],
    [['rotate']],
    [['list', '--colour']],
    [['constructor']],
  ])('says how it is used for %o', async (given) => {
    await expect(keysCommand(given, env)).rejects.toThrow(CommandError);
    await expect(keysCommand(given, env)).rejects.toThrow('usage: npm run keys -- list');
  });

  it.each([
    [['create', 'a', 'king'], 'role: Invalid option: expected one of "viewer"|"operator"|"admin"'],
    [['revoke', 'nobody'], "there is no API key with the id 'nobody'"],
    [['create', 'a', 'viewer', '--expires', 'soon'], 'expiresIn must be milliseconds'],
  ])('says what is wrong with %o', async (given, problem) => {
    await expect(keysCommand(given, env)).rejects.toThrow(problem);
  });

  it('says when nothing answers', async () => {
    const nowhere = { ...env, CALLSHEET_API_URL: 'http://127.0.0.1:1' };
    await expect(keysCommand(['list'], nowhere)).rejects.toThrow(
      'nothing answers at http://127.0.0.1:1: set CALLSHEET_API_URL to where the API is',
    );
  });
});
