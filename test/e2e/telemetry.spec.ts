import { expect, it } from 'vitest';
import { webhookTo } from '../support/api.client.js';
import { startStandalone } from '../support/deployment.js';
import { eventually } from '../support/eventually.js';
import { startHttpPeer } from '../support/http.peer.js';

it('sends spans to the collector that the environment names, the last ones when it ends', async () => {
  const [collector, peer] = [await startHttpPeer(), await startHttpPeer()];
  collector.answer({ status: 200 });
  const { app, api } = await startStandalone({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'shop',
    // No batch is sent before the end.
    OTEL_BSP_SCHEDULE_DELAY: '3600000',
  });
  const { id } = await api.tell(webhookTo(peer.url, 'order.paid'));
  await api.until(id, 'done');
  expect(collector.requests).toEqual([]);
  await app.stop();
  await eventually(() => {
    const [first] = collector.requests;
    expect(first).toMatchObject({
      method: 'POST',
      url: '/v1/traces',
      headers: { 'content-type': 'application/x-protobuf' },
    });
    const spans = collector.requests.map(({ body }) => body.toString('latin1')).join('');
    for (const text of ['shop', 'send webhook.deliver', 'process webhook.deliver', id]) {
      expect(spans).toContain(text);
    }
  });
});

it('does its work when the collector is away', async () => {
  const [collector, peer] = [await startHttpPeer(), await startHttpPeer()];
  await collector.stop();
  const { app, api } = await startStandalone({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { id } = await api.tell(webhookTo(peer.url, 'order.paid'));
  await api.until(id, 'done');
  await app.stop();
  expect(peer.requests).toHaveLength(1);
});
