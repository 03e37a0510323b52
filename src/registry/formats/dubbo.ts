// A provider of Dubbo 2, as the name of a child of /dubbo/<interface>/providers:
// dubbo%3A%2F%2F10.0.0.1%3A20880%2Fcom.x.Live%3Fweight%3D100

import { hostAndPort } from './address.js';
import type { Format } from './format.js';
import { reportedEndpoint, withNumbers } from './reported.js';

/** Dubbo's default weight, which is 1 here. */
const usualWeight = 100;
/** Of a provider. */
const maxNameChars = 8_192;
/** Parameters that become properties; the others (methods, timeouts) say nothing about an origin of media. */
const shown = ['application', 'group', 'interface', 'protocol', 'region', 'side'];

function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

const first = (params: URLSearchParams, name: string) => params.get(name) ?? undefined;

/**
 * Media are served over HTTP, which the port of a provider may not speak: the parameter `http.port` names a port that does.
 * Without it the provider's own port is used. `https` is the only protocol that means TLS.
 */
export const dubbo: Format = ({ name }) => {
  if (name.length > maxNameChars || !/^[a-z][a-z0-9+.-]{0,31}%3A%2F%2F/i.test(name)) return undefined;
  const url = decoded(name);
  if (url === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const [, protocol = '', host = '', port, rest = ''] =
    /^([a-z0-9+.-]+):\/\/(\[[0-9a-f:.]+\]|[^:/?[\]@]+)(?::(\d{1,5}))?([/?].*)?$/is.exec(url) ?? [];
  const query = rest.indexOf('?');
  const params = new URLSearchParams(query < 0 ? '' : rest.slice(query));
  const address = hostAndPort(host.replace(/^\[|\]$/g, ''), first(params, 'http.port') ?? port, protocol === 'https');
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const said = withNumbers({
    weight: first(params, 'weight'),
    zone: first(params, 'zone'),
    version: first(params, 'version'),
  });
  const { weight } = said;
  const scaled = typeof weight === 'number' ? { ...said, weight: weight / usualWeight } : said;
  const properties: Record<string, unknown> = { protocol };
  for (const each of shown) properties[each] ??= first(params, each);
  const eligible = first(params, 'disabled') !== 'true' && first(params, 'enabled') !== 'false';
  return reportedEndpoint(address, scaled, { eligible, properties });
};
