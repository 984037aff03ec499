/** apache2: the event module, a map of hosts, and a backend whose connections it may use again. */
import { join } from 'node:path';
import { tools } from '../tools.ts';
import { hostLines, PLAIN, type Peer, type Place, type Setup } from './peer.ts';

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'rewrite'];
const TLS_MODULES = ['socache_shmcb', 'ssl'];
const THREADS = 600;

export function apache(setup: Partial<Setup> = {}): Peer {
  return {
    name: 'apache2',
    label: 'apache2',
    tools: [tools.apache],
    setup: { ...PLAIN, ...setup },
    recipe: (place) => ({
      files: {
        'hosts.txt': `${hostLines(place.setup.frontends, (host) => `${host} ${place.scene.backends.plain}`)}\n`,
        'apache.conf': configuration(place),
      },
      command: ['apache2', '-DFOREGROUND', '-f', join(place.folder, 'apache.conf')],
    }),
  };
}

function configuration({ scene: { backends, certificate }, setup, port, folder }: Place): string {
  const modules = [...MODULES, ...(setup.tls ? TLS_MODULES : [])];
  return `ServerRoot ${folder}
DefaultRuntimeDir ${folder}
PidFile ${join(folder, 'apache.pid')}
ServerName bench.test
ErrorLog ${join(folder, 'error.log')}
LogLevel error
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
Listen 127.0.0.1:${port}
ListenBacklog 4096
StartServers ${setup.workers}
ServerLimit ${setup.workers}
ThreadLimit ${THREADS}
ThreadsPerChild ${THREADS}
MinSpareThreads 1
MaxSpareThreads ${THREADS * setup.workers}
MaxRequestWorkers ${THREADS * setup.workers}
AsyncRequestWorkerFactor 60
MaxConnectionsPerChild 0
KeepAlive On
KeepAliveTimeout 600
MaxKeepAliveRequests 0
ProxyPreserveHost On
<Proxy "${backends.plain}">
  ProxySet enablereuse=on max=${THREADS}
</Proxy>
RewriteEngine On
RewriteMap hosts txt:${join(folder, 'hosts.txt')}
RewriteCond \${hosts:%{HTTP_HOST}} ^(.+)$
RewriteRule ^(.*)$ %1$1 [P]
${setup.tls ? `SSLEngine on\nSSLCertificateFile ${certificate.cert}\nSSLCertificateKeyFile ${certificate.key}` : ''}
`;
}
