import { SendEmail } from '@callsheet/contracts';
import { CLOCK, Keys, type Clock } from '@callsheet/messaging';
import { TestCallsheet, testTurn } from '@callsheet/messaging/testing';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../../test/support/eventually.js';
import { BounceBook } from '../../../../test/support/bounce.book.js';
import { mailProviders } from '../../../../test/support/mail.providers.js';
import { mailIdOf, startSmtpPeer, type SmtpPeer } from '../../../../test/support/smtp.peer.js';
import { EmailActor } from './email.actor.js';
import { MailAttachments } from './mail.attachments.js';

let peer: SmtpPeer;
let t: TestCallsheet;

beforeEach(async () => {
  peer = await startSmtpPeer();
  const MAIL_RATES = 'slow.example=1/s,slower.example=1/m,*=30/m';
  const providers = mailProviders({
    ...{ SMTP_URL: peer.url, MAIL_FROM: 'call@example.net', MAIL_RATES },
  });
  t = await TestCallsheet.create({ providers: [...providers, BounceBook] });
  Logger.overrideLogger(false);
});
afterEach(() => t.close());
afterAll(() => Logger.overrideLogger(true));

const send = (id: string, to: string | string[], options: object = {}) =>
  t.actors.tell(new SendEmail({ to, subject: 'Hello', text: 'Hi' }), { id, ...options });

const arrived = () => peer.mails.map(mailIdOf);

/** When mails to a domain were tried, with their ids, from the first on. */
async function slots(domain: string): Promise<{ mail: string; attempt: number; at: number }[]> {
  const rows = await t.get(Keys).journal('paced-email', domain, { limit: 100 });
  return rows.map(({ row }) => row as never).reverse();
}

async function gaps(domain: string): Promise<number[]> {
  const times = (await slots(domain)).map(({ at }) => at);
  return times.slice(1).map((at, n) => at - times[n]!);
}

describe('mail to a domain with a limit', () => {
  it('goes out one by one, in order, as soon as the limit allows', async () => {
    for (const n of [1, 2, 3, 4]) await send(`mail-${n}`, `u${n}@slow.example`);
    await t.drain();
    expect(arrived()).toEqual(['mail-1']);
    await t.advance('10s');
    expect(arrived()).toEqual(['mail-1', 'mail-2', 'mail-3', 'mail-4']);
    expect(await gaps('slow.example')).toEqual([1_000, 1_000, 1_000]);
    expect(t.dead).toEqual([]);
  });

  it('holds up no other domain', async () => {
    for (const n of [1, 2, 3]) await send(`slower-${n}`, 'ada@slower.example');
    await send('slow', 'ada@slow.example');
    for (const n of [1, 2, 3]) await send(`other-${n}`, `ada@other-${n}.example`);
    await t.drain();
    expect(arrived().sort()).toEqual(['other-1', 'other-2', 'other-3', 'slow', 'slower-1']);
  });

  it('keeps its id, so its Message-ID, and is stored once', async () => {
    for (let n = 0; n < 3; n++) await send('mail', 'ada@slow.example');
    await t.advance('1m');
    expect(peer.mails.map(({ parsed }) => parsed.messageId)).toEqual(['<mail@example.net>']);
  });

  it('goes by the lowest limit of its recipients', async () => {
    await send('first', ['ada@slow.example', 'ada@slower.example', 'ada@free.example']);
    await send('second', 'grace@slower.example');
    await send('third', 'grace@slow.example');
    await t.drain();
    expect(arrived().sort()).toEqual(['first', 'third']);
    await t.advance('1m');
    expect(await gaps('slower.example')).toEqual([60_000]);
  });

  it('that the server does not take now is sent later and holds up none behind it', async () => {
    peer.refuseRecipients(/full/, 452, '4.2.2 Mailbox full');
    await send('full', 'full@slow.example');
    for (const n of [1, 2]) await send(`mail-${n}`, 'ada@slow.example');
    await t.advance('3s');
    expect(arrived()).toEqual(['mail-1', 'mail-2']);
    await t.advance('10m');
    const tries = await slots('slow.example');
    expect(tries.filter(({ mail }) => mail === 'full').map(({ attempt }) => attempt)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7],
    ]);
    // The eighth failed for good, and what fails leaves nothing.
    expect(peer.refused).toBe(8);
    for (const gap of await gaps('slow.example')) expect(gap).toBeGreaterThanOrEqual(1_000);
    expect(t.dead).toMatchObject([
      { reason: 'exhausted', envelope: { key: 'slow.example', data: { id: 'full', attempt: 8 } } },
    ]);
    expect(t.get(BounceBook).bounced).toMatchObject([
      { id: 'full', messageId: '<full@example.net>', status: '4.2.2', permanent: false },
    ]);
  });

  it('waits after one that was refused, too', async () => {
    peer.refuseRecipients(/none/, 550, '5.1.1 No such user');
    for (const n of [1, 2]) await send(`none-${n}`, 'none@slow.example');
    await send('mail', 'ada@slow.example');
    await t.drain();
    expect([peer.refused, arrived()]).toEqual([1, []]);
    await t.advance('1s');
    expect([peer.refused, arrived()]).toEqual([2, []]);
    await t.advance('1s');
    expect([peer.refused, arrived()]).toEqual([2, ['mail']]);
    expect(t.dead).toMatchObject([{ reason: 'rejected' }, { reason: 'rejected' }]);
    expect(t.get(BounceBook).bounced).toMatchObject([{ id: 'none-1' }, { id: 'none-2' }]);
  });

  it('that was refused holds up its own domain alone, and none of many', async () => {
    peer.refuseRecipients(/none/, 550, '5.1.1 No such user');
    for (let n = 0; n < 50; n++) await send(`none-${n}`, `none@d${n}.example`);
    await t.drain();
    for (const n of [0, 50]) await send(`mail-${n}`, `ada@d${n}.example`);
    await t.drain();
    expect([peer.refused, arrived()]).toEqual([50, ['mail-50']]);
    await t.advance('2s');
    expect(arrived()).toEqual(['mail-50', 'mail-0']);
    expect(t.dead).toHaveLength(50);
    const [first, last] = t.dead[0]!.history.map(({ error }) => error);
    expect(first!.message).toContain('550 5.1.1 No such user');
    expect(last!.code).toBe('mail_refused');
  });

  it('counts from when it goes to the server, however long its files take', async () => {
    const files = t.get<MailAttachments>(MailAttachments);
    const load = files.load.bind(files);
    files.load = async (...given) => {
      if (given[0].length > 0) {
        await new Promise<void>((resolve) => t.get<Clock>(CLOCK).after(2_500, resolve));
      }
      return load([], given[1]);
    };
    const attachments = [{ filename: 'f', ref: 'f' }];
    const mail = { to: 'ada@slow.example', subject: 'Hello', text: 'Hi' };
    await t.actors.tell(new SendEmail({ ...mail, attachments }), { id: 'mail-1' });
    for (const n of [2, 3]) await send(`mail-${n}`, 'ada@slow.example');
    await t.advance('2500ms');
    // The kit does not wait for what a turn does after it was given time.
    await eventually(() => peer.mails.length === 1);
    await t.advance('5s');
    expect(arrived()).toEqual(['mail-1', 'mail-2', 'mail-3']);
    expect(await gaps('slow.example')).toEqual([1_000, 1_000]);
  });

  it('does not count when it never goes to the server', async () => {
    const broken = new SendEmail({ to: 'ada@slower.example', template: 'nothing' });
    for (let n = 0; n < 10; n++) await t.actors.tell(broken);
    await send('good', 'ada@slower.example');
    await t.drain();
    expect(arrived()).toEqual(['good']);
    expect(t.dead).toHaveLength(10);
  });

  it('is tried as often as its sender said', async () => {
    peer.refuseRecipients(/full/, 452, '4.2.2 Mailbox full');
    await send('full', 'full@slow.example', { retry: { attempts: 2 } });
    await t.advance('10m');
    expect(peer.refused).toBe(2);
    expect(t.dead).toMatchObject([{ reason: 'exhausted' }]);
    expect(t.get(BounceBook).bounced).toMatchObject([{ id: 'full', permanent: false }]);
  });

  it('keeps its time to live when the server does not take it now', async () => {
    peer.refuseNext(1, 451, '4.7.1 Greylisted');
    await send('code', 'ada@slower.example', { ttl: '2m' });
    await t.drain();
    for (let n = 0; n < 4; n++) await send(`mail-${n}`, 'ada@slower.example');
    await t.advance('30m');
    expect(arrived()).toEqual(['mail-0', 'mail-1', 'mail-2', 'mail-3']);
    expect(t.dead).toMatchObject([{ reason: 'expired', envelope: { data: { id: 'code' } } }]);
  });

  it('is not tried again when its time to live would be over by then', async () => {
    peer.refuseNext(1, 451, '4.7.1 Greylisted');
    peer.refuseRecipients(/full/, 452, '4.2.2 Mailbox full');
    await send('code', 'full@slow.example', { ttl: '500ms' });
    await t.advance('10m');
    expect(peer.refused).toBe(1);
    expect(t.dead).toMatchObject([{ reason: 'exhausted' }]);
    expect(t.get(BounceBook).bounced).toMatchObject([{ id: 'code', permanent: false }]);
  });

  it('is redriven at its rate', async () => {
    peer.refuseNext(2, 554, '5.7.1 Spam');
    for (const n of [1, 2]) await send(`mail-${n}`, 'ada@slow.example');
    await t.advance('10s');
    expect(t.dead).toHaveLength(2);
    await t.redrive();
    await t.drain();
    expect(arrived()).toHaveLength(1);
    await t.advance('1s');
    expect(arrived()).toHaveLength(2);
  });

  it('that is too large to wait is a dead letter at once', async () => {
    const mail = { to: 'ada@slow.example', subject: 'Hello', text: '' };
    const text = 'x'.repeat(256 * 1_024 - JSON.stringify(mail).length);
    await t.actors.tell(new SendEmail({ ...mail, text }), { id: 'large' });
    await t.drain();
    expect(t.dead).toMatchObject([{ reason: 'rejected', envelope: { id: 'large' } }]);
    expect(t.dead[0]!.history[0]!.error.message).toContain('too large');
  });

  it('that was redriven after its time to live waits as long as it must', async () => {
    await send('first', 'ada@slow.example');
    const mail = new SendEmail({ to: 'ada@slow.example', subject: 'Hello', text: 'Hi' });
    const redriven = testTurn({ id: 'late', attempts: 8, now: t.now, deadline: new Date(0) });
    await t.drain();
    await t.get<EmailActor>(EmailActor).send(mail, redriven);
    await t.advance('1s');
    expect(arrived()).toEqual(['first', 'late']);
  });

  it('is given up when its time to live is over before its turn has come', async () => {
    await send('first', 'ada@slower.example');
    await send('late', 'ada@slower.example', { ttl: '30s' });
    await send('last', 'ada@slower.example');
    await t.advance('10m');
    expect(arrived()).toEqual(['first', 'last']);
    expect(t.dead).toMatchObject([{ reason: 'expired' }]);
  });
});
