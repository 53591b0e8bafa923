import { createServer, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listening, stageForFile } from '../test/stage.js';

const { app, run, dead } = stageForFile();

describe('a lost answer', () => {
  /** Stands before the API: does what it is asked, and keeps the first answers to itself. */
  async function losing(lost: number): Promise<{ url: string; seen: IncomingMessage[] }> {
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void app()
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
