/** Small answers on kept connections: what one request costs, by everyone. */
import { requests } from '../measure/requests.ts';
import { apache } from '../peers/apache.ts';
import { h2o } from '../peers/h2o.ts';
import { haproxy } from '../peers/haproxy.ts';
import { hipache } from '../peers/hipache.ts';
import { httpProxy } from '../peers/http-proxy.ts';
import { nginx } from '../peers/nginx.ts';
import { nginxLua } from '../peers/nginx-lua.ts';
import { COST_COLUMNS, type Case } from './case.ts';

export const small: Case = {
  name: 'small',
  title: '20-byte answers, 1,000 hosts, 64 kept connections',
  measure: requests(),
  reference: nginx(),
  peers: [
    haproxy(),
    h2o(),
    apache(),
    nginxLua('pipeline'),
    nginxLua('script'),
    httpProxy,
    hipache({ routes: 'file' }),
    hipache({ routes: 'push' }),
    hipache({ routes: 'request' }),
  ],
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
};

export const kibibyte: Case = {
  name: 'kibibyte',
  title: '1 KiB answers, 1,000 hosts, 64 kept connections',
  measure: requests({ path: '/1k' }),
  reference: nginx(),
  peers: [
    haproxy(),
    h2o(),
    apache(),
    httpProxy,
    hipache({ routes: 'file' }),
    hipache({ routes: 'push' }),
    hipache({ routes: 'request' }),
  ],
  columns: COST_COLUMNS,
  ratios: ['cpuMicros', 'p99Ms'],
};
