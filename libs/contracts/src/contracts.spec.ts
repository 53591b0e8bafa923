import { InvalidMessageError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import {
  AttendRoom,
  Deposit,
  DeliverWebhook,
  messages,
  PostChat,
  SendEmail,
  Transfer,
} from './index.js';

const MAIL = { to: 'ada@example.org', subject: 'Hello', text: 'Hi' };
const TEMPLATE = { subject: undefined, text: undefined, template: 'welcome' };
const FILE = {
  filename: 'logo.png',
  ref: 'logo.png',
  sha256: 'a'.repeat(64),
  contentType: 'image/png',
  cid: 'logo@example.org',
};
const AT = 'attachments/0';
const HOOK = { url: 'https://example.org/hook', event: 'invoice.paid', payload: { total: 1 } };

/** The paths that an error names, or [] when the message is made. */
function refused(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.violations.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe('messages', () => {
  it('lists every type once', () => {
    expect(messages.map(({ meta }) => meta.type)).toEqual([
      'email.send',
      'webhook.deliver',
      'account.deposit',
      'account.withdraw',
      'account.transfer',
      'account.balance',
      'chat.post',
      'chat.attend',
    ]);
  });
});

describe('SendEmail', () => {
  it.each([
    ['text', {}],
    ['html alone', { text: undefined, html: '<p>Hi</p>' }],
    ['fifty receivers', { to: Array.from({ length: 50 }, (_, i) => `u${i}@example.org`) }],
    ['a subject of 998 characters', { subject: 'é'.repeat(998) }],
    ['a reply address', { replyTo: 'grace@example.org' }],
    ['a template', { ...TEMPLATE, data: { name: 'Ada' } }],
    ['a template without data', TEMPLATE],
    ['a file within the folder', { attachments: [{ filename: 'a b.pdf', ref: 'in/a b.pdf' }] }],
    ['a URL', { attachments: [{ filename: 'a', ref: 'https://example.org/a?b=../c' }] }],
    ['a file all told', { attachments: [FILE] }],
  ])('takes %s', (_, change) => {
    expect(refused(() => new SendEmail({ ...MAIL, ...change }))).toEqual([]);
  });

  it.each([
    ['a header in the subject', { subject: 'Hi\r\nBcc: eve@example.org' }, 'subject'],
    ['a bare line feed in the subject', { subject: 'Hi\nBcc: eve@example.org' }, 'subject'],
    ['a header in the address', { to: 'ada@example.org\r\nBcc: eve@example.org' }, 'to'],
    ['two addresses in one', { to: 'ada@example.org, eve@example.org' }, 'to'],
    ['a header in replyTo', { replyTo: 'a@example.org\r\nBcc: eve@example.org' }, 'replyTo'],
    ['a long subject', { subject: 'x'.repeat(999) }, 'subject'],
    ['an empty subject', { subject: '' }, 'subject'],
    ['no receiver', { to: [] }, 'to'],
    ['51 receivers', { to: Array.from({ length: 51 }, (_, i) => `u${i}@example.org`) }, 'to'],
    ['neither text nor html', { text: undefined }, ''],
    ['an unknown field', { bcc: 'eve@example.org' }, ''],
    ['a file for a text', { text: { path: '/etc/passwd' } }, 'text'],
    ['no subject', { subject: undefined }, 'subject'],
    ['a template beside a text', { template: 'welcome' }, 'template'],
    ['a template beside a subject', { ...TEMPLATE, subject: 'Hi' }, 'template'],
    ['data without template', { data: {} }, 'data'],
    ['a template elsewhere', { ...TEMPLATE, template: '../welcome' }, 'template'],
    ['a list for data', { ...TEMPLATE, data: [] }, 'data'],
    ['21 files', { attachments: Array(21).fill(FILE) }, 'attachments'],
    ['a header in a name', { attachments: [{ ...FILE, filename: 'a\r\nB: c' }] }, `${AT}/filename`],
    ['a slash in a name', { attachments: [{ ...FILE, filename: 'a/b' }] }, `${AT}/filename`],
    [
      'a header in a type',
      { attachments: [{ ...FILE, contentType: 'a/b\r\nC: d' }] },
      `${AT}/contentType`,
    ],
    ['a header in a cid', { attachments: [{ ...FILE, cid: 'a>\r\nB: c' }] }, `${AT}/cid`],
    ['a short digest', { attachments: [{ ...FILE, sha256: 'abc' }] }, `${AT}/sha256`],
    ['content in the message', { attachments: [{ ...FILE, content: 'x' }] }, AT],
  ])('refuses %s', (_, change, path) => {
    const data = { ...MAIL, ...change } as typeof MAIL;
    expect(refused(() => new SendEmail(data))).toEqual([path]);
  });

  it.each([
    ['', 'an empty path'],
    ['/etc/passwd', 'an absolute path'],
    ['a/../../b', 'a path that leaves the folder'],
    ['..', 'the folder above'],
    ['./a', 'a dot'],
    ['a//b', 'an empty part'],
    ['a\\..\\b', 'backslashes'],
    ['C:/a', 'a drive'],
    ['a\0b', 'a NUL'],
    ['file:///etc/passwd', 'another scheme'],
    ['https://user:secret@example.org/', 'credentials'],
    [`a${'b'.repeat(2_048)}`, 'a long path'],
  ])('refuses the file %j: %s', (ref) => {
    const mail = { ...MAIL, attachments: [{ ...FILE, ref }] };
    expect(refused(() => new SendEmail(mail))).toEqual([`${AT}/ref`]);
  });
});

describe('DeliverWebhook', () => {
  it.each([
    ['https', {}],
    ['http with a port', { url: 'http://127.0.0.1:8080/hook?a=b' }],
    ['an empty payload', { payload: {} }],
    ['an endpoint', { endpoint: 'customer 7' }],
  ])('takes %s', (_, change) => {
    expect(refused(() => new DeliverWebhook({ ...HOOK, ...change }))).toEqual([]);
  });

  it.each([
    ['another scheme', { url: 'file:///etc/passwd' }, 'url'],
    ['no URL', { url: 'example.org' }, 'url'],
    ['credentials', { url: 'https://user:secret@example.org/' }, 'url'],
    ['a user name', { url: 'https://user@example.org/' }, 'url'],
    ['a long URL', { url: `https://example.org/${'a'.repeat(2_048)}` }, 'url'],
    ['a line break in the event', { event: 'a\nb' }, 'event'],
    ['an empty event', { event: '' }, 'event'],
    ['a list for a payload', { payload: [] }, 'payload'],
    ['a missing payload', { payload: undefined }, 'payload'],
    ['an empty endpoint', { endpoint: '' }, 'endpoint'],
    ['a long endpoint', { endpoint: 'x'.repeat(201) }, 'endpoint'],
    ['an unknown field', { secret: 'x' }, ''],
  ])('refuses %s', (_, change, path) => {
    const data = { ...HOOK, ...change } as typeof HOOK;
    expect(refused(() => new DeliverWebhook(data))).toEqual([path]);
  });

  it('is for the URL without its query, unless it names an endpoint', () => {
    const endpointOf = (change: object) => new DeliverWebhook({ ...HOOK, ...change }).endpoint;
    expect(endpointOf({ url: 'HTTPS://Example.org:443/a/../hook?token=1#x' })).toBe(HOOK.url);
    expect(endpointOf({ endpoint: 'customer 7' })).toBe('customer 7');
    const long = `https://example.org/${'a'.repeat(300)}`;
    expect(endpointOf({ url: long })).toBe(long.slice(0, 200));
  });
});

describe('messages to accounts', () => {
  const PAY = { accountId: 'ada', to: 'grace', amount: 100 };

  it.each([
    ['one cent', { amount: 1 }],
    ['ten million', { amount: 1_000_000_000 }],
    ['an id of every kind of character', { to: '1_Grace.Hopper-2' }],
  ])('take %s', (_, change) => {
    expect(refused(() => new Transfer({ ...PAY, ...change }))).toEqual([]);
  });

  it.each([
    ['half a cent', { amount: 0.5 }, 'amount'],
    ['nothing', { amount: 0 }, 'amount'],
    ['less than nothing', { amount: -1 }, 'amount'],
    ['more than ten million', { amount: 1_000_000_001 }, 'amount'],
    ['an amount in text', { amount: '100' }, 'amount'],
    ['a transfer to itself', { to: 'ada' }, 'to'],
    ['an empty id', { accountId: '' }, 'accountId'],
    ['an id with a slash', { accountId: 'a/b' }, 'accountId'],
    ['a long id', { to: 'x'.repeat(65) }, 'to'],
    ['an unknown field', { currency: 'EUR' }, ''],
  ])('refuse %s', (_, change, path) => {
    const data = { ...PAY, ...change } as typeof PAY;
    expect(refused(() => new Transfer(data))).toEqual([path]);
  });

  it('go to the account they name', () => {
    expect(Deposit.meta.key).toBe('accountId');
  });
});

describe('messages to rooms', () => {
  const SAID = { room: 'lobby', author: 'Ada Lovelace', text: 'Hello' };
  const HERE = { room: 'lobby', place: 'p-1', users: ['ada'] };

  it.each([
    ['several lines', { text: 'a\n\tb' }],
    ['2,000 characters', { text: 'x'.repeat(2_000) }],
    ['any name', { author: 'Żółć 🎬' }],
  ])('take %s', (_, change) => {
    expect(refused(() => new PostChat({ ...SAID, ...change }))).toEqual([]);
  });

  it.each([
    ['nothing said', { text: '' }, 'text'],
    ['2,001 characters', { text: 'x'.repeat(2_001) }, 'text'],
    ['more than 3,500 bytes', { text: 'é'.repeat(1_750) }, 'text'],
    ['a NUL character', { text: 'a\0' }, 'text'],
    ['nobody', { author: '' }, 'author'],
    ['a line break in the name', { author: 'ada\ngrace' }, 'author'],
    ['a long name', { author: 'x'.repeat(65) }, 'author'],
    ['no room', { room: '' }, 'room'],
    ['a room with a slash', { room: 'a/b' }, 'room'],
    ['an unknown field', { seq: 1 }, ''],
  ])('refuse %s', (_, change, path) => {
    expect(refused(() => new PostChat({ ...SAID, ...change }))).toEqual([path]);
  });

  it('refuse more than 500 users, and bad names among them', () => {
    const users = Array.from({ length: 501 }, (_, n) => `u${n}`);
    expect(refused(() => new AttendRoom(HERE))).toEqual([]);
    expect(refused(() => new AttendRoom({ ...HERE, users }))).toEqual(['users']);
    expect(refused(() => new AttendRoom({ ...HERE, users: ['ada', ''] }))).toEqual(['users/1']);
  });

  it('go to the room they name', () => {
    expect([PostChat.meta.key, AttendRoom.meta.key]).toEqual(['room', 'room']);
  });
});
