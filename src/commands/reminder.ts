// Tells an operator what a command waits for, when that takes long.

import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import { awaitedRegistry } from './where.js';

/** Milliseconds. */
const slowMs = 3_000;

/** Tells unless what is returned is called before. */
export function remindOf(awaited: ReturnType<typeof awaitedRegistry>, tell: (text: string) => void): () => void {
  const reminder = setTimeout(() => tell(`nothing heard from ${awaited.name} yet; ${awaited.advice}`), slowMs);
  return () => clearTimeout(reminder);
}

/** Waits for the first word of the registry. */
export async function remindWhile<T>(waiting: Promise<T>, config: Config, logger: Logger): Promise<T> {
  const heard = remindOf(awaitedRegistry(config), (text) => logger.warn(text));
  return await waiting.finally(heard);
}
