/** The weights of a site's backends, as `weights:<key>` has them. Pure functions. */
import type { Backend } from '../routing/backend-url.ts';

/** What a site says about a backend. */
export interface Weight {
  /** Its share of the requests, in relation to the shares of others. 0 is draining: no new clients. */
  readonly share: number;
  /** It is chosen only when no other one lives. */
  readonly isBackup: boolean;
  /** Where it is; null when that is not said. */
  readonly zone: string | null;
}

export const MAX_SHARE = 1000;
const USUAL_SHARE = 100;

/** The weight of backends without one. */
export const USUAL_WEIGHT: Weight = Object.freeze({ share: USUAL_SHARE, isBackup: false, zone: null });

const TEXT = /^(backup|[0-9]{1,4})(?:\s+(\S+))?$/;
const ZONE = /^[\w.-]{1,63}$/;

/** Whether a text can be the name of a zone. */
export function isZone(text: string): boolean {
  return ZONE.test(text);
}

/** Parses `100`, `0`, `backup` or `100 eu-1`; a string says what is wrong. */
export function readWeight(text: string): Weight | string {
  const [, share, zone = null] = TEXT.exec(text.trim()) ?? [];
  const number = share === 'backup' ? USUAL_SHARE : Number(share);
  if (share === undefined || number > MAX_SHARE) {
    return `it must be a whole number from 0 to ${MAX_SHARE}, or "backup", optionally followed by a zone`;
  }
  if (zone !== null && !isZone(zone)) return `"${zone.slice(0, 63)}" cannot be the name of a zone`;
  return { share: number, isBackup: share === 'backup', zone };
}

/** The weights of a list. */
export interface WeighedList {
  /** By id. */
  readonly shares: Float64Array;
  /** Whether no backend is draining or a backup: then all that live are candidates. */
  readonly isPlain: boolean;
  /** How many backends with a share each zone has. */
  readonly zones: ReadonlyMap<string, number>;
  readonly weightOf: (backend: Backend) => Weight;
}

/** @param weights by URL, as in the list */
export function weigh(backends: readonly Backend[], weights: ReadonlyMap<string, Weight>): WeighedList {
  const shares = new Float64Array((backends.at(-1)?.id ?? -1) + 1);
  const weightOf = ({ href }: Backend): Weight => weights.get(href) ?? USUAL_WEIGHT;
  const zones = new Map<string, number>();
  let isPlain = true;
  for (const backend of backends) {
    const weight = weightOf(backend);
    shares[backend.id] = weight.share;
    if (!isUsual(weight)) isPlain = false;
    else if (weight.zone !== null) zones.set(weight.zone, (zones.get(weight.zone) ?? 0) + 1);
  }
  return { shares, isPlain, zones, weightOf };
}

/**
 * Those that may get a new client: all with a share, or those of them in the router's zone while at least half of that
 * zone's backends are among them; without one of them the backups; without these, too, those that are draining, because
 * an error would be worse.
 * @param zone the router's; null: it has none
 */
export function candidates(among: readonly Backend[], list: WeighedList, zone: string | null): readonly Backend[] {
  const { isPlain, zones, weightOf } = list;
  const usual = isPlain ? among : among.filter((backend) => isUsual(weightOf(backend)));
  if (usual.length > 0) {
    const wanted = zone === null ? undefined : zones.get(zone);
    if (wanted === undefined) return usual;
    const near = usual.filter((backend) => weightOf(backend).zone === zone);
    return near.length * 2 >= wanted ? near : usual;
  }
  const backups = among.filter((backend) => weightOf(backend).isBackup);
  return backups.length > 0 ? backups : among;
}

export function isUsual({ share, isBackup }: Weight): boolean {
  return share > 0 && !isBackup;
}
