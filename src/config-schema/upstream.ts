// The section `upstream`: the way to the endpoints.

import { z } from 'zod';
import { parseCidr } from '../net-address.js';
import { duration, integer, local } from './kinds.js';

/** The schema of the section `upstream`. */
export const upstream = z.strictObject({
  allow: local(
    z
      .array(z.string().refine((value) => parseCidr(value) !== undefined, 'expected a network such as 10.0.0.0/8'))
      .prefault([
        '10.0.0.0/8',
        '172.16.0.0/12',
        '192.168.0.0/16',
        '100.64.0.0/10',
        '127.0.0.0/8',
        '::1/128',
        'fc00::/7',
      ])
      .describe(
        "Networks that endpoints may be in; an address outside is refused. Link-local addresses and clouds' metadata services have to be listed by themselves, as 169.254.169.254/32. weir's own listeners are always refused.",
      ),
  ),
  retries: integer(2, 0, 10, 'Further endpoints tried before the first body byte.'),
  connectTimeout: duration('1s', '10ms', '1h', 'Deadline for a connection.'),
  firstByteTimeout: duration('5s', '10ms', '1h', 'Deadline from the request to the first body byte.'),
  idleTimeout: duration('30s', '10ms', '24h', 'Longest silence within a body.'),
  keepAliveTimeout: duration('4s', '1ms', '1h', 'How long an idle connection to an endpoint is kept.'),
  connections: integer(
    1024,
    1,
    65535,
    'Connections to one service address at most; further requests are answered 503.',
  ),
});
