/** A worker's lanes and listeners in this process, with real sockets. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { connectionLimits } from '../../lib/core/limits/connection-limits.ts';
import { Lanes } from '../../lib/cluster/worker/lanes.ts';
import { Listeners } from '../../lib/cluster/worker/listeners.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { ExchangeRecorder } from '../../lib/observe/exchange-recorder.ts';
import { createLog } from '../../lib/observe/log.ts';
import type { Overload } from '../../lib/overload/overload.ts';
import { Certificates } from '../../lib/server/certificates.ts';
import { ConnectionLimit } from '../../lib/server/connection-limit.ts';
import type { BackendSnapshot } from '../../lib/backends/state/backend-states.ts';
import { NO_CERTIFICATE } from '../../lib/store/certificates.ts';
import { MemoryStore } from './memory-store.ts';
import { temporaryFolder, writeConfig } from './router.ts';

export interface InnerWorker {
  readonly port: number;
  readonly store: MemoryStore;
  /** What is known of the backend with a URL. */
  readonly of: (url: string) => BackendSnapshot;
}

/** Starts one with the routes of a MemoryStore. It is ended after the test. @param overload null for one that refuses nothing */
export async function startInnerWorker(
  t: TestContext,
  fastLane: boolean,
  overload: Overload | null = null,
): Promise<InnerWorker> {
  const folder = temporaryFolder(t);
  const config = loadConfig(writeConfig(folder, { routes: {}, server: { fastLane, accessLog: null } }));
  const log = createLog({ debug: false, log: 'json' }, null);
  log.level = 'silent';
  const store = new MemoryStore();
  const recorder = new ExchangeRecorder(config, log);
  const lanes = new Lanes(config, {
    store,
    shares: { exchange: async () => [], lease: async () => [] },
    overload,
    stickySecret: { own: 'x'.repeat(43), shared: null },
    log,
    recorder,
    isTrusted: () => false,
    securePort: () => null,
    isReady: () => true,
    isDraining: () => false,
    isClosing: () => false,
    onShortage: () => {},
    onEnded: (exchange) => recorder.ended(exchange),
  });
  await lanes.prepare();
  const listeners: Listeners = new Listeners(config, {
    say: (message) => {
      if (message.type === 'want-socket') listeners.take(message.index, undefined);
    },
    log,
    timeouts: config.server.timeouts,
    headerBytes: config.server.limits.headerBytes,
    connectionLimit: new ConnectionLimit(connectionLimits(1_000, 0, 0), () => {}),
    onShortage: () => {},
    isTrusted: () => false,
    certificates: new Certificates({
      store: {
        mustAsk: () => false,
        nameOf: (key) => key,
        find: () => Promise.resolve(NO_CERTIFICATE),
        forget: () => {},
      },
      goodPairs: { recall: () => Promise.resolve(null), keep: () => {}, drop: () => {} },
      onFault: () => {},
      now: Date.now,
    }),
    ticketKeys: new Uint8Array(48),
    lane: lanes.fast,
    readAccepted: lanes.readAccepted,
    serve: (exchange) => lanes.serve(exchange),
    refuse: (exchange, error) => lanes.refuse(exchange, error),
    errorMessage: (error) => lanes.errorMessage(error),
    recordHttp2Refusal: () => {},
    recordGarbage: () => {},
  });
  const [url = ''] = await listeners.open();
  t.after(async () => {
    lanes.traffic.cut();
    lanes.close();
    await listeners.stop();
  });
  const of = (backend: string): BackendSnapshot => {
    const found = lanes.backends.snapshot().find(({ server }) => server === backend.replace('//', ''));
    assert.ok(found, `nothing is known of ${backend}`);
    return found;
  };
  return { port: Number(new URL(url).port), store, of };
}
