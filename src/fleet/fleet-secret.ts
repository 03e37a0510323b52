// The secret that all edges of a fleet sign with: the first one makes it in ZooKeeper, once and for all, and the others read it.

import { FleetError, type FleetSession } from './session.js';

const shape = /^[0-9a-f]{64}$/;
/** ms until it is tried again. */
const retryMs = 5_000;

export interface FleetSecretOptions {
  readonly session: Pick<FleetSession, 'get' | 'create' | 'subscribe'>;
  readonly path: string;
  /** 64 hexadecimal digits that nobody can guess. */
  readonly make: () => string;
  /** Called once. */
  readonly known: (secret: string) => void;
  /** What stands there is none, or nobody may read it. */
  readonly refused: (reason: string) => void;
}

/** Reads the secret, or makes it, as soon as there is a connection. @returns ends it */
export function followFleetSecret({ session, path, make, known, refused }: FleetSecretOptions): () => void {
  let isOver = false;
  let isTrying = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    if (isOver || isTrying) return;
    isTrying = true;
    clearTimeout(timer);
    try {
      const secret = await readOrMake(session, path, make);
      if (isOver) return;
      if (!shape.test(secret)) throw new Error(`${path} holds no secret of a fleet`);
      isOver = true;
      known(secret);
    } catch (error) {
      if (!(error instanceof FleetError && error.kind === 'lost')) refused((error as Error).message);
      timer = setTimeout(() => void look(), retryMs).unref();
    } finally {
      isTrying = false;
    }
  };
  const unsubscribe = session.subscribe(({ kind }) => {
    if (kind === 'connected') void look();
  });
  return () => {
    isOver = true;
    clearTimeout(timer);
    unsubscribe();
  };
}

async function readOrMake(session: FleetSecretOptions['session'], path: string, make: () => string): Promise<string> {
  const there = await session.get(path);
  if (there !== undefined) return there.data;
  const made = make();
  try {
    await session.create(path, made, 'persistent');
    return made;
  } catch (error) {
    // Another edge was first.
    if (!(error instanceof FleetError && error.kind === 'exists')) throw error;
    const other = await session.get(path);
    // The server that this edge is at has not seen it yet: it is asked again.
    if (other === undefined) throw new FleetError('lost', path);
    return other.data;
  }
}
