import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../../../test/support/temp.js';
import { KEY, stageForFile } from '../../test/stage.js';
import { linesOf } from '../../test/terminal.js';

const { app, run } = stageForFile();

describe('a batch', () => {
  const many = Array.from({ length: 1_203 }, (_, n) => `{"type":"shelf.keep","data":{"n":${n}}}`);

  it('is sent in pieces; sent again with the key of its run, nothing is sent twice', async () => {
    const count = async () =>
      (
        await app().inject({ url: '/v1/actors/shelf', headers: { authorization: `Bearer ${KEY}` } })
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
