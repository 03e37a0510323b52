// Where this package lies and what it is called: the one place that knows how deep the compiled code is.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Absolute path of the package's root, with a slash at its end. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));

/** The version of this package. */
export const version: string = (JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as { version: string })
  .version;
