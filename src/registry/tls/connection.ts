// A verified TLS connection to a server of ZooKeeper.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { OperatorError } from '../../errors.js';
import type { Server } from '../../net-address.js';

/** The settings `registry.zookeeper.tls`: paths of PEM files, read again for each connection, so that they may be renewed. */
export interface TlsSettings {
  /** The authorities whose certificates are trusted. */
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that each server's certificate has to have; default: the one by which it is connected to. */
  readonly serverName?: string | undefined;
}

/** What the settings mean: without authorities to trust there is no TLS. */
export function tlsOf({
  ca,
  ...more
}: Omit<TlsSettings, 'ca'> & { readonly ca?: string | undefined }): TlsSettings | undefined {
  return ca === undefined ? undefined : { ca, ...more };
}

function read(name: 'ca' | 'cert' | 'key', path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OperatorError(`registry.zookeeper.tls.${name}: ${(error as Error).message}`);
  }
}

/**
 * Connects; `secureConnect` says that the server is who it should be.
 *
 * @throws OperatorError when a file cannot be read or means nothing
 */
export function connectSecurely({ host, port }: Server, settings: TlsSettings): TLSSocket {
  const name = settings.serverName ?? host;
  const files = { ca: read('ca', settings.ca), cert: read('cert', settings.cert), key: read('key', settings.key) };
  const given = Object.fromEntries(Object.entries(files).filter(([, content]) => content !== undefined));
  try {
    return connect({
      ...given,
      host,
      port,
      rejectUnauthorized: true,
      // An address must not stand there (RFC 6066, section 3).
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    });
  } catch (error) {
    throw new OperatorError(`registry.zookeeper.tls: ${(error as Error).message}`);
  }
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refuses connections',
  ENOTFOUND: 'its name has no address',
  ECONNRESET: 'it ended the connection: does it want a client certificate, or no TLS at this port?',
  EPROTO: 'it speaks no TLS at this port',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name (registry.zookeeper.tls.serverName)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** What the server says of our certificate, or of none. */
const refused = /ALERT_(BAD_CERTIFICATE|CERTIFICATE_REQUIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA|HANDSHAKE_FAILURE)/;

/** Certificates that none of the authorities signed. */
const untrusted = /SELF_SIGNED|UNABLE_TO_|CERT_SIGNATURE|CERT_UNTRUSTED|ISSUER/;

/** Why a connection failed, for an operator. */
export function tlsProblem({ code = '', message }: NodeJS.ErrnoException): string {
  if (untrusted.test(code)) return `its certificate is from no authority in registry.zookeeper.tls.ca (${code})`;
  if (refused.test(code))
    return `it takes no client without a certificate that it trusts (registry.zookeeper.tls.cert; ${code})`;
  const said = words[code];
  return said === undefined ? message : `${said} (${code})`;
}
