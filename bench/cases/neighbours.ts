/** What the requests of one tenant see of the attacks of another. */
import { neighbours as measure } from '../measure/attacks.ts';
import { haproxyWithTenant } from '../neighbours/haproxy.ts';
import { nginxWithTenant } from '../neighbours/nginx.ts';
import { hipache } from '../peers/hipache.ts';
import type { Case } from './case.ts';

export const neighbours: Case = {
  name: 'neighbours',
  title: 'A neighbour at 200 requests/s, while another tenant attacks',
  note: 'p99 of tenant B from the time at which each request was due; the same as a ratio to its p99 before and after the attack; growth of resident memory during the attack.',
  measure,
  reference: nginxWithTenant,
  peers: [
    haproxyWithTenant,
    hipache({ routes: 'push', hasTenant: true }),
    hipache({ routes: 'request', hasTenant: true }),
  ],
  columns: ['p50Ms', 'p99Ms', 'maxMs', 'p99TimesQuiet', 'errors', 'residentMB', 'grownMB', 'perSecond'],
  ratios: ['p99Ms'],
};
