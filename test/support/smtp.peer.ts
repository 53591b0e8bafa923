import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';

/** A mail that the server accepted: envelope and content. */
export interface Mail {
  from: string;
  to: string[];
  parsed: ParsedMail;
}

export interface SmtpPeer {
  /** For `SMTP_URL`. */
  readonly url: string;
  readonly port: number;
  /** Accepted mails, in order of arrival. */
  readonly mails: Mail[];
  /** How many mails were refused. */
  readonly refused: number;
  /** Answers the next `count` mails, after their content, with `code`: 4xx to try again, 5xx never. */
  refuseNext(count: number, code?: number): void;
  /** Answers every recipient that matches with `code`; other recipients are accepted. */
  refuseRecipients(pattern: RegExp, code?: number): void;
  /** Closes the port; {@link start} opens the same one again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** A real SMTP server without authentication and TLS, on a free loopback port. */
export async function startSmtpPeer(): Promise<SmtpPeer> {
  const port = await freePort();
  const mails: Mail[] = [];
  const recipients: { pattern: RegExp; code: number }[] = [];
  const next: number[] = [];
  let refused = 0;

  const refusal = (code: number): Error => {
    refused += 1;
    return Object.assign(new Error(`refused by the test with ${code}`), { responseCode: code });
  };

  const createServer = () =>
    new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 500,
      onRcptTo({ address }, _session, done) {
        const rule = recipients.find(({ pattern }) => pattern.test(address));
        done(rule ? refusal(rule.code) : null);
      },
      onData(stream, { envelope }, done) {
        simpleParser(stream).then((parsed) => {
          const code = next.shift();
          if (code !== undefined) return done(refusal(code));
          mails.push({
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            to: envelope.rcptTo.map(({ address }) => address),
            parsed,
          });
          done();
        }, done);
      },
    });

  let server: SMTPServer | undefined;
  const peer: SmtpPeer = {
    url: `smtp://127.0.0.1:${port}`,
    port,
    mails,
    get refused() {
      return refused;
    },
    refuseNext(count, code = 451) {
      next.push(...Array.from({ length: count }, () => code));
    },
    refuseRecipients(pattern, code = 550) {
      recipients.push({ pattern, code });
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (closing) await new Promise<void>((resolve) => closing.close(resolve));
    },
    async start() {
      if (server) return;
      const starting = createServer();
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject);
        starting.listen(port, '127.0.0.1', resolve);
      });
      // A client that is killed in the middle of a mail is an error of its connection, not of the test.
      starting.on('error', () => undefined);
      server = starting;
    },
  };
  atEnd(() => peer.stop());
  await peer.start();
  return peer;
}

/** The id of the message that a mail was sent for: the left part of its Message-ID. */
export function mailIdOf({ parsed }: Mail): string {
  return (parsed.messageId ?? '').replace(/^<|@.*$/g, '');
}
