import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RoutesActor } from '@callsheet/messaging';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Greeter, openStage } from '../../api/test/stage.js';
import { eventually } from '../../../test/support/eventually.js';
import { tempDir } from '../../../test/support/temp.js';
import { shapeOf } from '../test/shape.js';
import { linesOf, type, type Shown, type TypeOptions } from '../test/terminal.js';

const KEY = 'k'.repeat(32);
let app: NestFastifyApplication;
let env: Record<string, string>;

beforeAll(async () => {
  app = await openStage({ apiKey: KEY, providers: [Greeter, RoutesActor] });
  await app.listen(0, '127.0.0.1');
  env = { CALLSHEET_API_URL: await app.getUrl(), CALLSHEET_API_KEY: KEY };
});
afterAll(() => app.close());
beforeEach(() => {
  Greeter.mended = false;
});

function run(line: string | readonly string[], options: TypeOptions = {}): Promise<Shown> {
  return type(line, { ...options, env: { ...env, ...options.env } });
}

async function dead(id: string): Promise<void> {
  await run(['send', 'greeter.greet', '{"name":"later"}', '--id', id]);
  await eventually(async () => {
    const { out } = await run(['messages', 'show', id, '--json']);
    return (JSON.parse(out) as { state: string }).state === 'dead';
  });
}

/** Until the test is over. */
async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What `--json` shows, by command: scripts lean on it. */
const shapes: Record<string, unknown> = {};

async function document(line: string): Promise<unknown> {
  const { code, out, err } = await run(`${line} --json`);
  expect([line, code, err]).toEqual([line, 0, '']);
  const documents = linesOf(out);
  shapes[line] = shapeOf(documents);
  return documents[0];
}

describe('a message', () => {
  it('is sent, shown, listed', async () => {
    const sent = await run(
      `send shelf.keep '{"n":1}' --id book --priority high --header lang=en --delay 1h`,
    );
    expect(sent).toMatchObject({ code: 0, err: '' });
    expect(sent.out).toMatch(/^id +book\nstate +delayed\n/);
    const { out } = await run('messages show book');
    expect(out).toContain('"lang":"en"');
    expect(out).toMatch(/^priority +10$/m);
    const list = await run('messages list shelf --state delayed');
    expect(list.out).toMatch(/^id\ttype\tstate\t/);
    expect(list.out).toMatch(/^book\tshelf.keep\tdelayed\t-\t0\t/m);
  });

  it('comes from standard input, and from a file', async () => {
    const file = path.join(tempDir(), 'data.json');
    writeFileSync(file, '{"name":"Ada"}');
    expect((await run(`send greeter.greet @${file}`)).code).toBe(0);
    expect((await run('send greeter.greet -', { input: '{"name":"Eve"}' })).code).toBe(0);
    expect(await run('send greeter.greet @nowhere.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('cannot read the file: ENOENT') as string,
    });
  });

  it('is asked', async () => {
    expect(await run(`ask greeter.greet '{"name":"Ada"}'`)).toEqual({
      ...{ code: 0, out: 'null\n', err: '' },
    });
  });

  it('is cancelled, and why is in the audit log', async () => {
    await run('send shelf.keep --id gone --delay 1h');
    expect(await run('messages cancel gone')).toMatchObject({
      code: 2,
      err: expect.stringContaining('cancel the message gone: nobody is here') as string,
    });
    expect((await run(['messages', 'cancel', 'gone', '--yes', '--reason', 'zu früh'])).out).toMatch(
      /state +cancelled/,
    );
    expect((await run('audit --limit 1')).out).toContain('DELETE /v1/messages/gone\t202\tzu früh');
  });

  it('shows why it died, and what to do', async () => {
    await dead('trouble');
    const { out, err } = await run('messages show trouble');
    expect(out).toMatch(/^reason +exhausted$/m);
    expect(out).toMatch(/^attempt 2 .*TypeError: not yet, attempt 2$/m);
    expect(out).toMatch(/^ +at .*stage\.ts/m);
    expect(err).toBe('try it again with: callsheet dead-letters redrive trouble\n');
    await run('dead-letters discard trouble --yes');
    await dead("it's; rm -rf");
    const quoted = await run(['messages', 'show', "it's; rm -rf"]);
    expect(quoted.err).toContain(String.raw`redrive 'it'\''s; rm -rf'`);
    await run(['dead-letters', 'discard', "it's; rm -rf", '--yes']);
  });
});

describe('a batch', () => {
  const many = Array.from({ length: 1_203 }, (_, n) => `{"type":"shelf.keep","data":{"n":${n}}}`);

  it('is sent in pieces; sent again with the key of its run, nothing is sent twice', async () => {
    const count = async () =>
      (
        await app.inject({ url: '/v1/actors/shelf', headers: { authorization: `Bearer ${KEY}` } })
      ).json<{
        counts: { waiting: number };
      }>().counts.waiting;
    const before = await count();
    const first = await run('send --batch - --idempotency-key night', { input: many.join('\n') });
    expect(first).toEqual({ code: 0, out: '', err: '1,203 messages sent\n' });
    const again = await run('send --batch - --idempotency-key night --json', {
      input: many.join('\n'),
    });
    expect(linesOf(again.out)).toHaveLength(1_203);
    expect(linesOf(again.out)[700]).toMatchObject({ id: 'night-1/200', state: 'waiting' });
    expect(await count()).toBe(before + 1_203);
  });

  it('shows how far it is in a terminal', async () => {
    const file = path.join(tempDir(), 'many.ndjson');
    writeFileSync(file, many.join('\n'));
    const { err } = await run(`send --batch ${file}`, { columns: 80 });
    expect(err).toContain('\r\u001b[K500 messages sent');
    expect(err).toMatch(/1,203 messages sent\n$/);
  });

  it.each([
    ['no JSON', '{}}', 'line 502 is no JSON'],
    ['no such type', '{"type":"shelf.kep","data":{}}', 'line 502'],
  ])('says which line is wrong: %s, and how to go on', async (_, line, problem) => {
    const input = [...many.slice(0, 500), '', line].join('\n');
    const { code, err } = await run('send --batch -', { input });
    expect(code).toBe(1);
    expect(err).toContain(problem);
    expect(err).toMatch(/500 messages sent/);
    expect(err).toMatch(/send the same file again with --idempotency-key cli-[0-9a-f-]{36}:/);
  });

  it('that stops says with --json in one document how to go on', async () => {
    const input = [...many.slice(0, 500), '{}}'].join('\n');
    const { code, out, err } = await run('send --batch - --json', { input });
    expect([code, linesOf(out).length]).toEqual([1, 500]);
    expect(JSON.parse(err)).toEqual({
      ...{ exit: 1, detail: expect.stringContaining('line 501 is no JSON') as string },
      hint: expect.stringContaining('--idempotency-key cli-') as string,
    });
  });

  it('that is not there is no batch', async () => {
    expect(await run('send --batch nowhere.ndjson')).toMatchObject({
      code: 2,
      err: expect.stringContaining('cannot read the batch: ENOENT') as string,
    });
  });
});

describe('dead letters', () => {
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

describe('schedules', () => {
  it('are made, shown, steered', async () => {
    const made = await run([
      ...['schedules', 'create', 'tea', '--type', 'greeter.greet', '--cron', '0 16 * * *'],
      ...['--data', '{"name":"Ada"}'],
      ...['--tz', 'Europe/Madrid', '--tag', 'drinks'],
    ]);
    expect(made.out).toMatch(/^when +At 16:00 every day \(Europe\/Madrid\)\.$/m);
    expect(made.out.match(/ 16:00:00 \+0/g)).toHaveLength(3);
    expect((await run('schedules list --tag drinks --json')).out).toContain('"id":"tea"');
    expect((await run('schedules next tea --count 2 --json')).out.split('\n')).toHaveLength(3);
    expect((await run('schedules pause tea')).err).toContain("say why: --reason 'too loud'");
    expect((await run(['schedules', 'pause', 'tea', '--reason', 'holidays'])).out).toBe(
      'tea is paused: holidays\n',
    );
    expect((await run('schedules trigger tea')).out).toMatch(/state +started/);
    expect((await run('schedules resume tea')).out).toMatch(/^tea goes on, next at /);
    const range = 'backfill tea --from 2026-01-01T00:00:00Z --to 2026-01-04T00:00:00Z';
    expect((await run(`schedules ${range} --dry-run --json`)).out).toBe(
      '{"id":"tea","state":"counted","count":3}\n',
    );
    const begun = await run(`schedules ${range}`, { columns: 80, input: 'y\n\n' });
    expect(begun.err).toContain('backfill tea with 3 runs. Do it? [y/N]');
    expect(begun.out).toContain('3 runs under way');
    await eventually(async () => (await run('schedules runs tea')).out.includes('\tbackfilled\t'));
    expect((await run('schedules delete tea --yes')).out).toBe('tea is deleted\n');
    expect((await run('schedules show tea')).code).toBe(3);
  });

  it('say what is missing, and what is easily overlooked', async () => {
    expect((await run('schedules create x --type shelf.keep')).err).toContain('when does it run?');
    expect((await run('schedules create x --cron @daily')).err).toContain('--type email.send');
    const { err } = await run([
      ...['schedules', 'create', 'x', '--type', 'shelf.keep', '--dry-run'],
      ...['--cron', '30 2 * * *', '--tz', 'Europe/Madrid'],
    ]);
    expect(err).toContain('careful: ');
  });
});

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
    ['nobody there', { CALLSHEET_API_URL: 'http://127.0.0.1:9' }, 5, 'callsheet dev'],
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

  it('is not permitted: exit code 4', async () => {
    const { out } = await run('keys create looker viewer');
    const own = { CALLSHEET_API_KEY: out.trim() };
    expect(await run('actors list', { env: own })).toMatchObject({ code: 0 });
    expect(await run('schedules resume greeter.monday', { env: own })).toMatchObject({ code: 4 });
  });
});

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

describe('a lost answer', () => {
  /** Stands before the API: does what it is asked, and keeps the first answers to itself. */
  async function losing(lost: number): Promise<{ url: string; seen: IncomingMessage[] }> {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void app
          .inject({
            method: request.method as 'POST',
            url: request.url ?? '',
            headers: request.headers,
            payload: Buffer.concat(chunks),
          })
          .then((answer) => {
            if (seen.length <= lost) return request.socket.destroy();
            return response.writeHead(answer.statusCode, answer.headers as never).end(answer.body);
          });
      });
    });
    return { url: await listening(server), seen };
  }

  it('is asked for again with the same idempotency key', async () => {
    const { url, seen } = await losing(2);
    const sent = await run(`send shelf.keep --json`, { env: { CALLSHEET_API_URL: url } });
    expect(sent.code).toBe(0);
    const keys = seen.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys)).toEqual(new Set([(JSON.parse(sent.out) as { id: string }).id]));
  });

  it('of what was removed is asked for again, and what is gone is removed', async () => {
    await dead('lost-letter');
    await run(`routes put lost '{"order":1,"match":{"topic":"a.b"},"to":["shelf"]}'`);
    for (const line of ['dead-letters discard lost-letter', 'routes delete lost']) {
      const { url, seen } = await losing(1);
      const { code } = await run(`${line} --yes`, { env: { CALLSHEET_API_URL: url } });
      expect([line, code, seen.length]).toEqual([line, 0, 2]);
      expect((await run(`${line} --yes`)).code).toBe(3);
    }
  });

  it('of a route that must be new, or as it was, is not asked for again', async () => {
    const { url, seen } = await losing(9);
    const put = `routes put newest '{"order":1,"match":{"topic":"a.b"},"to":["shelf"]}' --new`;
    const { code } = await run(put, { env: { CALLSHEET_API_URL: url } });
    expect([code, seen.length]).toEqual([5, 1]);
    expect((await run('routes delete newest --yes')).code).toBe(0);
  });

  it.each([502, 503, 504])('is one of %i too, of a proxy', async (status) => {
    let asked = 0;
    const server = createServer((_, response) => {
      response.writeHead(++asked === 1 ? status : 200, { 'content-type': 'application/json' });
      response.end('{"items":[]}');
    });
    const own = { CALLSHEET_API_URL: await listening(server) };
    expect([(await run('keys list', { env: own })).code, asked]).toEqual([0, 2]);
  });

  it('of a call that takes none is not asked for again', async () => {
    const { url, seen } = await losing(9);
    const made = await run('keys create lost viewer', { env: { CALLSHEET_API_URL: url } });
    expect([made.code, seen.length]).toEqual([5, 1]);
  });

  it('is given up at last: exit code 5', async () => {
    const { url, seen } = await losing(9);
    const shown = await run('actors list', { env: { CALLSHEET_API_URL: url } });
    expect([shown.code, seen.length]).toEqual([5, 3]);
  });

  it('is not waited for after Ctrl-C: exit code 130', async () => {
    const stop = new AbortController();
    const server = createServer(() => stop.abort());
    const url = await listening(server);
    const shown = await run('actors list', {
      env: { CALLSHEET_API_URL: url },
      signal: stop.signal,
    });
    expect(shown).toEqual({ code: 130, out: '', err: '' });
    server.closeAllConnections();
  });
});

describe('a table', () => {
  it('fits the terminal, in colour unless NO_COLOR', async () => {
    await dead('table-with-a-long-name-that-takes-much-room');
    const list = 'dead-letters list';
    const { out } = await run(list, { columns: 60 });
    const [head = '', row = ''] = out.split('\n');
    expect([head.slice(0, 7), head.slice(-5)]).toEqual(['\u001b[1mid ', '\u001b[22m']);
    expect(row).toContain('…');
    expect(row.length).toBeLessThanOrEqual(60);
    expect((await run(list, { columns: 60, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
    expect((await run(list)).out).toContain('table-with-a-long-name-that-takes-much-room\t');
  });

  it('of long lists comes page after page, up to the limit', async () => {
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
