import { OptionError } from '../messaging.errors.js';
import { withinTime } from '../within.time.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What the last spans may take to be sent when the process ends, ms. */
const FLUSHING = 3_000;

let flush: (() => Promise<void>) | undefined;

/**
 * Sends the spans of this process to an OpenTelemetry collector, as OpenTelemetry's own variables say: on with
 * `OTEL_EXPORTER_OTLP_ENDPOINT` (`http://collector:4318`) or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_TRACES_EXPORTER=otlp`; off with
 * `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`. `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` (default `callsheet`),
 * `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_...` are followed too. A collector that is away costs spans, nothing else. The
 * libraries are loaded only when it is on.
 *
 * @returns whether it is on
 * @throws OptionError for an exporter or protocol other than OTLP over HTTP with protobuf, and for an endpoint that is no URL
 */
export async function exportTraces(env: Env = process.env): Promise<boolean> {
  if (!isWanted(env)) return false;
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resources] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
  const { detectResources, envDetector, resourceFromAttributes } = resources;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'callsheet' }).merge(
      detectResources({ detectors: [envDetector] }),
    ),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  flush = () => provider.shutdown();
  return true;
}

/** Sends what {@link exportTraces} has not sent yet, for three seconds at most, and ends it. */
export async function endTraces(): Promise<void> {
  if (flush) await withinTime(FLUSHING, flush());
  flush = undefined;
}

function isWanted(env: Env): boolean {
  const endpoints = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const given = endpoints.filter((name) => env[name]);
  const exporter = env['OTEL_TRACES_EXPORTER'] || (given.length > 0 ? 'otlp' : 'none');
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || exporter === 'none') return false;
  if (exporter !== 'otlp') {
    throw new OptionError('OTEL_TRACES_EXPORTER', `must be otlp or none, got '${exporter}'`);
  }
  for (const name of ['OTEL_EXPORTER_OTLP_PROTOCOL', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL']) {
    if (env[name] && env[name] !== 'http/protobuf') {
      throw new OptionError(name, `must be http/protobuf, got '${env[name]}'`);
    }
  }
  for (const name of given) {
    const value = env[name] ?? '';
    if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
      throw new OptionError(name, 'must be a URL such as http://collector:4318');
    }
  }
  return true;
}
