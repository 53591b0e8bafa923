import { appendFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PipelineView } from '../../apps/api/src/sync/pipeline.view.js';
import { webhookTo, type ApiClient } from '../support/api.client.js';
import { eventually } from '../support/eventually.js';
import type { ReceivedRequest } from '../support/http.peer.js';
import { SsePeer, WsPeer } from '../support/room.peer.js';
import { mailIdOf, type SmtpPeer } from '../support/smtp.peer.js';
import { INVOICE, SHOP_SECRET, type FieldStage } from './field.stage.js';

/** How long what other processes do may take, on a busy machine. */
const PATIENCE = { timeout: 20_000 };

/** What the worker is for, end to end: through the API, to peers of the real protocols. */
export function field(deployment: () => FieldStage): void {
  let stage: FieldStage;
  let smtp: SmtpPeer;
  let api: ApiClient;

  beforeAll(() => {
    stage = deployment();
    ({ api, smtp } = stage);
  });

  /** What the relay was told of, by type, as it told it. */
  const heard = (type: string): unknown[] =>
    stage.heard.requests.filter(({ url }) => url === `/${type}`).map(bodyOf);
  const send = (type: string, data: unknown) =>
    api.request<{ id: string }>('POST', '/v1/messages', { type, data });

  describe('e-mail of a template', () => {
    it('goes out with its attachment', async () => {
      const items = [{ count: 2, title: 'pen', price: '1.50' }];
      const data = { number: 7, items, total: '3.00' };
      const { status, body } = await send('email.send', {
        ...{ to: 'ada@example.org', template: 'receipt', data },
        attachments: [{ filename: 'invoice.pdf', ref: INVOICE.ref }],
      });
      expect(status).toBe(202);
      await api.until(body.id, 'done');
      const [mail] = smtp.mails.filter((each) => mailIdOf(each) === body.id);
      const { subject, html, attachments } = mail!.parsed;
      expect(subject).toContain('7');
      expect(html).toContain('pen');
      expect(attachments).toMatchObject([{ filename: 'invoice.pdf' }]);
      expect(attachments[0]?.content.toString()).toBe(INVOICE.content);
    });

    it('that is refused for good is told of as bounced, once, also when it is redriven', async () => {
      smtp.refuseRecipients(/^away@/, 550, '5.1.1 no such mailbox');
      const data = { to: 'away@example.org', template: 'welcome', data: { name: 'Away' } };
      const { id } = (await send('email.send', data)).body;
      await api.until(id, 'dead');
      await api.redrive(id);
      await eventually(async () => expect((await api.message(id)).redrives).toBe(1));
      await api.until(id, 'dead');
      const about = () => heard('email.bounced').filter((each) => dataOf(each)['id'] === id);
      await eventually(() => about().length > 0, PATIENCE);
      const told = { recipient: 'away@example.org', status: '5.1.1', permanent: true };
      expect(about()).toMatchObject([{ type: 'email.bounced', data: told }]);
    });
  });

  describe('a push', () => {
    it('reaches the devices of its user, and takes away the one that is gone', async () => {
      const devices = [1, 2].map(() => stage.push.subscribe(stage.vapidKey));
      for (const subscription of devices) {
        await send('push.save', { user: 'ada', subscription });
      }
      const push = (title: string) =>
        api.request<{ reply: unknown }>('POST', '/v1/messages:ask', {
          ...{ type: 'push.send', timeout: '20s' },
          data: { user: 'ada', title, body: 'Zoë is here', data: { order: 42 } },
        });
      const reached = (title: string) =>
        stage.push.pushes.filter(({ payload }) => (payload as { title: string }).title === title);
      expect((await push('one')).body.reply).toEqual({ devices: 2 });
      await eventually(() => reached('one').length === 2, PATIENCE);
      expect(reached('one')[0]).toMatchObject({
        payload: { title: 'one', body: 'Zoë is here', data: { order: 42 } },
        claims: { aud: stage.push.url },
      });

      const [gone, left] = devices.map(({ endpoint }) => endpoint) as [string, string];
      stage.push.answerNext(gone, { status: 410 });
      await push('two');
      const endpoints = async () => {
        const { body } = await api.request<{ state: { data: { subscriptions: object[] } } }>(
          ...(['GET', '/v1/actors/push/keys/ada'] as const),
        );
        return body.state.data.subscriptions;
      };
      await eventually(
        async () => expect(await endpoints()).toMatchObject([{ endpoint: '[secret]' }]),
        PATIENCE,
      );
      expect((await push('three')).body.reply).toEqual({ devices: 1 });
      await eventually(() => reached('three').length > 0, PATIENCE);
      expect(reached('three').map(({ endpoint }) => endpoint)).toEqual([left]);
    });
  });

  describe('a webhook of another system', () => {
    it('that comes twice is one event, and one webhook of who hears it', async () => {
      const body = JSON.stringify({ type: 'order.paid', data: { order: 42 } });
      const take = async (sent: string, signed = sent) => {
        const at = new Date();
        const headers = {
          'content-type': 'application/json',
          'webhook-id': 'msg_1',
          'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
          'webhook-signature': new Webhook(SHOP_SECRET).sign('msg_1', at, signed),
        };
        const url = `${api.url}/v1/hooks/shop`;
        const response = await fetch(url, { method: 'POST', headers, body: sent });
        return { status: response.status, body: (await response.json()) as object };
      };
      const first = await take(body);
      expect(first).toEqual({
        status: 202,
        body: { id: 'hook:shop:msg_1', topic: 'hooks.shop.order.paid' },
      });
      await eventually(() => heard('order.paid').length > 0, PATIENCE);
      expect(await take(body)).toEqual(first);
      expect((await take(body.replace('42', '43'), body)).status).toBe(401);

      // Another one behind them in the same endpoint, whose webhooks go out in order.
      const last = await api.tell(webhookTo(`${stage.heard.url}/order.paid`));
      await api.until(last.id, 'done');
      expect(heard('order.paid').map(dataOf)).toEqual([JSON.parse(body), {}]);
    });
  });

  describe('a room', () => {
    it('tells all the same in one order, whoever says it through whichever process', async () => {
      const [one, two] = [`${api.url}/v1/rooms/lobby`, `${stage.other.url}/v1/rooms/lobby`];
      const socket = await new WsPeer(`${one}/socket?user=ada`).seated();
      const events = await new SsePeer(`${two}/events`).seated();
      const post = async (room: string, text: string) => {
        const headers = { 'content-type': 'application/json' };
        const body = JSON.stringify({ author: 'grace', text });
        const { status } = await fetch(`${room}/messages`, { method: 'POST', headers, body });
        expect(status).toBe(200);
      };
      for (let n = 0; n < 3; n++) socket.say({ type: 'post', text: `ada ${n}` });
      await Promise.all([1, 2, 3].map((n) => post(n % 2 ? one : two, `grace ${n}`)));
      await Promise.all([socket.has(6), events.has(6)]);
      expect(socket.seqs).toEqual([1, 2, 3, 4, 5, 6]);
      expect([events.seqs, events.texts]).toEqual([socket.seqs, socket.texts]);
      expect(socket.texts.filter((text) => String(text).startsWith('ada'))).toEqual(
        [0, 1, 2].map((n) => `ada ${n}`),
      );

      socket.close();
      await post(two, 'while nobody listens');
      const again = new WsPeer(`${two}/socket?after=${socket.seqs.at(-1)}`);
      const resumed = new SsePeer(`${one}/events`, { 'last-event-id': '4' });
      await Promise.all([again.has(1), resumed.has(3)]);
      expect([again.seqs, resumed.seqs]).toEqual([[7], [5, 6, 7]]);
    });
  });

  describe('a pipeline', () => {
    /** Runs it until it has come to so many rows. */
    const until = (name: string, rows: number): Promise<PipelineView> =>
      eventually(async () => {
        await api.request('POST', `/v1/sync/${name}/run`);
        const { body } = await api.request<PipelineView>('GET', `/v1/sync/${name}`);
        if (body.rows + body.bad === rows && body.state === 'idle') return body;
        throw new Error(`not ${rows} rows yet: ${JSON.stringify(body)}`);
      }, PATIENCE);

    it('welcomes who signs up, once, and keeps what is no sign-up as a dead letter', async () => {
      appendFileSync(stage.signups, 'id,email,name\n1,bob@example.org,Bob\n2,nowhere,Nobody\n');
      expect(await until('signups', 2)).toMatchObject({ rows: 1, bad: 1 });
      appendFileSync(stage.signups, '3,cleo@example.org,Cleo\n1,bob@example.org,Bob\n');
      expect(await until('signups', 4)).toMatchObject({ rows: 3, bad: 1 });
      await Promise.all(['welcome-1', 'welcome-3'].map((id) => api.until(id, 'done')));
      const welcomed = smtp.mails.filter(({ parsed }) => parsed.subject?.startsWith('Welcome, '));
      expect(welcomed.map(mailIdOf).sort()).toEqual(['welcome-1', 'welcome-3']);
      expect((await api.deadLetters('?actor=signups')).items).toHaveLength(1);
    });

    it('copies rows from one PostgreSQL to another, and what changes later', async () => {
      const { source, target } = stage;
      await source.query('insert into source select n, n, now() from generate_series(1, 450) n');
      expect((await until('rows', 450)).pages).toBeGreaterThanOrEqual(3);
      await source.query('update source set n = -n, updated_at = clock_timestamp() where id < 6');
      await until('rows', 455);
      const text = (table: string) => `select id, n from ${table} order by id`;
      const copied = await target.query(text('target'));
      expect(copied.rows).toHaveLength(450);
      expect(copied.rows).toEqual((await source.query(text('source'))).rows);
    });
  });
}

function bodyOf({ body }: ReceivedRequest): unknown {
  return JSON.parse(body.toString());
}

function dataOf(body: unknown): Record<string, unknown> {
  return (body as { data: Record<string, unknown> }).data;
}
