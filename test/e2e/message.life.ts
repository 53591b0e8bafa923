import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailTo, webhookTo, type ApiClient, type Sending } from '../support/api.client.js';
import { eventually } from '../support/eventually.js';
import {
  startHttpPeer,
  webhookIdOf,
  type HttpPeer,
  type ReceivedRequest,
} from '../support/http.peer.js';
import { mailIdOf, type SmtpPeer } from '../support/smtp.peer.js';

const SECRET = `whsec_${Buffer.alloc(32, 'callsheet').toString('base64')}`;

/** The environment of whatever works. */
export function workerEnv(smtp: SmtpPeer): Record<string, string> {
  return {
    SMTP_URL: smtp.url,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_RETRY_DELAY: '10ms',
    EMAIL_RETRY_DELAY: '10ms',
  };
}

/**
 * What a message lives through, from the request to the peer that gets it: the same on every store.
 *
 * @param deployment what serves the API and handles messages with {@link workerEnv}, once it has started
 */
export function messageLife(deployment: () => { api: ApiClient; smtp: SmtpPeer }): void {
  let api: ApiClient;
  let smtp: SmtpPeer;

  beforeAll(() => {
    ({ api, smtp } = deployment());
  });

  describe('e-mail', () => {
    it('is delivered', async () => {
      const { id, state } = await api.tell(mailTo('ada@example.org', 'Grüße'));
      expect(state).toBe('waiting');
      expect(await api.until(id, 'done')).toMatchObject({ attempts: [], redrives: 0 });
      expect(mailsOf(smtp, id)).toMatchObject([
        { to: ['ada@example.org'], parsed: { subject: 'Grüße', text: 'It works.\n' } },
      ]);
    });

    it('is tried again when the server refuses it for now', async () => {
      smtp.refuseNext(1, 451);
      const { id } = await api.tell(mailTo('bob@example.org'));
      const { attempts } = await api.until(id, 'done');
      expect(attempts).toMatchObject([
        { attempt: 1, error: { message: expect.stringContaining('451 refused by the test') } },
      ]);
      expect(mailsOf(smtp, id)).toHaveLength(1);
    });

    it('becomes a dead letter when the server refuses it for good', async () => {
      smtp.refuseRecipients(/^nobody@/, 550);
      const { id } = await api.tell(mailTo('nobody@example.org'));
      expect(await api.until(id, 'dead')).toMatchObject({
        reason: 'rejected',
        attempts: [{ attempt: 1 }],
        error: expect.stringContaining('550 refused by the test'),
      });
      expect(mailsOf(smtp, id)).toEqual([]);
    });
  });

  describe('asking and cancelling', () => {
    it('answers when the mail is out, and when it can never be', async () => {
      const sent = await api.request<{ id: string }>('POST', '/v1/messages:ask', {
        ...mailTo('ada@example.org', 'Asked'),
        timeout: '20s',
      });
      expect(sent.status).toBe(200);
      expect(mailsOf(smtp, sent.body.id)).toHaveLength(1);
      smtp.refuseRecipients(/^nobody@/, 550);
      const refused = await api.request('POST', '/v1/messages:ask', {
        ...mailTo('nobody@example.org'),
        timeout: '20s',
      });
      expect(refused).toMatchObject({ status: 422, body: { code: 'ask_failed' } });
      expect(refused.body.detail).toContain('550 refused by the test');
    });

    it('stops a delivery that hangs, in whatever process it runs', async () => {
      const peer = await startHttpPeer();
      peer.answer('silence');
      const { id } = await api.tell(webhookTo(peer.url));
      await eventually(() => peer.requests.length === 1);
      expect(await api.request('DELETE', `/v1/messages/${id}`)).toEqual({
        status: 202,
        body: { id, state: 'cancelling' },
      });
      await api.until(id, 'cancelled');
    });
  });

  describe('webhook', () => {
    it('is delivered after answers 500, with one id and a fresh signature each time', async () => {
      const peer = await startHttpPeer();
      peer.answerNext({ status: 500 }, { status: 500 }, { status: 204 });
      const { id } = await api.tell(webhookTo(peer.url, 'invoice.paid', { amount: 5 }));
      const { attempts } = await api.until(id, 'done');
      expect(attempts).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
      expect(peer.requests).toHaveLength(3);
      for (const request of peer.requests) {
        expect(webhookIdOf(request)).toBe(id);
        expect(verified(request)).toMatchObject({ type: 'invoice.paid', data: { amount: 5 } });
      }
    });

    it('becomes a dead letter at once when the receiver answers 410', async () => {
      const peer = await startHttpPeer();
      peer.answer({ status: 410, body: 'unsubscribed' });
      const { id } = await api.tell(webhookTo(peer.url));
      expect(await api.until(id, 'dead')).toMatchObject({
        reason: 'rejected',
        attempts: [{ attempt: 1 }],
        error: expect.stringContaining('answered 410: unsubscribed'),
      });
      expect(peer.requests).toHaveLength(1);
    });

    it('becomes a dead letter when its target stays away, and is delivered when redriven', async () => {
      const peer = await startHttpPeer();
      await peer.stop();
      const { id } = await api.tell(webhookTo(peer.url));
      const dead = await api.until(id, 'dead');
      expect(dead).toMatchObject({
        reason: 'exhausted',
        error: expect.stringContaining('ECONNREFUSED'),
      });
      expect(dead.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const { items } = await api.deadLetters('?actor=webhook&limit=1');
      expect(items).toEqual([
        { ...dead, fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) as string },
      ]);

      await peer.start();
      expect(await api.redrive(id)).toEqual({ id, state: 'waiting' });
      const done = await api.until(id, 'done');
      expect(done.redrives).toBe(1);
      expect(done.attempts).toEqual(dead.attempts);
      expect(peer.requests.map(webhookIdOf)).toEqual([id]);
      expect((await api.request('GET', `/v1/dead-letters/${id}`)).status).toBe(404);
    });
  });

  describe('sending', () => {
    it('stores a repeated id once, and refuses it for another body', async () => {
      const peer = await startHttpPeer();
      const sending = { ...webhookTo(peer.url, 'first'), id: `order 1/${peer.port}` };
      const receipts = [await api.tell(sending), await api.tell(sending)];
      await api.until(sending.id, 'done');
      receipts.push(await api.tell(sending));
      expect(new Set(receipts.map((receipt) => JSON.stringify(receipt))).size).toBe(1);

      const other = { ...webhookTo(peer.url, 'other'), id: sending.id };
      expect(await api.request('POST', '/v1/messages', other)).toMatchObject({
        status: 409,
        body: { code: 'idempotency_conflict' },
      });
      await idle(api);
      expect(eventsAt(peer)).toEqual(['first']);
    });

    it('stores all messages of a batch or none', async () => {
      const peer = await startHttpPeer();
      const first = { ...webhookTo(peer.url, 'one'), id: `batch-${peer.port}` };
      const taken = { ...webhookTo(peer.url, 'taken'), id: `taken-${peer.port}` };
      const send = (...messages: Sending[]) =>
        api.request('POST', '/v1/messages:batch', { messages });
      await api.tell(taken);

      const refused = await Promise.all([
        send(first, webhookTo('ftp://example.org')),
        send(first, { ...taken, priority: 'low' }),
      ]);
      expect(refused).toMatchObject([
        { status: 422, body: { code: 'invalid_message' } },
        { status: 409, body: { code: 'idempotency_conflict' } },
      ]);
      expect((await api.request('GET', `/v1/messages/batch-${peer.port}`)).status).toBe(404);

      const whole = [first, webhookTo(peer.url, 'two'), webhookTo(peer.url, 'three')];
      expect(await api.tellMany(whole)).toMatchObject([{ id: first.id }, {}, {}]);
      await idle(api);
      expect(eventsAt(peer).sort()).toEqual(['one', 'taken', 'three', 'two']);
    });

    it('delivers a delayed message, and not before its time', async () => {
      const peer = await startHttpPeer();
      const { id, state } = await api.tell({ ...webhookTo(peer.url), delay: 1_500 });
      expect([state, (await api.message(id)).state]).toEqual(['delayed', 'delayed']);
      const { sentAt, dueAt = '' } = await api.until(id, 'done');
      expect(Date.parse(dueAt) - Date.parse(sentAt)).toBe(1_500);
      expect(peer.requests).toHaveLength(1);
      expect(peer.requests[0]?.at).toBeGreaterThanOrEqual(Date.parse(dueAt));
    });

    it('gives a message up that could not start within its ttl', async () => {
      const peer = await startHttpPeer();
      const pause = (verb: string) =>
        api.request('PUT', `/board/api/queues/webhook:webhook/${verb}`);
      expect((await pause('pause')).status).toBe(200);
      const { id } = await api.tell({ ...webhookTo(peer.url), ttl: 50 });
      const { deadline = '' } = await api.message(id);
      await eventually(() => Date.now() > Date.parse(deadline));
      expect(await api.message(id)).toMatchObject({ state: 'waiting', attempts: [] });
      expect((await pause('resume')).status).toBe(200);
      expect(await api.until(id, 'dead')).toMatchObject({ reason: 'expired', deadline });
      expect(peer.requests).toEqual([]);
    });
  });

  describe('what an operator sees', () => {
    it('shows counts, throughput and latency of every actor', async () => {
      const peer = await startHttpPeer();
      peer.answer({ status: 204, delay: 20 });
      const before = await api.actor('webhook');
      const sent = await api.tellMany([webhookTo(peer.url), webhookTo(peer.url)]);
      await Promise.all(sent.map(({ id }) => api.until(id, 'done')));

      const { counts, throughput, sample, latency, wait, run } = await api.actor('webhook');
      expect(counts).toEqual({ ...before.counts, done: before.counts.done + 2 });
      expect([throughput > 0, sample >= 2]).toEqual([true, true]);
      for (const percentiles of [latency, wait, run]) {
        const { p50 = NaN, p95 = NaN, p99 = NaN } = percentiles ?? {};
        expect([p50 >= 0, p50 <= p95, p95 <= p99]).toEqual([true, true, true]);
      }
      expect(run?.p99).toBeGreaterThanOrEqual(20);
    });

    it('shows the heartbeat, and that it beats', async () => {
      const { items } = await api.schedules();
      const beat = items.find(({ id }) => id === 'heartbeat.beat');
      expect(beat).toMatchObject({ owner: 'heartbeat', cron: '*/10 * * * * *', tz: 'UTC' });
      expect(Date.parse(beat?.next ?? '')).toBeGreaterThan(Date.now() - 1_000);
      // Nothing has beaten in this store but what was started here.
      await eventually(async () => (await api.actor('heartbeat')).counts.done > 0, {
        timeout: 15_000,
        interval: 200,
      });
    });
  });
}

/** Waits until no webhook is left to deliver. */
async function idle(api: ApiClient): Promise<void> {
  await eventually(async () => {
    const { waiting, delayed, active } = (await api.actor('webhook')).counts;
    return waiting + delayed + active === 0;
  });
}

function mailsOf(smtp: SmtpPeer, id: string) {
  return smtp.mails.filter((mail) => mailIdOf(mail) === id);
}

/** The content of a webhook whose signature holds; throws for one that does not. */
function verified({ body, headers }: ReceivedRequest): unknown {
  return new Webhook(SECRET).verify(body.toString(), headers as Record<string, string>);
}

function eventsAt(peer: HttpPeer): string[] {
  return peer.requests.map((request) => (verified(request) as { type: string }).type);
}
