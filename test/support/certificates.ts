// Certificates of an authority of the test's own, made with openssl.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** The path of a file in the folder. */
  path(name: string): string;
  /** Makes `NAME.crt` and `NAME.key`, signed by the authority `ca.crt`. */
  sign(name: string, subjectAltName: string): void;
  /** Makes `NAME.crt`, an authority that signed nothing. */
  authority(name: string): void;
  /** Joins files into one. */
  join(name: string, ...parts: readonly string[]): void;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'weir-certificates-'));
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  const key = (name: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`);
  const path = (name: string) => join(folder, name);
  const authority = (name: string) => {
    key(name);
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-days', '2', '-out', `${name}.crt`);
  };
  authority('ca');
  return {
    path,
    authority,
    sign(name, subjectAltName) {
      key(name);
      writeFileSync(path(`${name}.ext`), `subjectAltName=${subjectAltName}\n`);
      openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
      const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
      openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`);
    },
    join: (name, ...parts) => writeFileSync(path(name), parts.map((part) => readFileSync(path(part), 'utf8')).join('')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
