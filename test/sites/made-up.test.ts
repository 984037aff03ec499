/** A feature that is added to the table counts in both lanes, whether or not its author thought of the fast lane. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouterError } from '../../lib/core/errors.ts';
import type { Site } from '../../lib/core/routing/site.ts';
import { type SiteBehaviour, siteFeature } from '../../lib/sites/feature.ts';
import { FEATURES } from '../../lib/sites/features.ts';
import { makeSite } from '../../lib/sites/site.ts';
import { startBackend } from '../support/backends.ts';
import { send } from '../support/client.ts';
import { startLane } from '../fastlane/scene.ts';

const CLOSED = { type: 'refused', error: new RouterError('maintenance', 'closed') } as const;

function madeUp(behaviour: SiteBehaviour): Site {
  const closed = siteFeature({ fields: { closed: () => ({}) }, defaults: {}, behaviour: () => behaviour });
  return makeSite({ host: new Map([['closed', '1']]) }, [...FEATURES, closed]);
}

for (const [what, behaviour, isHandedOff] of [
  ['admits none', { admit: () => CLOSED }, true],
  ['changes responses', { response: (fields) => [...fields, 'X-Closed', '1'] }, true],
  ['says that the fast lane may not serve it', { admit: () => CLOSED, mayServeFast: () => false }, true],
  ['says that the fast lane may serve it', { target: () => '/closed', mayServeFast: () => true }, false],
] as readonly (readonly [string, SiteBehaviour, boolean])[]) {
  test(`a request for a site with a feature that ${what} is ${isHandedOff ? 'the full lane’s' : 'served'}`, async (t) => {
    const backend = await startBackend(t, (request, response) => response.end(request.url));
    const scene = await startLane(t, { site: madeUp(behaviour) });
    scene.store.set('site.test', ['site', backend.url]);
    const text = await send(scene.port, 'GET /a HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n');
    assert.match(text, isHandedOff ? /^HTTP\/1\.1 299 / : /^HTTP\/1\.1 200 [\s\S]*\/closed/);
    assert.equal(scene.lent.length, isHandedOff ? 1 : 0);
  });
}
