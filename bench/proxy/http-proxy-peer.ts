// The peer: http-proxy in front of one fixed target, with keep-alive on both sides. Prints its port when it listens.

import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import httpProxy from 'http-proxy';

const target = process.argv[2] ?? '';
const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true, maxSockets: 1024 }) });
proxy.on('error', () => process.exit(1));
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => proxy.web(request, response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
