/** A collector of spans: what OTLP over HTTP sends as JSON, taken apart. */
import type { IncomingHttpHeaders } from 'node:http';
import type { TestContext } from 'node:test';
import { startBackend, textOf } from './backends.ts';
import { eventually } from './eventually.ts';

export interface CollectedSpan {
  readonly name: string;
  readonly kind: 'server' | 'client' | 'other';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  /** ms since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collector {
  /** For `otel.endpoint`. */
  readonly endpoint: string;
  readonly spans: readonly CollectedSpan[];
  /** The fields of each export, oldest first. */
  readonly exports: readonly IncomingHttpHeaders[];
  /** Resolves with the spans of the trace of the first span that matches, by start, once there are so many. */
  trace(count: number, isIt: (span: CollectedSpan) => boolean): Promise<readonly CollectedSpan[]>;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface SentSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly KeyValue[];
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

export async function startCollector(t: TestContext): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const exports: IncomingHttpHeaders[] = [];
  const { url } = await startBackend(t, (request, response) => {
    textOf(request).then(
      (text) => {
        if (request.method !== 'POST' || request.url !== '/v1/traces')
          throw new Error(`${request.method} ${request.url}`);
        exports.push(request.headers);
        spans.push(...spansIn(JSON.parse(Buffer.from(text, 'latin1').toString()) as Sent));
        response.setHeader('Content-Type', 'application/json').end('{}');
      },
      () => {},
    );
  });
  const trace: Collector['trace'] = (count, isIt) =>
    eventually(() => {
      const found = spans.find(isIt);
      const related = spans.filter(({ traceId }) => traceId === found?.traceId);
      if (related.length < count) throw new Error(`${related.length} of ${count} spans, in ${JSON.stringify(spans)}`);
      return related.toSorted((a, b) => a.startMs - b.startMs || a.kind.localeCompare(b.kind) * -1);
    }, 20_000);
  return { endpoint: `${url}/v1/traces`, spans, exports, trace };
}

function spansIn({ resourceSpans }: Sent): readonly CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        name: span.name,
        kind: (['other', 'other', 'server', 'client'] as const)[span.kind] ?? 'other',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        traceState: span.traceState,
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
        isError: span.status.code === 2,
        attributes: plain(span.attributes),
        resource: plain(resource.attributes),
      })),
    ),
  );
}

function plain(attributes: readonly KeyValue[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
