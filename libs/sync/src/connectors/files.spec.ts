import { Actor, Handle, Message } from '@callsheet/messaging';
import { appendFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../../test/support/eventually.js';
import { startPipeline, type PipelineStage } from '../../../../test/support/pipeline.stage.js';
import { removeDir, tempDir } from '../../../../test/support/temp.js';
import { csvFile, messages, ndjsonFile, Pipeline, type Source } from '../index.js';

class Greet extends Message(
  'guests.greet',
  z.object({ id: z.string(), name: z.string().min(1) }),
) {}
type Guest = { id: string; name: string };

let dir: string;
let file: string;
let stage: PipelineStage | undefined;
beforeEach(() => {
  dir = tempDir('callsheet-files-');
  file = path.join(dir, 'guests');
});
afterEach(async () => {
  await stage?.close();
  removeDir(dir);
});

/** A pipeline from a file to messages. */
async function start(source: Source, page = 2) {
  const greeted: string[] = [];
  @Actor({ concurrency: 1 })
  class Guests {
    @Handle(Greet) greet({ name }: Greet): void {
      greeted.push(name);
    }
  }
  @Pipeline({ name: 'guest-list', page, retry: { attempts: 1 } })
  class GuestList {
    readonly from = source;
    readonly to = messages<Guest>({
      message: ({ id, name }) => new Greet({ id, name }),
      send: ({ id }) => ({ id: `greet-${id}` }),
    });
  }
  stage = await startPipeline('guest-list', [GuestList, Guests]);
  const hears = (names: string[]) => eventually(() => expect(greeted).toEqual(names));
  return { ...stage, hears };
}

/** Whoever writes it is done. */
function settle(): void {
  utimesSync(file, new Date(0), new Date(0));
}

describe('a file of NDJSON', () => {
  const line = (id: number, name = `n${id}`) => JSON.stringify({ id: `${id}`, name }) + '\n';

  it('is read page by page, then what is appended, each line once', async () => {
    const { sync, hears } = await start(ndjsonFile({ path: file }));
    expect(await sync()).toMatchObject({ state: 'idle', cursor: null, rows: 0 });
    writeFileSync(file, line(1) + '\n' + line(2, 'Zoë') + line(3));
    expect(await sync()).toMatchObject({ rows: 3, pages: 3 });
    appendFileSync(file, line(4));
    expect(await sync()).toMatchObject({ rows: 4 });
    expect(await sync()).toMatchObject({ rows: 4 });
    await hears(['n1', 'Zoë', 'n3', 'n4']);
  });

  it('waits for the end of its last line, until nobody writes it any more', async () => {
    const { sync, hears } = await start(ndjsonFile({ path: file }));
    writeFileSync(file, line(1) + line(2).trimEnd());
    expect(await sync()).toMatchObject({ rows: 1 });
    settle();
    expect(await sync()).toMatchObject({ rows: 2 });
    await hears(['n1', 'n2']);
  });

  it('is read from its beginning when it is replaced or cut', async () => {
    const { sync } = await start(ndjsonFile({ path: file }));
    writeFileSync(file, line(1) + line(2));
    await sync();
    writeFileSync(`${file}.new`, line(3) + line(4) + line(5));
    renameSync(`${file}.new`, file);
    expect(await sync()).toMatchObject({ rows: 5 });
    writeFileSync(file, line(6));
    expect(await sync()).toMatchObject({ rows: 6 });
  });

  it('is read from its beginning when another is written in its place, longer and of the same inode', async () => {
    const { sync, hears } = await start(ndjsonFile({ path: file }));
    writeFileSync(file, line(1) + line(2));
    await sync();
    writeFileSync(file, line(3) + line(4) + line(5));
    expect(await sync()).toMatchObject({ rows: 5 });
    rmSync(file);
    writeFileSync(file, line(6) + line(7) + line(8) + line(9));
    expect(await sync()).toMatchObject({ rows: 9 });
    await hears(['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8', 'n9']);
  });

  it('makes dead letters of lines that are no JSON, too long, or no message', async () => {
    const { sync, bad, hears } = await start(ndjsonFile({ path: file }), 10);
    writeFileSync(
      file,
      `${line(1)}\0{"id":\n"${'x'.repeat(1024 * 1024)}"\n${line(2, '')}${line(3)}`,
    );
    expect(await sync()).toMatchObject({ rows: 2, bad: 3 });
    expect((await bad()).map(({ error }) => error)).toEqual([
      expect.stringMatching('JSON'),
      expect.stringMatching('a line of more than'),
      expect.stringMatching('guests.greet: name'),
    ]);
    await hears(['n1', 'n3']);
  });
});

it('makes a dead letter of a row whose message was sent with another body', async () => {
  const { sync, bad, hears } = await start(csvFile({ path: file }), 10);
  writeFileSync(file, 'id,name\n1,Ada\n');
  await sync();
  appendFileSync(file, '1,Ada L\n2,Bob\n');
  // Where no page is tried twice it is the next run that knows.
  expect(await sync()).toMatchObject({ state: 'failed' });
  expect(await sync()).toMatchObject({ state: 'idle', rows: 2, bad: 1 });
  const [page, row] = await bad();
  expect(page?.letter.envelope.type).toBe('guest-list.page');
  expect(row).toMatchObject({
    row: { id: '1', name: 'Ada L' },
    error: expect.stringMatching(/'greet-1' was already used/),
  });
  await hears(['Ada', 'Bob']);
});

describe('a file of CSV', () => {
  it('is read page by page with its header, quotes and line ends, then what is appended', async () => {
    const { sync, hears } = await start(csvFile({ path: file }));
    writeFileSync(file, '\ufeffid,name\r\n1,"Ada\r\nLovelace"\r\n2,"Zoë ""Z"""\r\n3,Eve\r\n');
    expect(await sync()).toMatchObject({ rows: 3, pages: 2, bad: 0 });
    appendFileSync(file, '4,Bob\r\n5,not yet');
    expect(await sync()).toMatchObject({ rows: 4 });
    settle();
    expect(await sync()).toMatchObject({ rows: 5 });
    await hears(['Ada\r\nLovelace', 'Zoë "Z"', 'Eve', 'Bob', 'not yet']);
  });

  it('makes dead letters of records with other columns, and of a quote that is not closed', async () => {
    const { sync, bad, hears } = await start(csvFile({ path: file, delimiter: ';' }));
    writeFileSync(file, 'id;name\n1;a;b\n2;b\n3\n4;d\n5;"e\n');
    settle();
    expect(await sync()).toMatchObject({ rows: 2, bad: 3 });
    expect((await bad()).map(({ row }) => row)).toEqual(['1;a;b\n', '3\n', 'from byte 24 on']);
    await hears(['b', 'd']);
  });

  it('keeps its header when that is there before any record', async () => {
    const { sync, hears } = await start(csvFile({ path: file }));
    writeFileSync(file, '\ufeffid,name\n');
    expect(await sync()).toMatchObject({ rows: 0, bad: 0 });
    appendFileSync(file, '1,Ada\n2,Bob\n');
    expect(await sync()).toMatchObject({ rows: 2, bad: 0 });
    await hears(['Ada', 'Bob']);
  });

  it('knows its header also when the first record has no end', async () => {
    const { sync, hears } = await start(csvFile({ path: file }));
    writeFileSync(file, 'id,name\n1,"Ada\n');
    expect(await sync()).toMatchObject({ rows: 0, bad: 0 });
    settle();
    expect(await sync()).toMatchObject({ rows: 0, bad: 1 });
    appendFileSync(file, '2,Bob\n3,Eve\n');
    expect(await sync()).toMatchObject({ rows: 2, bad: 1 });
    await hears(['Bob', 'Eve']);
  });

  it('waits for the end of a record of several lines', async () => {
    const { sync, hears } = await start(csvFile({ path: file }));
    writeFileSync(file, 'id,name\n1,a\n2,"first\nsec');
    expect(await sync()).toMatchObject({ rows: 1, bad: 0 });
    appendFileSync(file, 'ond"\n3,Eve\n');
    expect(await sync()).toMatchObject({ rows: 3, bad: 0 });
    await hears(['a', 'first\nsecond', 'Eve']);
  });

  it('takes the names of columns that it does not have', async () => {
    const { sync, hears } = await start(csvFile({ path: file, columns: ['id', 'name'] }));
    writeFileSync(file, '1,a\n2,b\n3,c\n');
    expect(await sync()).toMatchObject({ rows: 3 });
    await hears(['a', 'b', 'c']);
  });
});

it('says what is wrong with options', () => {
  expect(() => csvFile({ path: '' })).toThrow('csvFile path must be text');
  expect(() => ndjsonFile({ path: 'a', encoding: 'x' } as never)).toThrow('is not an option');
  expect(() => messages({} as never)).toThrow('messages message must be a function');
});
