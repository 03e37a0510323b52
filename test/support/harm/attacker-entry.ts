// One attack in a process of its own, so that the viewers beside it share nothing with the attacker. Parameters: the
// attack's number, the data listener's URL, the channel, the scale. Prints the statuses of the answers as JSON.

import { attacks } from './attacks.js';

const [number = '', players = '', channel = '', scale = '1'] = process.argv.slice(2);
const attack = attacks[Number(number)];
if (attack === undefined) throw new Error(`no attack ${number}`);
const { hostname: host, port } = new URL(players);
const statuses = await attack.run({ target: { host, port: Number(port) }, channel, scale: Number(scale) });
process.stdout.write(`${JSON.stringify(Object.fromEntries(statuses ?? []))}\n`, () => process.exit(0));
