// The HTTP API of the embedded registry: PUT makes or renews a lease, DELETE ends it, and PUT of its status takes the endpoint
// out of service or back.
//
//   PUT /api/v1/channels/<channel>/endpoints/<id>
//   {"service_address":"http://10.0.0.1:8080","load":0.2,"bitrate":1200,"packet_loss_rate":0,"ttl":10,
//    "status":"live","weight":1,"zone":"north","priority":0}
//
//   PUT /api/v1/channels/<channel>/endpoints/<id>/status
//   {"status":"draining"}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ChannelName } from '../model.js';
import type { EmbeddedRegistry } from '../registry/embedded.js';
import { endpointFields, readEntry } from '../registry/formats/endpoint-schema.js';
import { parseChannelName } from '../registry/names.js';

/** Bytes; the longest address and all values take less. */
const maxBodyBytes = 16 * 1024;
/** Milliseconds. */
const bodyDeadlineMs = 10_000;

const leaseSchema = z.strictObject({
  ...endpointFields,
  /** Seconds; a longer one than registry.embedded.maxTtl is cut to that. */
  ttl: z.number('expected seconds, at least 0.1').min(0.1, 'expected seconds, at least 0.1').default(10),
});

const statusSchema = z.strictObject({ status: z.enum(['live', 'draining'], 'expected "live" or "draining"') });

/** An answer that ends the handling of a request. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** Resolves with false when the path is none of this API; otherwise the request was answered. */
export type LeaseHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean>;

/**
 * Answers 201 for a new lease and 200 for a renewed one with the TTL granted in seconds; 204 or 404 for DELETE.
 * 400 says what is wrong and where; 401 (token), 403 (see below), 405, 408, 413, 415; 507 when `maxEndpoints` are held, or the
 * channel has `maxEndpointsPerChannel`.
 *
 * With a token every write needs it as bearer token (RFC 6750). Without one, only direct requests from this machine may
 * write. Requests of web pages (with an `Origin` header) never may: a page that an operator opens must not register.
 */
export function handleLeases(registry: EmbeddedRegistry, token: string | undefined): LeaseHandler {
  return async (request, response, path) => {
    const target = /^\/api\/v1\/channels\/([^/]+)\/endpoints\/([^/]+)(\/status)?$/.exec(path);
    if (target === null) return false;
    try {
      authorize(request, token);
      const channel = nameOf(target[1] ?? '', 'channel');
      const name = nameOf(target[2] ?? '', 'endpoint');
      const isStatus = target[3] !== undefined;
      if (isStatus && request.method === 'PUT') await putStatus(registry, channel, name, request, response);
      else if (isStatus) throw new Refusal(405, 'method_not_allowed', 'Only PUT is served here.', { allow: 'PUT' });
      else if (request.method === 'PUT') await put(registry, channel, name, request, response);
      else if (request.method === 'DELETE') remove(registry, channel, name, response);
      else {
        throw new Refusal(405, 'method_not_allowed', 'Only PUT and DELETE are served here.', { allow: 'PUT, DELETE' });
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // The rest of the body must not be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      answer(response, error.status, { error: error.code, message: error.message }, error.headers);
    }
    return true;
  };
}

async function put(
  registry: EmbeddedRegistry,
  channel: ChannelName,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const lease = parse(leaseSchema, await readJson(request));
  const entry = readEntry(lease);
  if ('faults' in entry) throw new Refusal(400, 'bad_request', entry.faults.join('; '));
  const result = registry.put(channel, name, entry, lease.ttl * 1000);
  if (result.kind === 'full') {
    throw new Refusal(507, 'registry_full', `As many endpoints are registered as ${result.by} allows.`);
  }
  const status = result.kind === 'created' ? 201 : 200;
  answer(response, status, { channel, id: name, state: result.kind, ttl: result.ttlMs / 1000 });
}

async function putStatus(
  registry: EmbeddedRegistry,
  channel: ChannelName,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status } = parse(statusSchema, await readJson(request));
  if (!registry.drain(channel, name, status === 'draining')) {
    throw new Refusal(404, 'not_found', 'No such endpoint is registered.');
  }
  answer(response, 200, { channel, id: name, status });
}

function remove(registry: EmbeddedRegistry, channel: ChannelName, name: string, response: ServerResponse): void {
  if (!registry.delete(channel, name)) throw new Refusal(404, 'not_found', 'No such endpoint is registered.');
  response.writeHead(204).end();
}

function authorize(request: IncomingMessage, token: string | undefined): void {
  if (request.headers.origin !== undefined) {
    throw new Refusal(403, 'forbidden', 'Web pages may not write (the request has an Origin header).');
  }
  if (token === undefined) {
    const proxied = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in request.headers);
    if (!proxied && isLoopback(request.socket.remoteAddress)) return;
    const remedy = 'Set registry.embedded.token (or tokenFile) to allow writes from elsewhere.';
    throw new Refusal(403, 'forbidden', `Without a token, only direct requests from this machine may write. ${remedy}`);
  }
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given !== undefined && sameSecret(given, token)) return;
  const message = given === undefined ? 'Writes need the header Authorization: Bearer <token>.' : 'The token is wrong.';
  throw new Refusal(401, 'unauthorized', message, { 'www-authenticate': 'Bearer realm="weir"' });
}

/** Compares in a time that depends on neither text. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function isLoopback(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:/, '') ?? '';
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

function nameOf(segment: string, what: string): ChannelName {
  let name: ChannelName | undefined;
  try {
    name = parseChannelName(decodeURIComponent(segment));
  } catch {
    name = undefined;
  }
  if (name !== undefined) return name;
  throw new Refusal(
    400,
    'bad_request',
    `The ${what} name must be 1 to 255 bytes without slashes or control characters.`,
  );
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new Refusal(400, 'bad_request', faults.join('; '));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal(415, 'unsupported_media_type', 'Send JSON, with the header Content-Type: application/json.');
  }
  const body = await readBody(request);
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Refusal(400, 'bad_request', `The body is not JSON: ${(error as Error).message}`);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = new Refusal(413, 'body_too_large', `The body may have ${maxBodyBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  return await new Promise((resolve, reject) => {
    const settle = (error: Error | undefined) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (error === undefined) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(error);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= maxBodyBytes) return;
      request.pause();
      settle(tooLarge);
    };
    const onEnd = () => settle(undefined);
    const onGone = () => settle(new Refusal(400, 'bad_request', 'The body ended early.'));
    const timer = setTimeout(() => {
      settle(new Refusal(408, 'request_timeout', `The body took longer than ${bodyDeadlineMs / 1000} s.`));
    }, bodyDeadlineMs);
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
