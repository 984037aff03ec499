/** Sends spans to a collector by OTLP over HTTP. The only file that imports OpenTelemetry's packages. */
import { hostname } from 'node:os';
import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { Span } from '../core/record/spans.ts';
import type { Trace } from '../core/trace-context.ts';
import { version } from '../core/version.ts';

/** Where and how spans are sent. Times in ms. */
export interface OtlpSettings {
  readonly endpoint: string;
  /** The service name; null takes it from the environment, else `hipache`. */
  readonly service: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** The spans of one exchange. */
export interface TracedSpans {
  readonly trace: Trace;
  readonly spans: readonly Span[];
}

/** Sends spans. Rejects when the collector has not accepted them in time; temporary failures are retried. */
export type SendSpans = (exchanges: readonly TracedSpans[]) => Promise<void>;

/** How many requests to the collector may be open, with those that were given up but have not ended. */
const MAX_UNDER_WAY = 4;
/** ExportResultCode.SUCCESS, of a package that is not a dependency. */
const SUCCESS = 0;
const SCOPE = { name: 'hipache', version };

/**
 * Loads the packages, which takes several megabytes and 0.1 seconds; only routers with tracing do so.
 * @throws Error with a sentence for the operator
 */
export async function openOtlp(settings: OtlpSettings): Promise<SendSpans> {
  const { api, exporting, resources } = await loadPackages();
  const exporter = new exporting.OTLPTraceExporter({
    url: settings.endpoint,
    headers: { ...settings.headers },
    timeoutMillis: settings.timeoutMs,
    concurrencyLimit: MAX_UNDER_WAY,
  });
  const resource = describeService(resources, settings.service);
  return (exchanges) =>
    new Promise((resolve, reject) => {
      const spans = exchanges.flatMap((each) => readableSpans(each, resource, api));
      exporter.export(spans, (result: { readonly code: number; readonly error?: Error }) => {
        if (result.code === SUCCESS) resolve();
        else reject(result.error ?? new Error('the collector has not accepted the spans'));
      });
    });
}

type Api = typeof import('@opentelemetry/api');
type Resources = typeof import('@opentelemetry/resources');

async function loadPackages() {
  try {
    const [api, exporting, resources] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
    return { api, exporting, resources };
  } catch (error) {
    throw new Error(
      'otel.endpoint is set, but OpenTelemetry’s packages are not installed: npm install --include=optional',
      { cause: error },
    );
  }
}

/** The configuration takes precedence, then OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. */
function describeService(resources: Resources, service: string | null): Resource {
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const ours = resourceFromAttributes({
    'service.name': 'hipache',
    'service.version': version,
    'host.name': hostname(),
    'process.pid': process.pid,
  });
  const described = defaultResource()
    .merge(ours)
    .merge(detectResources({ detectors: [envDetector] }));
  return service === null ? described : described.merge(resourceFromAttributes({ 'service.name': service }));
}

function readableSpans({ trace, spans }: TracedSpans, resource: Resource, api: Api): ReadableSpan[] {
  const { createTraceState, SpanKind, SpanStatusCode, TraceFlags } = api;
  const common = {
    traceId: trace.traceId,
    traceFlags: TraceFlags.SAMPLED,
    // Malformed members are dropped.
    ...(trace.state !== '' && { traceState: createTraceState(trace.state) }),
  };
  return spans.map(({ name, kind, spanId, parentId, startMs, endMs, isError, attributes }) => {
    const context: SpanContext = { ...common, spanId };
    const isServer = kind === 'server';
    return {
      name,
      kind: isServer ? SpanKind.SERVER : SpanKind.CLIENT,
      spanContext: () => context,
      ...(parentId !== null && { parentSpanContext: { ...common, spanId: parentId, isRemote: isServer } }),
      startTime: hrTime(startMs),
      endTime: hrTime(endMs),
      duration: hrTime(endMs - startMs),
      status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      attributes,
      links: [],
      events: [],
      ended: true,
      resource,
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  });
}

/** Converts to seconds and nanoseconds. @param ms may have a fraction */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1_000_000)];
}
