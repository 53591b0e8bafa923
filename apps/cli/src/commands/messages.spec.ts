import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../../../test/support/temp.js';
import { stageForFile } from '../../test/stage.js';

const { run, dead } = stageForFile();

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
    expect(list.out).toMatch(/^id\ttype\tstate\tkey\tfailures\tleft\t/);
    const next = /^nextAttemptAt +(\S+)$/m.exec(out)?.[1];
    expect(Date.parse(next ?? '')).toBeGreaterThan(Date.now());
    expect(list.out).toContain(`book\tshelf.keep\tdelayed\t-\t0\t-\t${next}\t`);
  });

  it('is found by a value in its data', async () => {
    for (const [id, orderId] of Object.entries({ one: 7, two: 8, three: 7 }))
      await run(['send', 'shelf.keep', JSON.stringify({ orderId }), '--id', id]);
    const ids = async (line: string) => {
      const { code, out } = await run(`messages list ${line} --json`);
      expect(code).toBe(0);
      return out
        .trim()
        .split('\n')
        .map((each) => (JSON.parse(each) as { id: string }).id);
    };
    expect(await ids('--find data.orderId:7')).toEqual(['three', 'one']);
    expect(await ids('shelf --find data.orderId:8 --state waiting')).toEqual(['two']);
    // Who is of one tenant may leave out both.
    expect(await run('messages list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('<actor> must be given without --find') as string,
    });
    expect(await run('messages list --find 7')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--find must be data.<field>:<value>') as string,
    });
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
    const entry = 'CALLSHEET_API_KEY\tcancel\tmessages/gone\t202\tzu früh';
    expect((await run('audit --limit 1')).out).toContain(entry);
    const narrowed = await run('audit --action cancel --who callsheet --target gone');
    expect(narrowed.out).toContain(entry);
    expect(await run('audit --target gone --who eve')).toMatchObject({ code: 0, out: '' });
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
