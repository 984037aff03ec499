/**
 * Makes a Site from the hashes of a key (`hashes.ts`), by the table of features. A missing field is taken from the hash of
 * `*`, then from the configuration.
 */
import { siteBalance } from '../core/balance/site-balance.ts';
import { NO_SITE, type Site, type SiteFields, type SiteHash } from '../core/routing/site.ts';
import type { IdleFields, SiteBehaviour, SiteFeature } from './feature.ts';
import { FEATURES } from './features.ts';
import { HASH_RULES, hashFault, SITE_HASHES } from './hashes.ts';

/** The fields that make a site, by key, in order of precedence, the lowest first; see `layerOf`. Undefined if missing. */
export interface SiteLayers {
  readonly config?: SiteFields | undefined;
  /** Those of `*`. */
  readonly all?: SiteFields | undefined;
  /** Of the host's key. */
  readonly host?: SiteFields | undefined;
  /** Of the prefix, if the route has one. */
  readonly prefix?: SiteFields | undefined;
}

/** What the sites of a router have in common. */
export interface SiteSettings {
  /** The default options of frontends. */
  readonly options?: SiteFields | undefined;
  /** The features, where they are not FEATURES. */
  readonly features?: readonly SiteFeature[] | undefined;
}

/** All options, in the order of the documentation. */
export const FIELD_NAMES: readonly string[] = FEATURES.flatMap(({ fieldNames }) => fieldNames);

/** Whether a prefix does not inherit this field from its host. */
export function isOfThePath(field: string): boolean {
  return featureOf(FEATURES, field)?.isOfThePath(field) ?? false;
}

/** The hash that a feature's field is stored in. */
export function hashOfField(field: string): SiteHash {
  return featureOf(FEATURES, field)?.hash ?? 'options';
}

/** Why a field is ignored; null when it counts. @param features those of the router */
export function fieldFault(
  field: string,
  text: string,
  hash: SiteHash = 'options',
  features: readonly SiteFeature[] = FEATURES,
): string | null {
  const feature = featureOf(features, field);
  return feature?.hash === hash ? feature.fault(field, text) : HASH_RULES[hash].unknown;
}

/** Fields of one hash that have no effect next to its other fields. */
export function idleFields(fields: SiteFields, hash: SiteHash = 'options'): readonly IdleFields[] {
  const used = new Set(
    [...fields].filter(([field, text]) => fieldFault(field, text, hash) === null).map(([field]) => field),
  );
  const features = FEATURES.filter((feature) => feature.hash === hash);
  return features.map((feature) => feature.idle(used)).filter((idle) => idle !== null);
}

/**
 * The hashes of one key as one layer: of each the fields that belong in it. Undefined if all are missing. @param features
 * those of the router
 */
export function layerOf(
  hashes: Readonly<Partial<Record<SiteHash, SiteFields | undefined>>>,
  features: readonly SiteFeature[] = FEATURES,
): SiteFields | undefined {
  if (SITE_HASHES.every((hash) => hashes[hash] === undefined)) return undefined;
  const layer = new Map<string, string>();
  for (const hash of SITE_HASHES) {
    const fields = hashes[hash];
    if (fields === undefined || hashFault(hash, fields) !== null) continue;
    for (const [field, text] of fields) if (featureOf(features, field)?.hash === hash) layer.set(field, text);
  }
  return layer;
}

/**
 * Combines the layers: a later layer's field counts, if its text can be used.
 * @param features those of the router: a router in another program may have others
 */
export function makeSite(layers: SiteLayers, features: readonly SiteFeature[] = FEATURES): Site {
  const { config, all, host, prefix } = layers;
  if (config === undefined && all === undefined && host === undefined && prefix === undefined) return NO_SITE;
  const fields = new Map<string, string>();
  const spelled = new Map<string, string>();
  for (const layer of [config, all, host, prefix]) {
    if (layer === undefined) continue;
    const isOfAnother = layer === host && prefix !== undefined;
    for (const [field, text] of layer) {
      const feature = featureOf(features, field);
      if (feature === undefined || feature.fault(field, text) !== null) continue;
      if (isOfAnother && feature.isOfThePath(field)) continue;
      const identity = feature.identityOf(field);
      const other = spelled.get(identity);
      if (other !== undefined && other !== field) fields.delete(other);
      spelled.set(identity, field);
      fields.set(field, text);
    }
  }
  return fields.size === 0 ? NO_SITE : composed(fields, features);
}

function featureOf(features: readonly SiteFeature[], field: string): SiteFeature | undefined {
  return features.find((feature) => feature.has(field));
}

function composed(fields: SiteFields, features: readonly SiteFeature[]): Site {
  const behaviours: SiteBehaviour[] = [];
  for (const feature of features) {
    const own = [...fields].filter(([field]) => feature.has(field));
    if (own.length > 0) behaviours.push(feature.behaviour(own));
  }
  const folderPath = behaviours.find(({ pathInFolder }) => pathInFolder)?.pathInFolder;
  return Object.freeze({
    fields,
    redirectStatus: behaviours.find(({ redirectStatus }) => redirectStatus)?.redirectStatus ?? NO_SITE.redirectStatus,
    canonicalHost: behaviours.find(({ canonicalHost }) => canonicalHost)?.canonicalHost ?? null,
    balance: siteBalance(Object.assign({}, ...behaviours.map(({ balance }) => balance))),
    mayServeFast: fastRule(behaviours),
    admit: admission(behaviours),
    targetFor: targets(behaviours),
    pathInFolder: folderPath ?? NO_SITE.pathInFolder,
    adaptResponse: responses(behaviours),
    adaptSwitching: inTurn(behaviours.map(({ switching }) => switching)),
    adaptRequest: inTurn(behaviours.map(({ request }) => request)),
    deadOn5xx: behaviours.find(({ deadOn5xx }) => deadOn5xx)?.deadOn5xx ?? NO_SITE.deadOn5xx,
    eject: behaviours.find(({ eject }) => eject)?.eject ?? null,
    rate: behaviours.find(({ rate }) => rate)?.rate ?? null,
    concurrency: behaviours.find(({ concurrency }) => concurrency)?.concurrency ?? null,
    limits: behaviours.find(({ limits }) => limits)?.limits ?? null,
    buffer: behaviours.find(({ buffer }) => buffer)?.buffer ?? null,
    bandwidth: behaviours.find(({ bandwidth }) => bandwidth)?.bandwidth ?? null,
  });
}

function fastRule(behaviours: readonly SiteBehaviour[]): Site['mayServeFast'] {
  const rules = behaviours.map(({ mayServeFast }) => mayServeFast ?? (() => false));
  return (host, scheme, target, hasBody) => {
    for (const rule of rules) {
      if (!rule(host, scheme, target, hasBody)) return false;
    }
    return true;
  };
}

function admission(behaviours: readonly SiteBehaviour[]): Site['admit'] {
  const rules = behaviours.map(({ admit }) => admit).filter((admit) => admit !== undefined);
  return (visit, securePort) => {
    for (const rule of rules) {
      const admitted = rule(visit, securePort);
      if (admitted !== null) return admitted;
    }
    return null;
  };
}

function targets(behaviours: readonly SiteBehaviour[]): Site['targetFor'] {
  const steps = behaviours.map(({ target }) => target).filter((target) => target !== undefined);
  return (target, prefix) => {
    let made = target;
    for (const step of steps) made = step(made, prefix);
    return made;
  };
}

function responses(behaviours: readonly SiteBehaviour[]): Site['adaptResponse'] {
  const steps = behaviours.map(({ response }) => response).filter((response) => response !== undefined);
  return (fields, scene) => {
    let made = fields;
    for (const step of steps) made = step(made, scene);
    return made;
  };
}

type Step = (fields: readonly string[]) => readonly string[];

function inTurn(optional: readonly (Step | undefined)[]): Step {
  const steps = optional.filter((step) => step !== undefined);
  return (fields) => {
    let made = fields;
    for (const step of steps) made = step(made);
    return made;
  };
}
