/** What the demo says to its user. Commands stand alone on a line, to be copied. */

export function portTaken(wanted, port) {
  return `Port ${wanted} is taken by another program: the demo uses port ${port} instead.`;
}

export function started({ port, backends }) {
  return `hipache routes http://demo.localhost:${port}/ to ${backends.map(({ name, url }) => `${name} (${url})`).join(' and ')}.`;
}

export function cameBack(port, http, webSocket) {
  return `
$ curl -i http://demo.localhost:${port}/
${indented(http)}

And by WebSocket, to the message "hello":
${indented(webSocket)}`;
}

export function whatNext({ port, adminPort, redisPort, routes, config, redisConfig, backends }) {
  const [north, south] = backends.map(({ url }) => url);
  return `
What to do next, in another terminal:

1. Ask again, some times: the backend is picked at random. A browser will do, too.
     curl http://demo.localhost:${port}/
   Where demo.localhost is not known, say the name by hand:
     curl -H 'Host: demo.localhost' http://127.0.0.1:${port}/
   See what the router did with it:
     curl -i -H 'X-Debug: 1' http://demo.localhost:${port}/

2. See what it does, and why, in a browser:
     http://127.0.0.1:${adminPort}/
   or here:
     node dist/bin/hipache.js route explain demo.localhost --config ${config}
     node dist/bin/hipache.js top --config ${config}

3. Change the routes; the router follows at once. Here demo.localhost loses a backend, and new.localhost is new:
     echo '{ "demo.localhost": ["demo", "${north}"], "new.localhost": ["new", "${south}"] }' > ${routes}
     curl http://new.localhost:${port}/
   Or open the file in an editor:
     ${routes}

4. The same with Redis. With a redis-server running on this machine:
     redis-cli rpush frontend:demo.localhost demo ${north} ${south}
     node dist/bin/hipache.js --config ${redisConfig}
   and in a third terminal:
     curl http://demo.localhost:${redisPort}/
     redis-cli lrange frontend:demo.localhost 0 -1
     redis-cli del frontend:demo.localhost

Ctrl-C ends the demo. Requests show up below.
`;
}

function indented(text) {
  return text.trimEnd().replace(/^(?=.)/gm, '  ');
}
