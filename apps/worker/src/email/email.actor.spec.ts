import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendEmail } from '@callsheet/contracts';
import { RejectError, type Turn } from '@callsheet/messaging';
import { TestCallsheet, testTurn } from '@callsheet/messaging/testing';
import { Logger } from '@nestjs/common';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GuardedFetch } from '../outbound/guarded.fetch.js';
import { Settings } from '../settings.js';
import { EmailActor } from './email.actor.js';
import { Bounces } from './bounces.js';
import { MailAttachments } from './mail.attachments.js';
import { MailTemplates } from './mail.templates.js';
import { Mailer } from './mailer.js';

const MAIL = { to: 'ada@example.org', subject: 'Grüße 😀', text: 'Hi Ada' };

const turn = (change: Partial<Turn> = {}): Turn =>
  testTurn({ id: 'email-01jgxyz', attempts: 8, ...change });

let t: TestCallsheet;
beforeAll(async () => {
  Logger.overrideLogger(false);
  t = await TestCallsheet.create({ providers: [] });
});
afterAll(async () => {
  await t.close();
  Logger.overrideLogger(true);
});

let cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  cleanups = [];
});

function actorWith(env: Record<string, string>): EmailActor {
  const settings = new Settings({ MAIL_FROM: 'Call <call@example.net>', ...env });
  const files = new MailAttachments(settings, new GuardedFetch(settings.allowed));
  const bounces = new Bounces(t.actors);
  const mailer = new Mailer(settings, new MailTemplates(settings), files, bounces);
  cleanups.push(() => mailer.onApplicationShutdown());
  return new EmailActor(mailer, t.actors, settings);
}

async function failure(sending: Promise<void>): Promise<Error> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('the sending did not fail');
  return error;
}

describe('the outbox', () => {
  let folder: string;
  let actor: EmailActor;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outbox-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    actor = actorWith({ OUTBOX_DIR: join(folder, 'new') });
  });

  const files = () => readdir(join(folder, 'new'));
  const parsed = async (name: string) => simpleParser(await readFile(join(folder, 'new', name)));

  it('holds the mail as a file that a mail program can read', async () => {
    const to = ['ada@example.org', 'grace@example.org'];
    const mail = { ...MAIL, to, html: '<b>Hi</b>', replyTo: 'reply@example.org' };
    await actor.send(new SendEmail(mail), turn());
    expect(await files()).toEqual(['email-01jgxyz.eml']);
    const {
      from,
      to: receivers,
      replyTo,
      subject,
      text,
      html,
      messageId,
    } = await parsed('email-01jgxyz.eml');
    expect(from?.text).toBe('"Call" <call@example.net>');
    expect(receivers).toMatchObject({ text: to.join(', ') });
    expect(replyTo?.text).toBe('reply@example.org');
    expect({ subject, text, html, messageId }).toEqual({
      subject: 'Grüße 😀',
      text: 'Hi Ada',
      html: '<b>Hi</b>',
      messageId: '<email-01jgxyz@example.net>',
    });
  });

  it('holds the mail that a template makes, in every attempt under the same name', async () => {
    const mail = { to: 'ada@example.org', template: 'welcome', data: { name: '<Ada>' } };
    await actor.send(new SendEmail(mail), turn());
    await actor.send(new SendEmail(mail), turn({ attempt: 2 }));
    expect(await files()).toEqual(['email-01jgxyz.eml']);
    expect(await parsed('email-01jgxyz.eml')).toMatchObject({
      subject: 'Welcome, <Ada>',
      text: 'Hello <Ada>,\n\nyour account is ready.\n',
      html: expect.stringContaining('<p>Hello &lt;Ada&gt;,</p>'),
      messageId: '<email-01jgxyz@example.net>',
    });
  });

  it('gets no mail whose template lacks a field', async () => {
    const mail = new SendEmail({ to: 'ada@example.org', template: 'welcome', data: {} });
    const error = await failure(actor.send(mail, turn()));
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toContain('data.name');
    await expect(files()).rejects.toThrow('ENOENT');
  });

  it('holds the files that the mail names, and may show them', async () => {
    await writeFile(join(folder, 'logo.png'), 'a picture');
    const attachments = [
      { filename: 'Grüße "1".png', ref: 'logo.png', cid: 'logo' },
      { filename: 'data', ref: 'logo.png', contentType: 'application/x-own' },
    ];
    const mail = new SendEmail({ ...MAIL, html: '<img src="cid:logo">', attachments });
    await actorWith({ OUTBOX_DIR: join(folder, 'new'), MAIL_ATTACHMENTS: folder }).send(
      mail,
      turn(),
    );
    const { attachments: got, messageId } = await parsed('email-01jgxyz.eml');
    expect(messageId).toBe('<email-01jgxyz@example.net>');
    expect(
      got.map(({ filename, contentType, cid, content }) => [
        filename,
        contentType,
        cid,
        content.toString(),
      ]),
    ).toEqual([
      ['Grüße "1".png', 'image/png', 'logo', 'a picture'],
      ['data', 'application/x-own', undefined, 'a picture'],
    ]);
  });

  it('gets no mail whose attachment is not there', async () => {
    const mail = new SendEmail({ ...MAIL, attachments: [{ filename: 'a', ref: 'a' }] });
    const env = { OUTBOX_DIR: join(folder, 'new'), MAIL_ATTACHMENTS: folder };
    expect(await failure(actorWith(env).send(mail, turn()))).toBeInstanceOf(RejectError);
    await expect(files()).rejects.toThrow('ENOENT');
  });

  it('holds one file per message: another attempt overwrites it', async () => {
    await actor.send(new SendEmail(MAIL), turn());
    await actor.send(new SendEmail({ ...MAIL, text: 'again' }), turn({ attempt: 2 }));
    expect(await files()).toEqual(['email-01jgxyz.eml']);
    expect((await parsed('email-01jgxyz.eml')).text).toBe('again\n');
  });

  it('stays inside its folder whatever the id is, and keeps ids apart', async () => {
    const ids = [
      '../../evil',
      '../..\\evil',
      '.',
      'a\r\nBcc: eve@example.org',
      'A',
      'a',
      'é'.repeat(200),
    ];
    for (const id of ids) await actor.send(new SendEmail(MAIL), turn({ id }));
    const names = await files();
    expect(names).toHaveLength(ids.length);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9-]{1,60}\.eml$/);
    expect(await readdir(folder)).toEqual(['new']);
    for (const name of names) expect((await parsed(name)).bcc).toBeUndefined();
  });

  it('that cannot be written is tried again, and leaves no draft', async () => {
    await writeFile(join(folder, 'new'), 'a file where the folder should be');
    const error = await failure(actor.send(new SendEmail(MAIL), turn()));
    expect(error).not.toBeInstanceOf(RejectError);
    expect(await readdir(folder)).toEqual(['new']);
  });

  it('gets nothing from a turn that was aborted', async () => {
    const reason = new Error('the process is stopping');
    const sending = actor.send(new SendEmail(MAIL), turn({ signal: AbortSignal.abort(reason) }));
    expect(await failure(sending)).toBe(reason);
    await expect(files()).rejects.toThrow('ENOENT');
  });
});

describe('an SMTP server', () => {
  let arrived: ParsedMail[];
  let sockets: Socket[];

  beforeEach(() => {
    arrived = [];
    sockets = [];
  });

  /** A server on a free port; gives its URL. */
  async function smtp(options: SMTPServerOptions = {}): Promise<string> {
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      closeTimeout: 50,
      onData(stream, _session, callback) {
        simpleParser(stream).then((mail) => {
          arrived.push(mail);
          callback();
        }, callback);
      },
      ...options,
    });
    server.on('error', () => undefined);
    server.server.on('connection', (socket: Socket) => sockets.push(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    cleanups.unshift(() => new Promise<void>((resolve) => server.close(resolve)));
    return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  }

  const answer = (code: number, text: string) =>
    Object.assign(new Error(text), { responseCode: code });

  it('gets the mail, with the same Message-ID in every attempt', async () => {
    const actor = actorWith({ SMTP_URL: await smtp() });
    await actor.send(new SendEmail(MAIL), turn());
    await actor.send(new SendEmail(MAIL), turn({ attempt: 2 }));
    expect(arrived.map(({ messageId }) => messageId)).toEqual(
      Array.from({ length: 2 }, () => '<email-01jgxyz@example.net>'),
    );
    expect(arrived[0]).toMatchObject({ subject: 'Grüße 😀', text: 'Hi Ada\n' });
  });

  it('gets ten mails at once: as many as both actors send', async () => {
    const held: (() => void)[] = [];
    const url = await smtp({
      onMailFrom: (_from, _session, callback) => {
        held.push(() => callback());
        if (held.length === 10) for (const release of held) release();
      },
    });
    const actor = actorWith({ SMTP_URL: url });
    const ids = Array.from({ length: 10 }, (_, n) => `mail-${n}`);
    await Promise.all(ids.map((id) => actor.send(new SendEmail(MAIL), turn({ id }))));
    expect(arrived).toHaveLength(10);
  });

  it('that answers 550 to a recipient rejects the message', async () => {
    const url = await smtp({
      onRcptTo: (_to, _s, callback) => callback(answer(550, 'No such user')),
    });
    const error = await failure(actorWith({ SMTP_URL: url }).send(new SendEmail(MAIL), turn()));
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toBe(
      `SMTP server ${new URL(url).host} answered '550 No such user' to RCPT TO`,
    );
  });

  it('that answers 554 to the content rejects the message', async () => {
    const url = await smtp({
      onData: (stream, _session, callback) => {
        stream.resume().on('end', () => callback(answer(554, 'Spam')));
      },
    });
    const error = await failure(actorWith({ SMTP_URL: url }).send(new SendEmail(MAIL), turn()));
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toContain("'554 Spam' to DATA");
  });

  it('that answers 451 is tried again', async () => {
    const url = await smtp({
      onRcptTo: (_to, _s, callback) => callback(answer(451, 'Greylisted')),
    });
    const error = await failure(actorWith({ SMTP_URL: url }).send(new SendEmail(MAIL), turn()));
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error.message).toContain("'451 Greylisted' to RCPT TO");
  });

  it('that refuses the connection with 554 is tried again: it is not about the mail', async () => {
    const url = await smtp({ onConnect: (_session, callback) => callback(answer(554, 'Closed')) });
    const error = await failure(actorWith({ SMTP_URL: url }).send(new SendEmail(MAIL), turn()));
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error.message).toContain('554');
  });

  it('that refuses one of two recipients makes a dead letter that names the one', async () => {
    const url = await smtp({
      onRcptTo: ({ address }, _session, callback) =>
        callback(address.startsWith('grace') ? answer(451, 'Mailbox full') : null),
    });
    const mail = new SendEmail({ ...MAIL, to: ['ada@example.org', 'grace@example.org'] });
    const error = await failure(actorWith({ SMTP_URL: url }).send(mail, turn()));
    expect(error).toBeInstanceOf(RejectError);
    expect(error.message).toBe(
      'the mail was sent, but not to grace@example.org (451 Mailbox full)',
    );
    expect(arrived).toHaveLength(1);
  });

  it('that closes the connection gets the mail once per attempt', async () => {
    let tries = 0;
    const url = await smtp({
      onData(stream) {
        tries++;
        stream.resume().on('end', () => sockets.forEach((socket) => socket.destroy()));
      },
    });
    const error = await failure(actorWith({ SMTP_URL: url }).send(new SendEmail(MAIL), turn()));
    expect(error).not.toBeInstanceOf(RejectError);
    expect(tries).toBe(1);
  });

  it('that is not there is tried again', async () => {
    const closed = createServer();
    await once(closed.listen(0, '127.0.0.1'), 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const actor = actorWith({ SMTP_URL: `smtp://ada:hunter2@127.0.0.1:${port}` });
    const error = await failure(actor.send(new SendEmail(MAIL), turn()));
    expect(error).not.toBeInstanceOf(RejectError);
    expect(error.message).toContain(`SMTP server 127.0.0.1:${port} failed: connect ECONNREFUSED`);
    expect(error.message).not.toContain('hunter2');
  });

  it('that stalls is left when the turn is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('the process is stopping');
    const url = await smtp({ onMailFrom: () => controller.abort(reason) });
    const actor = actorWith({ SMTP_URL: url });
    const sending = actor.send(new SendEmail(MAIL), turn({ signal: controller.signal }));
    expect(await failure(sending)).toBe(reason);
  });
});
