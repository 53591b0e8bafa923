import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { Webhook } from 'standardwebhooks';
import type { FieldPeers } from './peers.js';

/** What was accepted. */
export interface Accepted {
  id: string;
  /** Whose order it is in: an endpoint, a user, an author in a room. */
  line: string;
  /** When it was sent first, and how long it took until it was accepted, ms. */
  at: number;
  took: number;
  /** How it is to end. */
  end: 'done' | 'dead';
}

export type Kind = 'mail' | 'webhook' | 'push' | 'post' | 'heard' | 'signup';

export const SHOP_SECRET = `whsec_${Buffer.alloc(32, 'shop').toString('base64')}`;
export const ROOMS = Array.from({ length: 5 }, (_, n) => `room-${n}`);
export const USERS = Array.from({ length: 20 }, (_, n) => `user-${n}`);
/** A domain with a rate. */
export const SLOW = 'slow.example';
const AUTHORS = ['ada', 'grace'];
const ENDPOINTS = 10;
/** How often something is sent again that was not accepted. */
const MOST_TRIES = 100;

/** How many of each are begun in a second. An author waits for the number of what was said before more is said. */
const PACE: Record<Exclude<Kind, 'post' | 'signup'> | 'rows', number> = {
  mail: 8,
  webhook: 12,
  push: 4,
  heard: 4,
  rows: 5,
};
const PAUSE_OF_AUTHORS = 1_000;
const ROWS = 10;

/** What the load works with. */
export interface LoadTools {
  /** The API, without a slash at its end. */
  url: string;
  peers: FieldPeers;
  source: Client;
  /** CSV of sign-ups. */
  signups: string;
  /** An attachment, by its name. */
  attachment: string;
}

/** Uses everything at once, over HTTP, each sender at its pace and under ids of its own; keeps what was accepted. */
export class Load {
  readonly accepted: Record<Kind, Accepted[]> = {
    ...{ mail: [], webhook: [], push: [], post: [], heard: [], signup: [] },
  };
  rows = 0;
  /** How often something was sent again. */
  retries = 0;
  private until = 0;

  constructor(private readonly tools: LoadTools) {}

  async run(seconds: number): Promise<void> {
    this.until = performance.now() + seconds * 1_000;
    await Promise.all([
      this.pace(PACE.mail, (n) => this.mail(n)),
      this.pace(PACE.webhook, (n) => this.webhook(n)),
      this.pace(PACE.push, (n) => this.push(n)),
      this.pace(PACE.heard, (n) => this.hear(n)),
      this.pace(PACE.rows, (n) => this.write(n)),
      this.pace(2, (n) => this.signUp(n)),
      this.pace(1, () => this.sync()),
      // The server refuses a mail for now, now and then.
      this.pace(0.2, async () => this.tools.peers.smtp.refuseNext(1)),
      ...ROOMS.flatMap((room) => AUTHORS.map((author) => this.talk(room, author))),
    ]);
  }

  /** Asks both pipelines for a run. One that cannot be asked in time is asked the next time. */
  async sync(): Promise<void> {
    await Promise.all(
      ['rows', 'signups'].map((name) =>
        fetch(`${this.tools.url}/v1/sync/${name}/run`, { method: 'POST' }),
      ),
    );
  }

  /** Begins one after the other, so many in a second; those that are late follow without a pause. */
  private async pace(perSecond: number, act: (n: number) => Promise<void>): Promise<void> {
    const began = performance.now();
    for (let n = 0; performance.now() < this.until; n++) {
      const early = began + (n * 1_000) / perSecond - performance.now();
      if (early > 0) await delay(early);
      await act(n);
    }
  }

  private async mail(n: number): Promise<void> {
    const id = `mail-${n}`;
    const isRefused = n % 50 === 7;
    const to = `${isRefused ? 'nobody' : 'somebody'}-${n}@${n % 5 === 0 ? SLOW : 'example.org'}`;
    const items = [{ count: n, title: 'pen', price: '1.50' }];
    const attachments = [{ filename: 'invoice.pdf', ref: this.tools.attachment }];
    const data =
      n % 5 === 1
        ? { to, template: 'receipt', data: { number: n, items, total: '1.50' }, attachments }
        : { to, subject: `Mail ${n}`, text: 'It works.' };
    await this.tell('mail', { id, line: to, end: isRefused ? 'dead' : 'done' }, 'email.send', data);
  }

  private async webhook(n: number): Promise<void> {
    const id = `webhook-${n}`;
    const isGone = n % 100 === 9;
    const path = isGone ? '/gone' : `/endpoint-${n % ENDPOINTS}`;
    const data = { url: this.tools.peers.http.url + path, event: 'test.event', payload: { n } };
    const end = isGone ? 'dead' : 'done';
    await this.tell('webhook', { id, line: path, end }, 'webhook.deliver', data);
  }

  private async push(n: number): Promise<void> {
    const id = `push-${n}`;
    const user = USERS[n % USERS.length] as string;
    const data = { user, title: `Push ${n}`, body: '', data: { id } };
    await this.tell('push', { id, line: user, end: 'done' }, 'push.send', data);
  }

  /** A webhook of another system; every tenth comes twice. */
  private async hear(n: number): Promise<void> {
    const id = `heard-${n}`;
    const body = JSON.stringify({ type: `order.paid-${n % ENDPOINTS}`, data: { id } });
    const send = () => {
      const at = new Date();
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(SHOP_SECRET).sign(id, at, body),
      };
      return this.post('/v1/hooks/shop', body, headers, 202);
    };
    await this.keep('heard', { id, line: `${n % ENDPOINTS}`, end: 'done' }, send);
    if (n % 10 === 0) await send();
  }

  private async talk(room: string, author: string): Promise<void> {
    for (let n = 0; performance.now() < this.until; n++) {
      const id = `${room}-${author}-${n}`;
      const body = JSON.stringify({ id, author, text: id });
      const send = () => this.post(`/v1/rooms/${room}/messages`, body, {}, 200);
      await this.keep('post', { id, line: `${room} ${author}`, end: 'done' }, send);
      await delay(PAUSE_OF_AUTHORS);
    }
  }

  /** Some rows more, and some that change. */
  private async write(n: number): Promise<void> {
    const first = n * ROWS;
    await this.tools.source.query(
      `insert into source select n, n, now() from generate_series(${first + 1}, ${first + ROWS}) n`,
    );
    await this.tools.source.query(
      `update source set n = n + 1000000, updated_at = now() where id % 100 = ${n % 100} and id <= ${first}`,
    );
    this.rows = first + ROWS;
  }

  private async signUp(n: number): Promise<void> {
    appendFileSync(this.tools.signups, `${n},new-${n}@example.org,New ${n}\n`);
    const at = Date.now();
    this.accepted.signup.push({ id: `welcome-${n}`, line: '', at, took: 0, end: 'done' });
  }

  private async tell(
    kind: Kind,
    what: Omit<Accepted, 'at' | 'took'>,
    type: string,
    data: object,
  ): Promise<void> {
    const body = JSON.stringify({ type, id: what.id, data });
    await this.keep(kind, what, () => this.post('/v1/messages', body, {}, 202));
  }

  private async keep(
    kind: Kind,
    what: Omit<Accepted, 'at' | 'took'>,
    send: () => Promise<void>,
  ): Promise<void> {
    const at = Date.now();
    await send();
    this.accepted[kind].push({ ...what, at, took: Date.now() - at });
  }

  /** Sends it until it is accepted; its id makes it one, however often that is. */
  private async post(
    path: string,
    body: string,
    headers: Record<string, string>,
    expected: number,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const response = await fetch(this.tools.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      });
      const text = await response.text();
      if (response.status === expected) return;
      const isForNow = response.status === 429 || response.status >= 500;
      if (!isForNow || tries === MOST_TRIES) {
        throw new Error(`${path} answered ${response.status}: ${text}`);
      }
      this.retries++;
      await delay(100);
    }
  }
}
