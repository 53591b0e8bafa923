import { ENGINE, type Engine } from '@callsheet/messaging';
import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../test/support/ports.js';
import { shapeOf } from '../test/shape.js';
import { stageForFile } from '../test/stage.js';
import { linesOf } from '../test/terminal.js';

const { app, run, dead } = stageForFile();

/** What `--json` shows, by command: scripts lean on it. */
const shapes: Record<string, unknown> = {};

async function document(line: string): Promise<unknown> {
  const { code, out, err } = await run(`${line} --json`);
  expect([line, code, err]).toEqual([line, 0, '']);
  const documents = linesOf(out);
  shapes[line] = shapeOf(documents);
  return documents[0];
}

describe('--json', () => {
  it('shows one document, or a line for each entry, of the same shape always', async () => {
    await dead('shape');
    await run('keys create shape viewer --expires 1d');
    await run('send shelf.keep --id shape-2 --delay 1h');
    await document(`routes put shape '{"order":1,"match":{"topic":"a.b"},"to":["shelf"]}'`);
    await document(`send shelf.keep '{}'`);
    await document(`ask greeter.greet '{"name":"Ada"}'`);
    await document(`publish a.b '{}' --type shelf.keep`);
    await document('messages list greeter --state dead --limit 1');
    await document('messages show shape');
    await document('messages cancel shape-2 --yes');
    await document('actors show greeter');
    await document('actors pause shelf --reason x');
    await document('actors resume shelf');
    await document('actors keys greeter');
    await document('dead-letters list');
    await document('dead-letters show shape');
    await document('dead-letters groups');
    await document('dead-letters redrive --all --dry-run');
    await run('dead-letters discard shape --yes');
    await document(`schedules create shape --type shelf.keep --every 1h`);
    await document('schedules list');
    await document('schedules show shape');
    await document('schedules next shape');
    await document('schedules pause shape --reason x');
    await document('schedules resume shape');
    await document('schedules trigger shape');
    await document('schedules delete shape --yes');
    await document('sync list');
    await document('routes list');
    await document('routes show shape');
    await document(`routes test shelf.keep '{}' --topic a.b`);
    await document('routes delete shape --yes');
    await app()
      .get<Engine>(ENGINE)
      .bind('actor:gone', [{ type: 'shelf.keep' }]);
    await document('subscriptions list');
    await document('subscriptions delete gone --yes');
    await document('keys list');
    await document('audit --limit 1');
    expect(shapes).toMatchSnapshot();
  });
});

describe('what is wrong', () => {
  it.each([
    ['mesages', "unknown command 'mesages'\n(Did you mean messages?)"],
    ['messages shw', '(Did you mean show?)\nusage: callsheet messages'],
    ['send --priorty high', '(Did you mean --priority?)'],
    ['messages show', "missing required argument 'id'"],
    ['messages show a b', 'too many arguments'],
    ['messages list x --state dad', 'Allowed choices are waiting, delayed,'],
    ['messages list x --limit none', 'It must be a whole number'],
    ['send', 'send needs a type'],
    ['send --batch x --delay 1h', "'--batch <file>' cannot be used with option '--delay"],
    ['send --batch x --replace', "cannot be used with option '--replace'"],
    ['schedules create x --file @x --cron @daily', "cannot be used with option '--cron"],
    ['actors keys greeter --limit 101', 'It must be a whole number from 1 to 100.'],
    ['send a {x}', "write it in single quotes, '{"],
    ['send a 5', 'data must be a JSON object'],
    ['send a --header x', 'It must be name=value'],
    ['keys create shop king', 'Allowed choices are viewer, operator, admin'],
    ['actors pause shelf', "say why: --reason 'too loud'"],
    ['messages', 'Usage: callsheet messages'],
    ['completion csh', 'Allowed choices are zsh, bash, fish'],
    ['help mesages', "unknown command 'mesages'"],
    ['help messages shw', "unknown command 'messages shw'"],
    ['messages list nobody', "<actor> 'nobody' is not known; known are greeter,"],
    ['messages list greeter --find x', '--find must be data.<field>:<value> (invalid_query)'],
    ['dead-letters list --actor nobody', "--actor 'nobody' is not known; known are greeter,"],
    ['dead-letters redrive --actor nobody --yes', "--actor 'nobody' is not known; known are"],
    ['dead-letters list --before x', '--before '],
    ['dead-letters redrive --before x --yes', '--before '],
    ['keys create shop viewer --expires 1ms', '--expires '],
    ['keys create shop viewer --permission nope', '--permission '],
    ['actors pause greeter --reason ' + 'x'.repeat(600), '--reason '],
    ['schedules list --state active --tag', "option '--tag <tag>' argument missing"],
    ['constructor', "unknown command 'constructor'"],
  ])('is said of `%s`, and what to type instead', async (line, says) => {
    const { code, out, err } = await run(line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(says);
  });

  it.each([
    ['mesages --json', "unknown command 'mesages'"],
    ['messages show --json', "missing required argument 'id'"],
    ['messages list x --limit none --json', 'It must be a whole number'],
    ['send --json', 'send needs a type'],
    ['messages --json', "unknown option '--json'"],
  ])('is JSON of `%s`', async (line, says) => {
    const { code, out, err } = await run(line);
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toEqual({
      ...{ exit: 2, detail: expect.stringContaining(says) as string },
      hint: expect.stringContaining('callsheet') as string,
    });
  });

  it.each([
    ['messages show nothing', 3, '(not_found)'],
    ['send shelf.kep', 1, '`callsheet actors list` shows what can be sent'],
    [`send greeter.greet '{"name":5}'`, 1, 'name: Invalid input'],
    ['actors show nobody', 3, "there is no actor 'nobody'; known are greeter, routes,"],
    ['keys revoke nobody --yes', 3, "there is no API key with the id 'nobody'"],
    ['messages show ../api-keys', 3, '(not_found)'],
  ])('is told by the API of `%s`: exit code %i', async (line, exit, says) => {
    const { code, out, err } = await run(line);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toContain(says);
  });

  it.each([
    ['no key', { CALLSHEET_API_KEY: '' }, 4, 'set CALLSHEET_API_KEY to a key that holds'],
    ['another key', { CALLSHEET_API_KEY: 'x'.repeat(32) }, 4, '(unauthorized)'],
    ['no URL', { CALLSHEET_API_URL: 'localhost:3000' }, 2, 'must be an http:// or https:// URL'],
    [
      'a password',
      { CALLSHEET_API_URL: 'http://ada:xxxxx@127.0.0.1' },
      2,
      'no user and no password',
    ],
    ['a key of bytes', { CALLSHEET_API_KEY: 'a\nb' }, 2, 'a header cannot hold'],
  ])('is found in the environment: %s', async (_, own, exit, says) => {
    const { code, out, err } = await run('actors list', { env: own });
    expect([code, out]).toEqual([exit, '']);
    expect(err).toContain(says);
    expect(err).not.toMatch(/x{5}/);
    const json = await run('actors list --json', { env: own });
    expect([json.code, json.out]).toEqual([exit, '']);
    expect(JSON.parse(json.err)).toMatchObject({ exit, detail: expect.any(String) as string });
  });

  it('is that nobody is there: exit code 5', async () => {
    const own = { CALLSHEET_API_URL: `http://127.0.0.1:${await freePort()}` };
    const { code, out, err } = await run('actors list', { env: own });
    expect([code, out]).toEqual([5, '']);
    expect(err).toContain('callsheet dev');
    const json = await run('actors list --json', { env: own });
    expect([json.code, json.out]).toEqual([5, '']);
    expect(JSON.parse(json.err)).toMatchObject({ exit: 5, detail: expect.any(String) as string });
  });

  it('is not permitted: exit code 4', async () => {
    const { out } = await run('keys create looker viewer');
    const own = { CALLSHEET_API_KEY: out.trim() };
    expect(await run('actors list', { env: own })).toMatchObject({ code: 0 });
    expect(await run('schedules resume greeter.monday', { env: own })).toMatchObject({ code: 4 });
  });
});

it('tells its version', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

it.each([
  ['help', '--help'],
  ['help messages', 'messages --help'],
  ['help messages list', 'messages list --help'],
])('says with `%s` what `%s` says', async (line, same) => {
  const { code, out } = await run(line);
  expect([code, out]).toEqual([0, (await run(same)).out]);
  expect(out).toContain('Usage: callsheet');
});

describe('a table', () => {
  it('fits the terminal, with ids whole, in colour unless NO_COLOR', async () => {
    await dead('table-with-a-long-name-that-takes-much-room');
    const list = 'dead-letters list';
    const { out } = await run(list, { columns: 100 });
    const [head = '', row = ''] = out.split('\n');
    expect([head.slice(0, 7), head.slice(-5)]).toEqual(['\u001b[1mid ', '\u001b[22m']);
    expect(row).toContain('…');
    expect(row.length).toBeLessThanOrEqual(100);
    const narrow = (await run(list, { columns: 40 })).out;
    expect(narrow).toMatch(/^table-with-a-long-name-that-takes-much-room  gre…  /m);
    expect((await run(list, { columns: 60, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await run(list)).out).toContain('table-with-a-long-name-that-takes-much-room\t');
  });

  it('of long lists comes page after page, up to the limit', async () => {
    const input = '{"type":"shelf.keep","data":{}}\n'.repeat(260);
    expect((await run('send --batch -', { input })).code).toBe(0);
    const lines = async (line: string) => linesOf((await run(line)).out).length;
    expect(await lines('messages list shelf --limit 250 --json')).toBe(250);
    expect(await lines('messages list shelf --json')).toBe(20);
  });
});

it.each(['bash', 'zsh', 'fish'])('completes in %s', async (shell) => {
  const log = vi.spyOn(console, 'log').mockReturnValue();
  onTestFinished(() => log.mockRestore());
  expect((await run(`completion ${shell}`)).code).toBe(0);
  expect(String(log.mock.calls)).toContain('callsheet complete --');
});
