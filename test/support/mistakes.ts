/** What people do with redis-cli. */
import type { FaultCode } from '../../lib/diagnostics/fault.ts';

/** One mistake, alone in an empty Redis. */
export interface Mistake {
  readonly what: string;
  /** As typed, about www.x.io or its wildcards. */
  readonly typed: readonly string[];
  /** What is asked for; `www.x.io` when not given. */
  readonly host?: string;
  /** `/` when not given. */
  readonly path?: string;
  readonly code: FaultCode;
  /** Where nothing mends it but the operator's own knowledge. */
  readonly isHopeless?: boolean;
}

const ROUTE = 'rpush frontend:www.x.io site http://10.0.0.1:80';

export const MISTAKES: readonly Mistake[] = [
  {
    what: 'the identifier was forgotten',
    typed: ['rpush frontend:www.x.io http://10.0.0.1:80 http://10.0.0.2:80'],
    code: 'no-identifier',
  },
  {
    what: 'the identifier was forgotten before an only backend',
    typed: ['rpush frontend:www.x.io http://10.0.0.1:80'],
    code: 'no-identifier',
  },
  {
    what: 'LPUSH for RPUSH',
    typed: ['lpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80'],
    code: 'identifier-last',
  },
  { what: 'SET for HSET', typed: [ROUTE, 'set tls:www.x.io certificate'], code: 'tls-type' },
  { what: 'the identifier alone', typed: ['rpush frontend:www.x.io site'], code: 'identifier-only' },
  { what: 'no port', typed: ['rpush frontend:www.x.io site http://10.0.0.1'], code: 'no-port' },
  { what: 'no scheme', typed: ['rpush frontend:www.x.io site 10.0.0.1:8080'], code: 'no-scheme' },
  { what: 'no scheme before a name', typed: ['rpush frontend:www.x.io site backend:8080'], code: 'no-scheme' },
  { what: 'htps://', typed: ['rpush frontend:www.x.io site htps://10.0.0.1:443'], code: 'bad-scheme' },
  { what: 'https:/', typed: ['rpush frontend:www.x.io site https:/10.0.0.1:443'], code: 'bad-url' },
  { what: 'http//', typed: ['rpush frontend:www.x.io site http//10.0.0.1:80'], code: 'bad-url' },
  { what: 'another scheme', typed: ['rpush frontend:www.x.io site tcp://10.0.0.1:80'], code: 'bad-scheme' },
  {
    what: 'a port that is none',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:99999'],
    code: 'bad-url',
    isHopeless: true,
  },
  { what: 'SET for RPUSH', typed: ['set frontend:www.x.io http://10.0.0.1:80'], code: 'wrong-type', isHopeless: true },
  {
    what: 'SADD for RPUSH',
    typed: ['sadd frontend:www.x.io site http://10.0.0.1:80'],
    code: 'wrong-type',
    isHopeless: true,
  },
  {
    what: 'HSET for RPUSH',
    typed: ['hset frontend:www.x.io site http://10.0.0.1:80'],
    code: 'wrong-type',
    isHopeless: true,
  },
  { what: 'a space behind a URL', typed: ['rpush frontend:www.x.io site "http://10.0.0.1:80 "'], code: 'space-around' },
  {
    what: 'a space before the identifier',
    typed: ['rpush frontend:www.x.io " site" http://10.0.0.1:80'],
    code: 'space-in-identifier',
  },
  {
    what: 'two URLs in one element',
    typed: ['rpush frontend:www.x.io site "http://10.0.0.1:80 http://10.0.0.2:80"'],
    code: 'two-urls',
  },
  {
    what: 'two URLs with a comma',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80,http://10.0.0.2:80'],
    code: 'two-urls',
  },
  { what: 'a path', typed: ['rpush frontend:www.x.io site http://10.0.0.1:80/app'], code: 'path-ignored' },
  { what: 'a user', typed: ['rpush frontend:www.x.io site http://u:pw@10.0.0.1:80'], code: 'user-ignored' },
  {
    what: 'the same twice',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80', 'rpush frontend:www.x.io http://10.0.0.1:80'],
    code: 'duplicate',
  },
  {
    what: 'RPUSH of the whole list, twice',
    typed: [
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80',
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80',
    ],
    code: 'provisioned-twice',
  },
  {
    what: 'RPUSH of the whole list, with another backend by then',
    typed: [
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80',
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.3:80',
    ],
    code: 'provisioned-twice',
  },
  {
    what: 'the identifier, twice',
    typed: ['rpush frontend:www.x.io site site http://10.0.0.1:80'],
    code: 'provisioned-twice',
  },
  {
    what: 'SETEX’s habit',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80', 'expire frontend:www.x.io 1000'],
    code: 'expires',
  },
  {
    what: 'letters beyond ASCII',
    typed: ['rpush frontend:bücher.x.io site http://10.0.0.1:80'],
    host: 'xn--bcher-kva.x.io',
    code: 'idn-key',
  },
  {
    what: 'letters beyond ASCII in a wildcard',
    typed: ['rpush frontend:*.bücher.x.io site http://10.0.0.1:80'],
    host: 'www.xn--bcher-kva.x.io',
    code: 'idn-key',
  },
  { what: 'upper case', typed: ['rpush frontend:WWW.x.io site http://10.0.0.1:80'], code: 'upper-case' },
  { what: 'mixed case', typed: ['rpush frontend:Www.X.io site http://10.0.0.1:80'], code: 'upper-case' },
  {
    what: 'a space behind the host',
    typed: ['rpush "frontend:www.x.io " site http://10.0.0.1:80'],
    code: 'space-in-key',
  },
  {
    what: 'a space before the host',
    typed: ['rpush "frontend: www.x.io" site http://10.0.0.1:80'],
    code: 'space-in-key',
  },
  { what: 'a port in the key', typed: ['rpush frontend:www.x.io:8443 site http://10.0.0.1:80'], code: 'key-port' },
  {
    what: 'a scheme in the key',
    typed: ['rpush frontend:http://www.x.io site http://10.0.0.1:80'],
    code: 'key-scheme',
  },
  { what: 'a slash behind the host', typed: ['rpush frontend:www.x.io/ site http://10.0.0.1:80'], code: 'key-path' },
  {
    what: 'a slash behind the path',
    typed: ['rpush frontend:www.x.io/shop/ site http://10.0.0.1:80', 'sadd prefixes:www.x.io /shop'],
    code: 'key-path',
  },
  {
    what: 'a path in the key that nobody was told of',
    typed: [ROUTE, 'rpush frontend:www.x.io/shop shop http://10.0.0.1:80'],
    path: '/shop/cart?a=b',
    code: 'path-unlisted',
  },
  {
    what: 'RPUSH for SADD',
    typed: [ROUTE, 'rpush prefixes:www.x.io /shop'],
    code: 'prefixes-type',
  },
  {
    what: 'a slash behind the prefix',
    typed: [ROUTE, 'rpush frontend:www.x.io/shop shop http://10.0.0.1:80', 'sadd prefixes:www.x.io /shop /shop/'],
    code: 'prefix-name',
  },
  {
    what: 'a prefix without its list',
    typed: [ROUTE, 'sadd prefixes:www.x.io /shop'],
    path: '/shop',
    code: 'prefix-without-list',
  },
  { what: 'SET for HSET of options', typed: [ROUTE, 'set options:www.x.io strip'], code: 'options-type' },
  { what: 'an option that there is not', typed: [ROUTE, 'hset options:www.x.io hst 100'], code: 'option-unknown' },
  { what: 'an option’s value', typed: [ROUTE, 'hset options:www.x.io https yes'], code: 'option-value' },
  {
    what: 'a rewrite and what it takes the place of',
    typed: [ROUTE, 'hset options:www.x.io rewrite "^/a$ /b" strip 1 prepend /v2'],
    code: 'option-idle',
  },
  {
    what: 'a canonical host that is none',
    typed: [ROUTE, 'hset options:www.x.io canonical xx.io'],
    code: 'canonical-unserved',
  },
  { what: 'SET for HSET of header fields', typed: [ROUTE, 'set headers:www.x.io X-A'], code: 'headers-type' },
  {
    what: 'a header field that frames the message',
    typed: [ROUTE, 'hset headers:www.x.io response:Content-Length 5'],
    code: 'header-unusable',
  },
  {
    what: 'a header field without its direction',
    typed: [ROUTE, 'hset headers:www.x.io X-Frame-Options DENY'],
    code: 'header-unusable',
  },
  {
    what: 'a header field in two spellings',
    typed: [ROUTE, 'hset headers:www.x.io response:X-A 1 response:x-a 2'],
    code: 'header-twice',
  },
  { what: 'SET for HSET of weights', typed: [ROUTE, 'set weights:www.x.io 100'], code: 'weights-type' },
  {
    what: 'a weight that is too high',
    typed: [ROUTE, 'hset weights:www.x.io http://10.0.0.1:80 1001'],
    code: 'weight-unusable',
  },
  {
    what: 'a weight of an id, not of a URL',
    typed: [ROUTE, 'hset weights:www.x.io 0 50'],
    code: 'weight-unusable',
  },
  {
    what: 'a weight of a URL that is not in the list',
    typed: [ROUTE, 'hset weights:www.x.io http://10.0.0.77:80 50'],
    code: 'weight-unlisted',
  },
  { what: 'SET for HSET of checks', typed: [ROUTE, 'set healthcheck:www.x.io /health'], code: 'checks-type' },
  { what: 'an interval of no time', typed: [ROUTE, 'hset healthcheck:www.x.io interval 0'], code: 'check-field' },
  { what: 'a misspelt field of checks', typed: [ROUTE, 'hset healthcheck:www.x.io intervall 5'], code: 'check-field' },
  {
    what: 'a path for a check by TCP',
    typed: [ROUTE, 'hset healthcheck:www.x.io type tcp path /health'],
    code: 'check-idle',
  },
  { what: 'options of a frontend that is gone', typed: ['hset options:www.x.io strip 1'], code: 'side-stale' },
  {
    what: 'a page for a status that is no error',
    typed: [ROUTE, 'hset errors:www.x.io 200 ok'],
    code: 'page-unusable',
  },
  { what: 'SET for HSET of pages', typed: [ROUTE, 'set errors:www.x.io 503'], code: 'pages-type' },
  { what: 'a dot behind the host', typed: ['rpush frontend:www.x.io. site http://10.0.0.1:80'], code: 'trailing-dot' },
  { what: 'a wildcard as in a cookie', typed: ['rpush frontend:.x.io site http://10.0.0.1:80'], code: 'leading-dot' },
  {
    what: 'a wildcard without its dot',
    typed: ['rpush frontend:*x.io site http://10.0.0.1:80'],
    code: 'star-without-dot',
  },
  {
    what: 'a wildcard too deep',
    typed: ['rpush frontend:*.a.b.c.d.e.f site http://10.0.0.1:80'],
    host: 'www.a.b.c.d.e.f',
    code: 'deep-wildcard',
  },
  {
    what: 'frontends: for frontend:',
    typed: ['rpush frontends:www.x.io site http://10.0.0.1:80'],
    code: 'misspelt-prefix',
  },
  {
    what: 'Frontend: for frontend:',
    typed: ['rpush Frontend:www.x.io site http://10.0.0.1:80'],
    code: 'misspelt-prefix',
  },
  {
    what: 'fronted: for frontend:',
    typed: ['rpush fronted:www.x.io site http://10.0.0.1:80'],
    code: 'misspelt-prefix',
  },
  {
    what: 'a mark that is the URL',
    typed: [
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80',
      'sadd dead:www.x.io http://10.0.0.2:80',
      'expire dead:www.x.io 3600',
    ],
    code: 'dead-no-number',
  },
  {
    what: 'a mark counted from 1',
    typed: [
      'rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80',
      'sadd dead:www.x.io 2',
      'expire dead:www.x.io 3600',
    ],
    code: 'dead-out-of-range',
  },
  {
    what: 'a mark for ever',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80', 'sadd dead:www.x.io 1'],
    code: 'dead-no-expiry',
  },
  {
    what: 'marks under a wildcard',
    typed: ['rpush frontend:*.x.io site http://10.0.0.1:80 http://10.0.0.2:80', 'sadd dead:*.x.io 1'],
    code: 'dead-wildcard',
  },
  {
    what: 'marks in a list',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80 http://10.0.0.2:80', 'rpush dead:www.x.io 1'],
    code: 'dead-type',
  },
  {
    what: 'a mark of a router whose backend has another place by now',
    typed: [
      'rpush frontend:www.x.io site http://10.0.0.2:80 http://10.0.0.3:80',
      'sadd dead:www.x.io 0',
      'expire dead:www.x.io 3600',
      'hset marks:www.x.io 0 http://10.0.0.1:80',
      'expire marks:www.x.io 3600',
    ],
    code: 'dead-moved',
  },
  {
    what: 'a mark for the only backend',
    typed: ['rpush frontend:www.x.io site http://10.0.0.1:80', 'sadd dead:www.x.io 0', 'expire dead:www.x.io 3600'],
    code: 'dead-sole',
  },
  {
    what: 'marks of a host that is gone',
    typed: ['sadd dead:www.x.io 1', 'expire dead:www.x.io 3600'],
    code: 'dead-stale',
  },
  { what: 'a checker that pushes its sign', typed: ['rpush hchecker_ping 1'], code: 'hchecker-type' },
  { what: 'a checker that counts milliseconds', typed: ['set hchecker_ping 1795250500000'], code: 'hchecker-value' },
];
