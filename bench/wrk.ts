/** wrk: the requests it sends, and the figures it prints. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What wrk is to send. */
export interface Load {
  readonly path: string;
  /** Connections at a time. */
  readonly connections: number;
  readonly tls: boolean;
  /** Bytes of a POST's body; 0 is a GET. */
  readonly bodyBytes: number;
  /** A new connection for each request. */
  readonly closes: boolean;
}

/** What wrk counted. */
export interface Counted {
  readonly requests: number;
  readonly seconds: number;
  /** Received, heads included. */
  readonly bytes: number;
  /** Requests that failed: no connection, broken, too late, or a status of 400 and more. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How hosts are called: the nth is `hN.bench.test`. */
export const hostOf = (n: number): string => `h${n}.bench.test`;
/** So many prefixes of a host; the first is that of the path which is asked for. */
export const prefixesOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? '/20' : `/p${i}/deep`));
/** The host whose backend echoes WebSocket messages. */
export const ECHO_HOST = 'ws.bench.test';
/** The host whose backend speaks gRPC. */
export const GRPC_HOST = 'grpc.bench.test';

// Hosts are asked in random order, the same in each run: requests of few hosts are made beforehand.
const SCRIPT = `
local hosts, head, tail
local made = {}

function init(args)
  local method, path, bytes, closes = args[2], args[3], tonumber(args[4]), args[5] == 'close'
  hosts = tonumber(args[1])
  head = method .. ' ' .. path .. ' HTTP/1.1\\r\\nHost: h'
  tail = '.bench.test\\r\\n'
  if closes then tail = tail .. 'Connection: close\\r\\n' end
  if bytes > 0 then tail = tail .. 'Content-Length: ' .. bytes .. '\\r\\n\\r\\n' .. string.rep('x', bytes)
  else tail = tail .. '\\r\\n' end
  if hosts <= 1000 then for n = 0, hosts - 1 do made[n] = head .. n .. tail end end
  math.randomseed(1)
end

function request()
  local n = math.random(0, hosts - 1)
  return made[n] or (head .. n .. tail)
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nfigures requests=%d micros=%d bytes=%d errors=%d p50=%d p99=%d\\n',
    summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

/** Writes the script into a folder. @returns its path */
export function writeScript(folder: string): string {
  const path = join(folder, 'ask.lua');
  writeFileSync(path, SCRIPT);
  return path;
}

/** The command line. @param hosts how many hosts to ask for */
export function wrkCommand(
  load: Load,
  script: string,
  port: number,
  hosts: number,
  seconds: number,
): readonly string[] {
  const { path, connections, tls, bodyBytes, closes } = load;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}${path}`;
  const own = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url, '--'];
  const method = bodyBytes > 0 ? 'POST' : 'GET';
  return ['wrk', ...own, String(hosts), method, path, String(bodyBytes), closes ? 'close' : 'keep'];
}

/** Reads the line that the script prints at the end. @throws when there is none, or nothing was answered */
export function parseWrk(output: string): Counted {
  const line = /^figures (.*)$/m.exec(output)?.[1];
  const values = new Map(line?.split(' ').map((pair) => pair.split('=') as [string, string]));
  const value = (name: string): number => {
    const number = Number(values.get(name));
    if (!Number.isFinite(number)) throw new Error(`wrk did not say its ${name}: ${output.slice(-500)}`);
    return number;
  };
  const counted = {
    requests: value('requests'),
    seconds: value('micros') / 1e6,
    bytes: value('bytes'),
    errors: value('errors'),
    p50Ms: value('p50') / 1000,
    p99Ms: value('p99') / 1000,
  };
  if (counted.requests === 0) throw new Error(`wrk got no answer: ${output.slice(-500)}`);
  return counted;
}
