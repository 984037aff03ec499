/** nginx with Lua, which asks Redis for each request by lua-resty-redis, with connections kept on both sides. */
import { createHash } from 'node:crypto';
import { MAX_LIST } from '../../lib/store/limits.ts';
import { ENDLESS, NGINX_COMMON, nginxCommand } from '../nginx-common.ts';
import { tools } from '../tools.ts';
import { authorityOf, PLAIN, type Peer, type Place } from './peer.ts';

/** Connections that it may keep, to the backend and to Redis. */
const KEPT = 512;
const TIMEOUT_MS = 1000;
const MODULES = ['/usr/lib/nginx/modules/ndk_http_module.so', tools.nginxLua.program];

/** The first list that names a backend, and who is dead. KEYS: the candidates' lists, then the dead set. */
const SCRIPT = `
for i = 1, #KEYS - 1 do
  local list = redis.call('LRANGE', KEYS[i], 0, ARGV[1])
  if #list > 1 then return {list, redis.call('SMEMBERS', KEYS[#KEYS])} end
end
return false
`;
const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** How it looks a host up. Both leave the list of the frontend in `list`, and its dead ones in `dead`. */
type Way = 'pipeline' | 'script';

const LOOKUPS: Readonly<Record<Way, string>> = {
  // As our fallback does it without scripts, and as Hipache did: everything that may be needed, at once.
  pipeline: `
      red:init_pipeline()
      for i = 1, #keys do
        red:llen(keys[i])
        red:lrange(keys[i], 0, -1)
      end
      red:smembers('dead:' .. host)
      local replies, err = red:commit_pipeline()
      if not replies then ngx.log(ngx.ERR, err) return ngx.exit(503) end
      local list, dead
      for i = 1, #keys do
        if type(replies[2 * i - 1]) == 'number' and replies[2 * i - 1] > 1 then list = replies[2 * i] break end
      end
      dead = replies[#replies]`,
  // One round trip for the list and the dead set of that host, as our own script; no options, and no paths.
  script: `
      keys[#keys + 1] = 'dead:' .. host
      local count = #keys
      keys[count + 1] = ${MAX_LIST}
      local replies, err = red:evalsha('${SCRIPT_SHA}', count, unpack(keys))
      if not replies and err and string.sub(err, 1, 8) == 'NOSCRIPT' then
        replies, err = red:eval(SCRIPT, count, unpack(keys))
      end
      if not replies then ngx.log(ngx.ERR, err) return ngx.exit(503) end
      local list, dead
      if replies ~= ngx.null then list, dead = replies[1], replies[2] end`,
};

export function nginxLua(way: Way): Peer {
  return {
    name: 'nginx-lua',
    label: `nginx + Lua + Redis, ${way}`,
    tools: [tools.nginx, tools.nginxLua, tools.luaRedis],
    setup: PLAIN,
    recipe: async (place) => ({
      files: { 'nginx.conf': await configuration(place, way) },
      command: nginxCommand(place.folder),
    }),
  };
}

async function configuration({ scene, setup, port, folder }: Place, way: Way): Promise<string> {
  const { backends, redis } = scene;
  const { port: redisPort, pathname } = new URL(
    await redis.driver({ frontends: setup.frontends, prefixes: 0 }, backends),
  );
  // The configuration asks for a server; the balancer chooses the real one.
  return `${NGINX_COMMON(folder, setup.workers, MODULES)}
  access_log off;
  client_body_buffer_size 64k;
  lua_package_path '/usr/share/lua/5.1/?.lua;;';
  init_by_lua_block {
    redis = require 'nginx.redis'
    balancer = require 'ngx.balancer'
    SCRIPT = [==[${SCRIPT}]==]
  }
  upstream plain {
    server ${authorityOf(backends.plain)};
    balancer_by_lua_block { assert(balancer.set_current_peer(ngx.ctx.address, ngx.ctx.port)) }
    keepalive ${KEPT};
    keepalive_requests ${ENDLESS};
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      access_by_lua_block {
      local host = ngx.var.host
      local keys, at = { 'frontend:' .. host }, string.find(host, '.', 1, true)
      while at do
        keys[#keys + 1] = 'frontend:*' .. string.sub(host, at)
        at = string.find(host, '.', at + 1, true)
      end
      keys[#keys + 1] = 'frontend:*'

      local red = redis:new()
      red:set_timeout(${TIMEOUT_MS})
      local ok, err = red:connect('127.0.0.1', ${redisPort}, { pool = 'redis' })
      if not ok then ngx.log(ngx.ERR, err) return ngx.exit(503) end
      if red:get_reused_times() == 0 and '${pathname.slice(1)}' ~= '0' then red:select(${pathname.slice(1)}) end
      ${LOOKUPS[way]}
      red:set_keepalive(60000, ${KEPT})
      if not list then return ngx.exit(400) end

      local isDead = {}
      for i = 1, #dead do isDead[tonumber(dead[i])] = true end
      local alive = {}
      for i = 2, #list do if not isDead[i - 2] then alive[#alive + 1] = list[i] end end
      if #alive == 0 then return ngx.exit(502) end
      local chosen = alive[math.random(#alive)]
      local match = ngx.re.match(chosen, '^http://([0-9.]+):([0-9]+)', 'jo')
      ngx.ctx.address, ngx.ctx.port = match[1], tonumber(match[2])
      }
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header Connection "";
      proxy_pass http://plain;
    }
  }
}
`;
}
