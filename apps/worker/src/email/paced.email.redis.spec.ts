import { SendEmail } from '@callsheet/contracts';
import { Actors, CallsheetModule, DeadLetters, Keys } from '@callsheet/messaging';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serverSuite } from '../../../../test/support/available.js';
import { eventually } from '../../../../test/support/eventually.js';
import { mailProviders } from '../../../../test/support/mail.providers.js';
import { startRedis, type RedisServer } from '../../../../test/support/redis.server.js';
import { mailIdOf, startSmtpPeer, type SmtpPeer } from '../../../../test/support/smtp.peer.js';

const COUNT = 20;
const GAP = 50;

serverSuite('redis-server', 'mail of two workers to a domain with a limit', () => {
  let server: RedisServer;
  let peer: SmtpPeer;
  let workers: INestApplicationContext[];

  beforeAll(async () => {
    server = await startRedis();
    peer = await startSmtpPeer();
    const env = {
      SMTP_URL: peer.url,
      MAIL_RATES: `slow.example=${1_000 / GAP}/s,held.example=2/s`,
    };
    const start = async () => {
      const module = await Test.createTestingModule({
        imports: [CallsheetModule.forRoot({ url: server.url })],
        providers: mailProviders(env),
      }).compile();
      return module.init();
    };
    workers = [await start(), await start()];
  }, 60_000);
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await server.stop();
  }, 60_000);

  it('keeps its distance, each mail comes once, and other mail does not wait', async () => {
    const tell = (n: number, domain: string) => {
      const mail = new SendEmail({ to: `u${n}@${domain}`, subject: 'Hello', text: 'Hi' });
      return workers[n % 2]!.get(Actors, { strict: false }).tell(mail, {
        id: `${domain.slice(0, 4)}-${n}`,
      });
    };
    const all = Array.from({ length: COUNT }, (_, n) => n);
    await Promise.all(all.map((n) => tell(n, 'slow.example')));
    await tell(0, 'free.example');
    await eventually(() => peer.mails.length === COUNT + 1, { timeout: 30_000 });
    const ids = [...all.map((n) => `slow-${n}`), 'free-0'];
    expect(peer.mails.map(mailIdOf).sort()).toEqual(ids.sort());
    const keys = workers[0]!.get(Keys, { strict: false });
    const slots = () => keys.journal('paced-email', 'slow.example', { limit: 100 });
    // The last one is committed after its mail has arrived.
    await eventually(async () => (await slots()).length === COUNT);
    const times = (await slots()).map(({ row }) => row.at as number).reverse();
    for (const [n, at] of times.slice(1).entries()) {
      expect(at - times[n]!).toBeGreaterThanOrEqual(GAP);
    }
  }, 60_000);

  it('stands still after one that was refused, which is dead before the next goes', async () => {
    peer.refuseRecipients(/^none/, 550, '5.1.1 No such user');
    const actors = workers[0]!.get(Actors, { strict: false });
    const tell = (name: string) => {
      const mail = new SendEmail({ to: `${name}@held.example`, subject: 'Hello', text: 'Hi' });
      return actors.tell(mail, { id: name });
    };
    await tell('none');
    await eventually(() => peer.refused === 1);
    await tell('ada');
    await eventually(() => peer.mails.some((mail) => mailIdOf(mail) === 'ada'));
    const dead = await workers[1]!.get(DeadLetters, { strict: false }).get('none@paced-email');
    expect(dead).toMatchObject({ reason: 'rejected', history: [{}, {}] });
    expect(peer.refused).toBe(1);
  }, 60_000);
});
