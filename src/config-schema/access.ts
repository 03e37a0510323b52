// The section `access`: who may play.

import { z } from 'zod';
import { parseCidr } from '../net-address.js';
import { file, reload, secret } from './kinds.js';

const keyShape = /^\s*[\w-]{1,32}:[^\s,]{16,256}(?:[\s,]+[\w-]{1,32}:[^\s,]{16,256}){0,31}\s*$/;

const networks = z
  .array(z.string().refine((value) => parseCidr(value) !== undefined, 'expected a network such as 10.0.0.0/8'))
  .max(10_000)
  .prefault([]);

/** The schema of the section `access`. */
export const access = reload(
  'live',
  z
    .strictObject({
      keysFile: file('A file with the keys that sign URLs.', '/etc/weir/access.keys'),
      keys: secret(
        'Keys that sign URLs, each as ID:SECRET, with spaces, commas or new lines between; a secret has 16 to 256 characters. With a key only signed URLs are played (`weir sign`); the first one signs, all are accepted. To change one, put the new one behind it, then in front, and take the old one out once its URLs have expired. Without: everybody may play.',
        'k1:Vh3oZ2qk7cPz0sYb',
        keyShape,
      ),
      parameter: z
        .string()
        .regex(/^[A-Za-z][\w-]{0,31}$/, 'expected letters, digits, - and _')
        .prefault('weir-token')
        .describe('The query parameter of a signed URL. No origin ever sees it.'),
      allow: networks.describe('Networks whose players alone may play; empty: all.'),
      deny: networks.describe('Networks whose players may not play, also where `allow` has them.'),
      open: z
        .array(z.string().min(1).max(1024))
        .max(1_000)
        .prefault([])
        .describe(
          'Channels that everybody may play although there are keys: names, or the beginning of names with * behind.',
        ),
    })
    .prefault({})
    .describe('Who may play.'),
);
