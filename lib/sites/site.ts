/**
 * Makes a Site from the hashes `options:<key>`, by the table of features. A missing field is taken from `options:*`,
 * then from the configuration.
 */
import { NO_SITE, type Site, type SiteFields } from '../core/routing/site.ts';
import type { IdleFields, SiteBehaviour, SiteFeature } from './feature.ts';
import { FEATURES } from './features.ts';

/** The hashes that make a site, in order of precedence, the lowest first. Undefined if missing. */
export interface SiteLayers {
  readonly config?: SiteFields | undefined;
  /** `options:*`. */
  readonly all?: SiteFields | undefined;
  /** Of the host's key. */
  readonly host?: SiteFields | undefined;
  /** Of the prefix, if the route has one. */
  readonly prefix?: SiteFields | undefined;
}

/** All fields, in the order of the documentation. */
export const FIELD_NAMES: readonly string[] = FEATURES.flatMap(({ fieldNames }) => fieldNames);

/** Whether a prefix does not inherit this field from its host. */
export function isOfThePath(field: string): boolean {
  return featureOf(FEATURES, field)?.isOfThePath(field) ?? false;
}

/** Why a field is ignored; null when it counts. */
export function fieldFault(field: string, text: string): string | null {
  const feature = featureOf(FEATURES, field);
  return feature === undefined ? 'there is no such option' : feature.fault(field, text);
}

/** Fields of one hash that have no effect next to its other fields. */
export function idleFields(fields: SiteFields): readonly IdleFields[] {
  const used = new Set([...fields].filter(([field, text]) => fieldFault(field, text) === null).map(([field]) => field));
  return FEATURES.map((feature) => feature.idle(used)).filter((idle) => idle !== null);
}

/**
 * Combines the layers: a later layer's field counts, if its text can be used.
 * @param features only tests pass others
 */
export function makeSite(layers: SiteLayers, features: readonly SiteFeature[] = FEATURES): Site {
  const { config, all, host, prefix } = layers;
  if (config === undefined && all === undefined && host === undefined && prefix === undefined) return NO_SITE;
  const fields = new Map<string, string>();
  for (const layer of [config, all, host, prefix]) {
    if (layer === undefined) continue;
    const isOfAnother = layer === host && prefix !== undefined;
    for (const [field, text] of layer) {
      const feature = featureOf(features, field);
      if (feature === undefined || feature.fault(field, text) !== null) continue;
      if (!isOfAnother || !feature.isOfThePath(field)) fields.set(field, text);
    }
  }
  return fields.size === 0 ? NO_SITE : composed(fields, features);
}

function featureOf(features: readonly SiteFeature[], field: string): SiteFeature | undefined {
  return features.find(({ fieldNames }) => fieldNames.includes(field));
}

function composed(fields: SiteFields, features: readonly SiteFeature[]): Site {
  const used = features.filter(({ fieldNames }) => fieldNames.some((field) => fields.has(field)));
  const behaviours = used.map((feature): SiteBehaviour => {
    return feature.behaviour([...fields].filter(([field]) => feature.fieldNames.includes(field)));
  });
  const folderPath = behaviours.find(({ pathInFolder }) => pathInFolder)?.pathInFolder;
  return Object.freeze({
    fields,
    redirectStatus: behaviours.find(({ redirectStatus }) => redirectStatus)?.redirectStatus ?? NO_SITE.redirectStatus,
    canonicalHost: behaviours.find(({ canonicalHost }) => canonicalHost)?.canonicalHost ?? null,
    mayServeFast: fastRule(behaviours),
    admit: admission(behaviours),
    targetFor: targets(behaviours),
    pathInFolder: folderPath ?? NO_SITE.pathInFolder,
    adaptResponse: responses(behaviours),
  });
}

function fastRule(behaviours: readonly SiteBehaviour[]): Site['mayServeFast'] {
  const rules = behaviours.map(({ mayServeFast }) => mayServeFast ?? (() => false));
  return (host, scheme, target) => {
    for (const rule of rules) {
      if (!rule(host, scheme, target)) return false;
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
