/** The library: routers within other programs. What is exported here is documented in docs/library.md. */
export { createRouter, type Router } from './router.ts';
export type { RouterEvent, RouterOptions, Section } from './options.ts';
export type { RouteFields, Routes, RouteTexts } from './routes.ts';
export type { Frontend, LookupStore } from './lookup-store.ts';
export { type FeatureDefinition, type SiteBehaviour, siteFeature, type SiteFeature } from '../sites/feature.ts';
export type { Admission, ResponseScene } from '../core/routing/site.ts';
export type { Visit } from '../core/routing/redirect.ts';
export { type ErrorCode, RouterError } from '../core/errors.ts';
export { ConfigError } from '../config/faults.ts';
export type { LiveExplanation } from '../diagnostics/explanation.ts';
