import { expect, it } from 'vitest';
import { exportTraces } from './trace.exporter.js';

it.each<Record<string, string>>([
  {},
  { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
  { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' },
])('is off with %o', async (env) => {
  expect(await exportTraces(env)).toBe(false);
});

it.each<[string, Record<string, string>]>([
  ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'zipkin' }],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'here' }],
  [
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  ],
])('names %s when it is wrong', async (name, env) => {
  await expect(exportTraces(env)).rejects.toMatchObject({ path: name });
});
