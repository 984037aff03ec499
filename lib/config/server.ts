import { resolve } from 'node:path';
import { memoryLimits } from '../core/limits/memory-judgement.ts';
import { syslogName, syslogSocket } from '../core/record/syslog-socket.ts';
import type { ServerConfig } from './config.ts';
import type { Machine } from './machine.ts';
import type { ServerSettings } from './schema.ts';
import { resolveTimeouts } from './timeouts.ts';

/** The section `server` with the defaults that depend on the machine and on other keys. Paths become absolute. */
export function resolveServer(settings: ServerSettings, machine: Machine): ServerConfig {
  const { lruCache, staticDir, memory } = settings;
  const workers = settings.workers ?? machine.processors;
  return {
    workers,
    accessLog: accessLogOf(settings.accessLog),
    accessLogFormat: settings.accessLogFormat,
    maxSockets: settings.maxSockets,
    deadBackendTTL: settings.deadBackendTTL,
    retryOnError: settings.retryOnError,
    retryBudget: settings.retryBudget,
    deadBackendOn500: settings.deadBackendOn500,
    httpKeepAlive: settings.httpKeepAlive,
    fastLane: settings.fastLane,
    sharedReads: settings.sharedReads,
    staticDir: staticDir === null ? null : resolve(staticDir),
    staticRoots: settings.staticRoots.map((folder) => resolve(folder)),
    bufferFolder: settings.bufferFolder,
    log: settings.log,
    debug: settings.debug,
    // A cache of size or time 0 is no cache.
    lruCache: lruCache && lruCache.size > 0 && lruCache.ttl > 0 ? { size: lruCache.size, ttl: lruCache.ttl } : null,
    storeTimeout: settings.storeTimeout,
    memory: { ...memoryLimits(machine.memoryBytes, workers, memory), interval: memory.interval },
    drain: { delay: settings.drain.delay, requests: settings.drain.requests, tunnels: settings.drain.tunnels },
    workerTimeout: settings.workerTimeout,
    pidFile: settings.pidFile === null ? null : resolve(settings.pidFile),
    timeouts: resolveTimeouts(settings.timeouts, settings.tcpTimeout),
    limits: {
      headerBytes: settings.limits.headerBytes,
      bodyBytes: settings.limits.bodyBytes,
      connections: settings.limits.connections,
      connectionsPerClient: settings.limits.connectionsPerClient,
      paused: settings.limits.paused,
      queued: settings.limits.queued,
      bodyMinRate: settings.limits.bodyMinRate,
      readMinRate: settings.limits.readMinRate,
      bufferMemoryBytes: settings.limits.bufferMemoryBytes,
      bufferFileBytes: settings.limits.bufferFileBytes,
    },
    trustedProxies: settings.trustedProxies,
    forwarded: settings.forwarded,
    requestId: settings.requestId,
    backendPath: settings.backendPath,
    legacyScheme: settings.legacyScheme,
    stickySecret: settings.stickySecret,
    trial: settings.trial,
    checks: settings.checks,
    overloadLag: settings.overloadLag,
    zone: settings.zone,
  };
}

function accessLogOf(value: string | null): string | null {
  if (value === null || value === 'none') return null;
  const socket = syslogSocket(value);
  if (socket !== null) return syslogName(resolve(socket));
  return value === '-' ? value : resolve(value);
}
