/** WebSocket messages that go through and come back; each message is counted once, on its return. */
import { childCommand } from '../child.ts';
import type { Figures } from '../figures.ts';
import type { Subject } from '../peers/peer.ts';
import type { Scene } from '../scene.ts';
import { usageOf } from '../usage.ts';
import type { Measure } from './measure.ts';

const CONNECTIONS = 64;
const MESSAGE_BYTES = 125;
const WARM_SECONDS = 2;
const GRACE_MS = 20_000;

export const websockets: Measure = {
  wantsFresh: false,
  warmUp: async (scene, subject) => void (await send(scene, subject, WARM_SECONDS)),
  run: async (scene, subject, seconds): Promise<Figures> => {
    const before = usageOf(subject.process.pid);
    const { messages, perSecond } = await send(scene, subject, seconds);
    const after = usageOf(subject.process.pid);
    return {
      perSecond,
      cpuMicros: (after.cpuMicros - before.cpuMicros) / messages,
      residentMB: after.residentBytes / 1e6,
    };
  },
};

async function send(
  scene: Scene,
  { port }: Subject,
  seconds: number,
): Promise<{ messages: number; perSecond: number }> {
  const command = childCommand('websockets', ...[port, CONNECTIONS, seconds, MESSAGE_BYTES].map(String));
  const said = await scene.processes.run(command, scene.load, seconds * 1000 + GRACE_MS);
  const [, messages = 0, micros = 0] = /^figures messages=([0-9]+) micros=([0-9]+)$/m.exec(said)?.map(Number) ?? [];
  if (messages === 0) throw new Error(`no message came back: ${said}`);
  return { messages, perSecond: messages / (micros / 1e6) };
}
