import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { atEnd } from './cleanup.js';
import { freePort } from './ports.js';

/** A mail that the server accepted: envelope and content. */
export interface Mail {
  from: string;
  to: string[];
  /** When it was accepted, in milliseconds since the epoch. */
  at: number;
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
  /** Answers the next `count` mails, after their content, with `code` and `text`: 4xx to try again, 5xx never. */
  refuseNext(count: number, code?: number, text?: string): void;
  /** Answers every recipient that matches with `code` and `text`; other recipients are accepted. */
  refuseRecipients(pattern: RegExp, code?: number, text?: string): void;
  /** Closes the port; {@link start} opens the same one again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Answer {
  code: number;
  text?: string | undefined;
}

/** A real SMTP server without authentication and TLS, on a free loopback port. */
export async function startSmtpPeer(): Promise<SmtpPeer> {
  const port = await freePort();
  const mails: Mail[] = [];
  const recipients: (Answer & { pattern: RegExp })[] = [];
  const next: Answer[] = [];
  let refused = 0;

  const refusal = ({ code, text = `refused by the test with ${code}` }: Answer): Error => {
    refused += 1;
    return Object.assign(new Error(text), { responseCode: code });
  };

  const createServer = () =>
    new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 500,
      onRcptTo({ address }, _session, done) {
        const rule = recipients.find(({ pattern }) => pattern.test(address));
        done(rule ? refusal(rule) : null);
      },
      onData(stream, { envelope }, done) {
        simpleParser(stream).then((parsed) => {
          const answer = next.shift();
          if (answer) return done(refusal(answer));
          mails.push({
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            to: envelope.rcptTo.map(({ address }) => address),
            at: Date.now(),
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
    refuseNext(count, code = 451, text) {
      next.push(...Array.from({ length: count }, () => ({ code, text })));
    },
    refuseRecipients(pattern, code = 550, text) {
      recipients.push({ pattern, code, text });
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
