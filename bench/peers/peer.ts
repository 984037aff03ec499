/** A system under test, and how it is started. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOut } from '../cores.ts';
import { freePort, untilAnswered } from '../ports.ts';
import type { Running } from '../processes.ts';
import type { Scene } from '../scene.ts';
import type { Tool } from '../tools.ts';
import { hostOf } from '../wrk.ts';

/** What a case asks of everyone who takes part in it. */
export interface Setup {
  readonly tls: boolean;
  /** Clients speak HTTP/2: by ALPN, or without TLS at once. */
  readonly http2: boolean;
  readonly workers: number;
  /** Frontends that it must know; they are asked for at random. */
  readonly frontends: number;
  readonly accessLog: boolean;
}

export const PLAIN: Setup = { tls: false, http2: false, workers: 1, frontends: 1000, accessLog: false };

/** What its configuration is made of. */
export interface Place {
  readonly scene: Scene;
  readonly setup: Setup;
  /** Where it shall listen, on 127.0.0.1. */
  readonly port: number;
  /** Where it shall listen with TLS besides, if the case wants both. */
  readonly tlsPort: number;
  /** A folder of its own. */
  readonly folder: string;
}

/** How to run it: the files to write into its folder, by name, and the command. */
export interface Recipe {
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

export interface Peer {
  /** What `--peers` calls it. */
  readonly name: string;
  /** What the tables call it. */
  readonly label: string;
  readonly tools: readonly Tool[];
  readonly setup: Setup;
  recipe(place: Place): Recipe | Promise<Recipe>;
  /** Why it cannot run, though its tools are there; null when it can. */
  refusal?(recipe: Recipe, place: Place): Promise<string | null>;
}

/** A peer that runs. */
export interface Subject {
  readonly port: number;
  readonly tlsPort: number;
  readonly frontends: number;
  readonly process: Running;
}

let count = 0;

/** Starts a peer and waits until it answers. @returns why it cannot run, when it says so itself. @throws when it fails */
export async function start(peer: Peer, scene: Scene): Promise<Subject | string> {
  const { setup } = peer;
  const folder = join(scene.folder, `peer${++count}`);
  mkdirSync(folder);
  const place = { scene, setup, folder, port: await freePort(), tlsPort: await freePort() };
  const made = await peer.recipe(place);
  for (const [name, content] of Object.entries(made.files)) writeFileSync(join(folder, name), content);
  const reason = (await peer.refusal?.(made, place)) ?? null;
  if (reason !== null) return reason;
  const process = await scene.processes.start(made.command, layOut(scene.allowed, setup.workers).subject);
  const question = { port: place.port, host: hostOf(0), path: '/20', tls: setup.tls, http2: setup.http2 };
  try {
    await untilAnswered(question, () => process.hasEnded);
  } catch (error) {
    const last = process.said().trim().split('\n').slice(-2).join(' / ');
    await process.stop();
    throw new Error(`it did not start: ${String(error)}: ${last}`, { cause: error });
  }
  return { port: place.port, tlsPort: place.tlsPort, frontends: setup.frontends, process };
}

/** `host backend` for each host, in the words of a configuration. */
export function hostLines(frontends: number, line: (host: string) => string): string {
  return Array.from({ length: frontends }, (_, n) => line(hostOf(n))).join('\n');
}

/** The part of a URL that names the server. */
export const authorityOf = (url: string): string => new URL(url).host;
