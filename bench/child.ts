/** The benchmark's own programs in `children/`, which run as processes of their own. */
import { fileURLToPath } from 'node:url';

export type Child =
  | 'attack'
  | 'echo'
  | 'grpc'
  | 'handshakes'
  | 'http-proxy'
  | 'idle'
  | 'idle-websockets'
  | 'neighbour'
  | 'tenant'
  | 'websockets';

export function childCommand(name: Child, ...args: string[]): readonly string[] {
  return [process.execPath, fileURLToPath(new URL(`children/${name}.js`, import.meta.url)), ...args];
}
