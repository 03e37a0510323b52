// The leader of a site: one of its edges, for what only one should do.

import type { Logger } from '../log.js';
import { Election } from './election.js';
import type { FleetSession } from './session.js';

export interface SiteLeaderOptions {
  readonly session: FleetSession;
  /** `fleet.root` */
  readonly root: string;
  /** `fleet.site` */
  readonly site: string;
  /** The edge, for who reads the election's nodes. */
  readonly name: string;
  readonly logger: Logger;
}

/** Stands for the leader of the site until it is closed. */
export function standForSite({ session, root, site, name, logger }: SiteLeaderOptions): Election {
  return new Election({
    session,
    folder: `${root}/elections/site-${site}`,
    data: JSON.stringify({ name, pid: process.pid }),
    changed(token) {
      if (token === undefined) logger.info({ site }, 'this edge leads its site no more');
      else logger.info({ site, token }, 'this edge leads its site');
    },
    refused: ({ message: reason }) =>
      logger.warn({ site, reason }, 'this edge cannot stand for the leader of its site'),
  });
}
