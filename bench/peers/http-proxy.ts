/** http-proxy, as its documentation shows it, in one Node process: `children/http-proxy.ts`. */
import { childCommand } from '../child.ts';
import { PLAIN, type Peer } from './peer.ts';

export const httpProxy: Peer = {
  name: 'http-proxy',
  label: 'http-proxy, keep-alive agent',
  tools: [],
  setup: PLAIN,
  recipe: ({ scene: { backends }, setup, port }) => ({
    files: {},
    command: childCommand('http-proxy', String(port), String(setup.frontends), backends.plain, backends.echo),
  }),
};
