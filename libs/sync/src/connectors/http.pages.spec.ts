import { afterEach, beforeEach, expect, it } from 'vitest';
import { startHttpPeer, type HttpPeer } from '../../../../test/support/http.peer.js';
import { startPipeline, type PipelineStage } from '../../../../test/support/pipeline.stage.js';
import { httpPages, Pipeline, type HttpPagesOptions } from '../index.js';

let peer: HttpPeer;
let stage: PipelineStage | undefined;
let items: string[];
/** Whether 304 has `Link` too. */
let says304: boolean;
beforeEach(async () => {
  peer = await startHttpPeer();
  items = ['a', 'b', 'c'];
  says304 = true;
  // Two to a page.
  peer.answer(({ url, headers }) => {
    const page = Number(new URL(url, peer.url).searchParams.get('page') ?? 1);
    const some = items.slice(page * 2 - 2, page * 2);
    // Of the body: it does not change when a page is put behind it.
    const etag = `"${some.join('')}"`;
    const link = `</items?page=1>; rel="first", </items?page=${page + 1}>; rel="next"`;
    const more = items.length > page * 2 && { link };
    if (headers['if-none-match'] === etag) {
      return { status: 304, headers: { etag, ...(says304 && more) } };
    }
    return { status: 200, headers: { etag, ...more }, body: JSON.stringify(some) };
  });
});
afterEach(async () => {
  await stage?.close();
  await peer.stop();
});

async function start(options: Partial<HttpPagesOptions<unknown>> = {}) {
  const pushed: unknown[] = [];
  @Pipeline({ name: 'items', retry: { attempts: 3, delay: 5, jitter: 0 } })
  class Items {
    readonly from = httpPages({ url: `${peer.url}/items`, ...options });
    push(rows: unknown[]): void {
      pushed.push(...rows);
    }
  }
  stage = await startPipeline('items', [Items]);
  return { ...stage, pushed };
}

const asked = () => peer.requests.splice(0).map(({ url }) => url);

it('follows links, and asks for the last page again, which is pushed only when it has changed', async () => {
  const { sync, pushed } = await start({ headers: () => ({ authorization: 'Bearer k' }) });
  expect(await sync()).toMatchObject({ rows: 3, pages: 2 });
  expect(peer.requests[0]?.headers).toMatchObject({ authorization: 'Bearer k' });
  expect(asked()).toEqual(['/items', '/items?page=2']);
  expect(await sync()).toMatchObject({ rows: 3, pages: 3 });
  expect(asked()).toEqual(['/items?page=2']);
  items.push('d', 'e');
  await sync();
  expect(asked()).toEqual(['/items?page=2', '/items?page=3']);
  expect(pushed).toEqual(['a', 'b', 'c', 'c', 'd', 'e']);
});

it.each([true, false])(
  'sees the page behind one that was full; a Link in 304: %s',
  async (link) => {
    says304 = link;
    items.push('d');
    const { sync, pushed } = await start();
    await sync();
    items.push('e');
    await sync();
    expect(pushed).toEqual(['a', 'b', 'c', 'd', 'e']);
  },
);

it.each([true, false])(
  'does so with all pages asked for again; a Link in 304: %s',
  async (link) => {
    says304 = link;
    items.push('d');
    const { sync, pushed } = await start({ again: 'first' });
    await sync();
    items.push('e', 'f', 'g');
    await sync();
    expect(pushed).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    await sync();
    expect(peer.requests.at(-4)?.headers['if-none-match']).toBe('"ab"');
    expect(pushed).toHaveLength(7);
  },
);

it('does not have the last page sent again when its body says that it is the last', async () => {
  const headers = { etag: '"1"' };
  peer.answerNext({ status: 200, headers, body: '["a"]' }, { status: 304, headers });
  const { sync, pushed } = await start({ next: () => undefined });
  await sync();
  expect(await sync()).toMatchObject({ state: 'idle', pages: 2 });
  expect(peer.requests.at(-1)?.headers['if-none-match']).toBe('"1"');
  expect(pushed).toEqual(['a']);
});

it('keeps what is secret in its address out of errors', async () => {
  const { sync } = await start({ url: `${peer.url}/items?key=secret` });
  peer.answerNext({ status: 404 });
  expect((await sync()).failure?.message).toBe(`${peer.url}/items answers 404`);
});

it('begins again with the first page where that is wanted, and skips what has not changed', async () => {
  const { sync, pushed } = await start({ again: 'first' });
  await sync();
  items[2] = 'C';
  asked();
  await sync();
  expect(asked()).toEqual(['/items', '/items?page=2']);
  expect(pushed).toEqual(['a', 'b', 'c', 'C']);
});

it('waits as long as it is told to, and takes rows and the next page from the body', async () => {
  peer.answerNext({ status: 429, headers: { 'retry-after': '0' } }, { status: 500 });
  const body = { data: [{ id: 1 }], nextUrl: '/items?page=9' };
  peer.answerNext(
    { status: 200, body: JSON.stringify(body) },
    { status: 200, body: '{"data":[]}' },
  );
  const { sync, pushed } = await start({
    rows: (found) => (found as typeof body).data,
    next: (found) => (found as Partial<typeof body>).nextUrl,
  });
  expect(await sync()).toMatchObject({ state: 'idle', errors: 2, rows: 1 });
  expect(pushed).toEqual([{ id: 1 }]);
  expect(asked().at(-1)).toBe('/items?page=9');
});

it('ends its run at once for what will not get better', async () => {
  const { sync } = await start();
  for (const [answer, message] of [
    [{ status: 404 }, 'answers 404'],
    [{ status: 200, body: '{}' }, 'answers no list'],
    [
      { status: 200, body: '[]', headers: { link: '<http://other.example/>; rel=next' } },
      'another',
    ],
  ] as const) {
    peer.answerNext(answer);
    expect(await sync()).toMatchObject({
      state: 'failed',
      failure: { attempts: 1, message: expect.stringContaining(message) },
    });
  }
  peer.answerNext('reset', { status: 200, body: 'no json' });
  expect(await sync()).toMatchObject({ state: 'idle', rows: 3 });
});

it('says what is wrong with options', () => {
  expect(() => httpPages({ url: 'ftp://x' })).toThrow('httpPages url must be a URL');
  expect(() => httpPages({ url: 'http://x', again: 'never' as never })).toThrow('again must be');
  expect(() => httpPages({ url: 'http://x', rows: 3 as never })).toThrow('rows must be a function');
});
