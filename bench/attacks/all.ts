/** Every attack, in the order of the report. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Attack } from './attack.ts';
import { handshakes } from './handshakes.ts';
import { drip, flood, hang, hosts, paths, refuse } from './requests.ts';
import { downloads, uploads } from './slow.ts';
import { websockets } from './websockets.ts';

/** Shows how much the figures differ by themselves. */
const none: Attack = {
  name: 'none',
  label: 'no attack',
  run: async ({ seconds }) => await delay(seconds * 1000, 0),
};

export const attacks: readonly Attack[] = [
  none,
  flood,
  hang,
  refuse,
  drip,
  websockets,
  uploads,
  downloads,
  hosts,
  handshakes,
  paths,
];
