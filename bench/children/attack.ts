/** One attack of tenant A: `attack.js NAME PORT TLS_PORT SECONDS`. Prints one line with what it did. */
import { attacks } from '../attacks/all.ts';

const [name, ...numbers] = process.argv.slice(2);
const [port = 0, tlsPort = 0, seconds = 1] = numbers.map(Number);
const attack = attacks.find((each) => each.name === name);
if (attack === undefined) throw new Error(`there is no attack ${name}`);
const start = performance.now();
const begun = await attack.run({ port, tlsPort, seconds });
const micros = Math.round((performance.now() - start) * 1000);
process.stdout.write(`figures begun=${begun} micros=${micros}\n`);
process.exit(0);
