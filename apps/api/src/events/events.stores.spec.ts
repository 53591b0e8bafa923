import { expect, it } from 'vitest';
import { serverSuite, type Binary } from '../../../../test/support/available.js';
import { EventPeer } from '../../../../test/support/event.peer.js';
import { eventually } from '../../../../test/support/eventually.js';
import { startPostgres } from '../../../../test/support/postgres.server.js';
import { startRedis } from '../../../../test/support/redis.server.js';
import { send, stageForTest } from '../../test/stage.js';

const PATIENCE = { timeout: 30_000 };
const TYPES = ['hello', 'activity', 'dead-letter', 'actor', 'audit'];

/** The url of a store, and what ends it. */
type Start = () => Promise<{ url: string; stop(): Promise<unknown> }>;

function suite(name: Binary, start: Start): void {
  serverSuite(name, `the events of two applications on ${name}`, () => {
    it('are told by both, whichever it happens in', { timeout: 120_000 }, async () => {
      const store = await start();
      try {
        const apps = [
          await stageForTest({ url: store.url }),
          await stageForTest({ url: store.url, providers: [] }),
        ];
        const peers = await Promise.all(
          apps.map(async (app) => {
            await app.listen(0, '127.0.0.1');
            return new EventPeer(`${await app.getUrl()}/v1/events`, TYPES).has('hello');
          }),
        );
        // Which of them runs no actor of that name.
        const id = await send(apps[1]!, { type: 'greeter.greet', data: { name: 'nobody' } });
        for (const [how, payload] of [
          ['pause', { reason: 'a test' }],
          ['resume', undefined],
        ] as const) {
          const url = `/v1/actors/greeter/${how}`;
          const answer = await apps[1]!.inject({
            method: 'POST',
            url,
            ...(payload && { payload }),
          });
          expect(answer.statusCode).toBe(200);
        }
        for (const peer of peers) {
          await eventually(() => {
            expect(peer.of('dead-letter')).toMatchObject([{ id, actor: 'greeter' }]);
            expect(peer.of('actor').map(({ what }) => what)).toEqual(['paused', 'resumed']);
            expect(peer.of('audit')).toHaveLength(2);
            const told = peer.of('activity').flatMap(({ actors }) => actors as object[]);
            for (const each of [{ sent: 1 }, { failed: 1, dead: 1 }]) {
              expect(told).toContainEqual(expect.objectContaining({ actor: 'greeter', ...each }));
            }
          }, PATIENCE);
        }
        await Promise.all(apps.map((app) => app.close()));
      } finally {
        await store.stop();
      }
    });
  });
}

suite('redis-server', startRedis);
suite('postgres', async () => {
  const server = await startPostgres();
  return { url: await server.createDatabase(), stop: () => server.stop() };
});
