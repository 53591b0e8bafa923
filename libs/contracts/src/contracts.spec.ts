import { InvalidMessageError } from '@callsheet/messaging';
import { describe, expect, it } from 'vitest';
import {
  AttendRoom,
  Deposit,
  DeliverWebhook,
  hookTopic,
  messages,
  PostChat,
  PUSH_PAYLOAD_BYTES,
  pushPayload,
  RemovePushSubscription,
  SavePushSubscription,
  SendEmail,
  SendPush,
  Transfer,
  WebhookReceived,
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
      'push.save',
      'push.remove',
      'push.send',
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
    // Parts, not bytes, would go into the mail.
    [
      'a type of parts',
      { attachments: [{ ...FILE, contentType: 'Multipart/mixed' }] },
      `${AT}/contentType`,
    ],
    [
      'a mail for a type',
      { attachments: [{ ...FILE, contentType: 'message/rfc822' }] },
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

describe('WebhookReceived', () => {
  const RECEIVED = { source: 'shop', type: 'order.paid', payload: { order: 42 } };

  it.each([
    ['as it comes', {}, []],
    ['without type', { type: '' }, []],
    ['from nobody', { source: '' }, ['source']],
    ['with a long type', { type: 'x'.repeat(201) }, ['type']],
    ['with a list', { payload: [] }, ['payload']],
  ])('%s', (_, change, paths) => {
    const data = { ...RECEIVED, ...change } as typeof RECEIVED;
    expect(refused(() => new WebhookReceived(data))).toEqual(paths);
  });

  it('has a topic of its source and, when that can be, its type', () => {
    const topicOf = (type: string): string => hookTopic({ source: 'shop', type });
    expect(topicOf('order.paid_v2')).toBe('hooks.shop.order.paid_v2');
    expect(topicOf('a.'.repeat(7) + 'a')).toBe(`hooks.shop.${'a.'.repeat(7)}a`);
    const long = `${'a'.repeat(64)}.${'b'.repeat(64)}.c`;
    expect(topicOf(long)).toBe(`hooks.shop.${long}`);
    for (const type of ['', '.', 'a..b', 'order/paid', 'a b', '*', 'a.'.repeat(8) + 'a']) {
      expect(topicOf(type), type).toBe('hooks.shop');
    }
    expect([topicOf('a'.repeat(65)), topicOf(`${long}.${'d'.repeat(40)}`)]).toEqual([
      'hooks.shop',
      'hooks.shop',
    ]);
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

describe('messages to devices', () => {
  // The device of the example in RFC 8291.
  const p256dh =
    'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
  const keys = { p256dh, auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
  const endpoint = 'https://push.example.org/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV';
  const DEVICE = { endpoint, expirationTime: null, keys };
  const PUSH = { user: 'ada', title: 'Hello', body: '' };

  it.each([
    ['as a browser says it', {}, []],
    ['without an end', { expirationTime: undefined }, []],
    ['that ends', { expirationTime: 1.8e12 }, []],
    ['over http', { endpoint: 'http://push.example.org/a' }, ['subscription/endpoint']],
    ['with credentials', { endpoint: 'https://a:b@example.org/' }, ['subscription/endpoint']],
    ['at a long URL', { endpoint: `${endpoint}${'a'.repeat(2_048)}` }, ['subscription/endpoint']],
    ['without keys', { keys: undefined }, ['subscription/keys']],
    ['with a short key', { keys: { ...keys, p256dh: 'BCVx' } }, ['subscription/keys/p256dh']],
    [
      'with a key off the curve',
      { keys: { ...keys, p256dh: `${p256dh.slice(0, -2)}AA` } },
      ['subscription/keys/p256dh'],
    ],
    ['with a short secret', { keys: { ...keys, auth: 'BTBZ' } }, ['subscription/keys/auth']],
    ['with more', { contentEncoding: 'aesgcm' }, ['subscription']],
  ])('take or refuse a subscription %s', (_, change, paths) => {
    const subscription = { ...DEVICE, ...change } as typeof DEVICE;
    expect(refused(() => new SavePushSubscription({ user: 'ada', subscription }))).toEqual(paths);
  });

  it.each([
    ['the least', {}, []],
    ['everything', { url: 'https://a.example/', data: {}, ttl: 1, urgency: 'low', topic: 'a' }, []],
    ['nobody', { user: '' }, ['user']],
    ['no title', { title: '' }, ['title']],
    ['a URL of a script', { url: 'javascript:alert(1)' }, ['url']],
    ['no time', { ttl: 0 }, ['ttl']],
    ['half a second', { ttl: 0.5 }, ['ttl']],
    ['five weeks', { ttl: 3_024_000 }, ['ttl']],
    ['another urgency', { urgency: 'urgent' }, ['urgency']],
    ['a topic with a dot', { topic: 'a.b' }, ['topic']],
    ['a long topic', { topic: 'x'.repeat(33) }, ['topic']],
    ['an unknown field', { icon: 'x' }, ['']],
  ])('take or refuse a push with %s', (_, change, paths) => {
    const push = { ...PUSH, ...change } as typeof PUSH;
    expect(refused(() => new SendPush(push))).toEqual(paths);
  });

  it('refuse more than fits, counted in bytes', () => {
    const rest = Buffer.byteLength(pushPayload({ ...PUSH, data: { a: '' } }));
    const data = (characters: number) => ({ a: 'é'.repeat(characters) });
    const most = Math.floor((PUSH_PAYLOAD_BYTES - rest) / 2);
    expect(refused(() => new SendPush({ ...PUSH, data: data(most) }))).toEqual([]);
    expect(refused(() => new SendPush({ ...PUSH, data: data(most + 1) }))).toEqual(['']);
  });

  it('go to the user they name', () => {
    const metas = [SavePushSubscription, RemovePushSubscription, SendPush].map(({ meta }) => meta);
    expect(metas.map(({ key }) => key)).toEqual(['user', 'user', 'user']);
    expect(refused(() => new RemovePushSubscription({ user: 'ada', endpoint: 'x' }))).toEqual([
      'endpoint',
    ]);
  });
});
