import { startHttpPeer, webhookIdOf, type HttpPeer } from '../../support/http.peer.js';
import { startPushPeer, type PushPeer } from '../../support/push.peer.js';
import { mailIdOf, startSmtpPeer, type SmtpPeer } from '../../support/smtp.peer.js';

/** When what was seen, in order of the first time. */
export class Sightings {
  readonly times = new Map<string, number[]>();

  see(id: string, at: number): void {
    const times = this.times.get(id);
    if (times) times.push(at);
    else this.times.set(id, [at]);
  }

  /** How often something was seen again. */
  get again(): number {
    return [...this.times.values()].reduce((sum, { length }) => sum + length - 1, 0);
  }
}

/** Every so many webhooks the receiver is busy, and takes the webhook when it comes again. */
const BUSY_EVERY = 40;

/** Who gets what is sent, and when it did. What a peer refuses it has not seen. */
export class FieldPeers {
  readonly webhooks = new Sightings();
  /** Webhooks of the relay, by the message that they tell of. */
  readonly relayed = new Sightings();

  private constructor(
    readonly smtp: SmtpPeer,
    readonly http: HttpPeer,
    readonly push: PushPeer,
  ) {}

  static async start(): Promise<FieldPeers> {
    const [smtp, http, push] = await Promise.all([
      startSmtpPeer(),
      startHttpPeer(),
      startPushPeer(),
    ]);
    const peers = new FieldPeers(smtp, http, push);
    smtp.refuseRecipients(/^nobody/, 550, '5.1.1 no such mailbox');
    http.answer((request) => {
      if (request.url === '/gone') return { status: 410 };
      if (http.requests.length % BUSY_EVERY === 0) return { status: 503 };
      if (!request.url.startsWith('/heard/')) peers.webhooks.see(webhookIdOf(request), request.at);
      else {
        const { data } = JSON.parse(request.body.toString()) as { data: Heard };
        peers.relayed.see(data.id ?? data.data.id, request.at);
      }
      return { status: 204 };
    });
    return peers;
  }

  get mails(): Sightings {
    const found = new Sightings();
    for (const mail of this.smtp.mails) found.see(mailIdOf(mail), mail.at);
    return found;
  }

  /** By {@link pushName}. */
  get pushes(): Sightings {
    const found = new Sightings();
    for (const { endpoint, payload, at } of this.push.pushes) {
      found.see(pushName((payload as { data: { id: string } }).data.id, endpoint), at);
    }
    return found;
  }
}

/** A push of a message on one device. */
export function pushName(id: string, endpoint: string): string {
  return `${id} on ${endpoint}`;
}

/** A bounce has the id of its mail, a webhook from others what they have put into its data. */
interface Heard {
  id?: string;
  data: { id: string };
}
