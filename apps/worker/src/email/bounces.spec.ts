import { SendEmail } from '@callsheet/contracts';
import { Actors, StoreFullError } from '@callsheet/messaging';
import { TestCallsheet } from '@callsheet/messaging/testing';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BounceBook } from '../../../../test/support/bounce.book.js';
import { mailProviders } from '../../../../test/support/mail.providers.js';
import { startSmtpPeer, type SmtpPeer } from '../../../../test/support/smtp.peer.js';

const MAIL = { to: 'ada@example.org', subject: 'Hello', text: 'Hi Ada' };

let peer: SmtpPeer;
let t: TestCallsheet;

afterAll(() => Logger.overrideLogger(true));

beforeEach(async () => {
  peer = await startSmtpPeer();
  const providers = mailProviders({ SMTP_URL: peer.url, MAIL_FROM: 'call@example.net' });
  t = await TestCallsheet.create({ providers: [...providers, BounceBook] });
  Logger.overrideLogger(false);
});
afterEach(() => t.close());

const bounced = () => t.get(BounceBook).bounced;

async function send(change: object = {}): Promise<void> {
  await t.actors.tell(new SendEmail({ ...MAIL, ...change }), { id: 'mail-1' });
  await t.advance('10m');
}

describe('a bounce', () => {
  it('tells subscribers at once which recipient was refused, and why', async () => {
    peer.refuseRecipients(/ada/, 550, '5.1.1 No such user');
    await send();
    expect(bounced()).toEqual([
      {
        id: 'mail-1',
        messageId: '<mail-1@example.net>',
        recipient: 'ada@example.org',
        status: '5.1.1',
        permanent: true,
        diagnostic: '550 5.1.1 No such user',
      },
    ]);
    expect(t.dead).toMatchObject([
      { reason: 'rejected', history: [{ error: { code: 'mail_refused' } }] },
    ]);
  });

  it.each([
    ['No such user', '5.0.0'],
    ['4.2.2 another class', '5.0.0'],
    ['5.1 too short', '5.0.0'],
    ['5.1.1000 too long', '5.0.0'],
    ['5.7.26 DMARC', '5.7.26'],
  ])('has of 550 %s the status %s', async (text, status) => {
    peer.refuseRecipients(/ada/, 550, text);
    await send();
    expect(bounced().map((event) => event.status)).toEqual([status]);
  });

  it('is told of those that were refused while others got the mail, and of no others', async () => {
    peer.refuseRecipients(/grace/, 550, '5.1.1 No such user');
    peer.refuseRecipients(/mary/, 452, '4.2.2 Mailbox full');
    await send({ to: ['ada@example.org', 'grace@example.org', 'mary@example.org'] });
    expect(peer.mails.map(({ to }) => to)).toEqual([['ada@example.org']]);
    expect(bounced()).toMatchObject([
      { recipient: 'grace@example.org', status: '5.1.1', permanent: true },
      { recipient: 'mary@example.org', status: '4.2.2', permanent: false },
    ]);
  });

  it('is told of all recipients when the content is refused', async () => {
    peer.refuseNext(1, 554, '5.7.1 Spam');
    await send({ to: ['ada@example.org', 'grace@example.org'] });
    expect(bounced()).toMatchObject([
      { recipient: 'ada@example.org', status: '5.7.1', permanent: true },
      { recipient: 'grace@example.org', status: '5.7.1', permanent: true },
    ]);
  });

  it('is not told of a mail that is taken later', async () => {
    peer.refuseNext(3, 451, '4.7.1 Greylisted');
    await send();
    expect(peer.mails).toHaveLength(1);
    expect(bounced()).toEqual([]);
  });

  it('is told, as not permanent, when the last attempt was deferred', async () => {
    peer.refuseRecipients(/ada/, 451, '4.2.2 Mailbox full');
    await send();
    expect(peer.refused).toBe(8);
    expect(bounced()).toMatchObject([
      { recipient: 'ada@example.org', status: '4.2.2', permanent: false },
    ]);
    expect(t.dead).toMatchObject([{ reason: 'exhausted' }]);
  });

  it('is not told when the server is away: that says nothing of an address', async () => {
    await peer.stop();
    await send();
    expect(t.dead).toMatchObject([{ reason: 'exhausted' }]);
    expect(bounced()).toEqual([]);
  });

  it('that cannot be published does not send the mail again to those who have it', async () => {
    const actors = t.get<Actors>(Actors);
    actors.publish = () => Promise.reject(new StoreFullError('full'));
    peer.refuseRecipients(/grace/, 550, '5.1.1 No such user');
    await send({ to: ['ada@example.org', 'grace@example.org'] });
    expect(peer.mails.map(({ to }) => to)).toEqual([['ada@example.org']]);
    expect(t.dead).toMatchObject([{ reason: 'rejected' }]);
  });

  it('is told once, though the mail is refused again in other words', async () => {
    peer.refuseNext(1, 554, '5.7.1 Spam');
    peer.refuseNext(1, 554, '5.7.1 Still spam');
    await send();
    await t.redrive();
    await t.advance('10m');
    expect(peer.refused).toBe(2);
    expect(bounced()).toMatchObject([{ diagnostic: '554 5.7.1 Spam' }]);
    expect(t.dead).toMatchObject([{ reason: 'rejected' }]);
  });
});
