// Pure: what was seen of a ZooKeeper and of the tree in it, as findings with what to do.

import { type Acl, rights } from '../zookeeper-client.js';
import type { ServerAnswer } from './four-letter.js';

/** `bad`: something needs doing. `note`: worth knowing. */
export interface Finding {
  readonly check: 'servers' | 'ensemble' | 'session' | 'rights' | 'limits' | 'clock' | 'nodes';
  readonly state: 'ok' | 'note' | 'bad';
  readonly found: string;
  /** What to do. */
  readonly advice?: string;
}

const ok = (check: Finding['check'], found: string): Finding => ({ check, state: 'ok', found });
const note = (check: Finding['check'], found: string, advice: string): Finding => {
  return { check, state: 'note', found, advice };
};
const bad = (check: Finding['check'], found: string, advice: string): Finding => ({
  check,
  state: 'bad',
  found,
  advice,
});

export interface SeenServer {
  readonly name: string;
  readonly answer: ServerAnswer;
}

function serverFinding({ name, answer }: SeenServer): Finding {
  switch (answer.kind) {
    case 'unreachable':
      return bad(
        'servers',
        `${name}: ${answer.why}`,
        'start it, open its port to this machine, or take it out of the list',
      );
    case 'idle':
      return bad(
        'servers',
        `${name} is up and serves nobody: it is part of no quorum`,
        'look at its log, start the others',
      );
    case 'off':
      return note(
        'servers',
        `${name} is in reach, and tells neither version nor mode`,
        'allow the four-letter word: 4lw.commands.whitelist=srvr',
      );
    case 'serves': {
      const [major = 0, minor = 0] = answer.version.split('.').map(Number);
      const found = `${name}: ${answer.version}, ${answer.mode}`;
      if (major > 3 || (major === 3 && minor >= 5)) return ok('servers', found);
      return note('servers', found, 'from 3.5 on, the server removes channels that are empty; here they stay');
    }
  }
}

/** @param configured the lines of the ensemble's own configuration; undefined where it tells none */
export function serverFindings(
  servers: readonly SeenServer[],
  unresolved: readonly string[],
  configured: readonly string[] | undefined,
): Finding[] {
  const findings = unresolved.map((why) => bad('servers', why, 'correct the name, or its entry in the DNS'));
  findings.push(...servers.map(serverFinding));
  const members = (configured ?? []).filter((line) => line.startsWith('server.') && !line.includes(':observer'));
  const given = servers.length;
  if (members.length === 0) {
    const standalone = servers.some(({ answer }) => answer.kind === 'serves' && answer.mode === 'standalone');
    if (standalone) findings.push(note('ensemble', 'one server alone', 'three servers outlive the loss of one'));
  } else if (given < members.length) {
    const found = `the ensemble has ${members.length} servers, and registry.zookeeper.servers names ${given}`;
    findings.push(
      bad('ensemble', found, 'name all of them, or the one that is named takes the others along when it ends'),
    );
  } else if (members.length % 2 === 0) {
    findings.push(note('ensemble', `${members.length} servers`, 'one fewer outlives as many losses'));
  } else findings.push(ok('ensemble', `${members.length} servers`));
  return findings;
}

/** Milliseconds asked for and given. */
export function sessionFinding(askedMs: number, givenMs: number): Finding {
  if (askedMs === givenMs) return ok('session', `a session of ${givenMs / 1000} s`);
  const found = `a session of ${givenMs / 1000} s, though ${askedMs / 1000} s were asked for`;
  const longer =
    'an origin that dies stays registered for so long: set minSessionTimeout or tickTime of the servers lower';
  const shorter = 'a pause of the network that is longer ends sessions: set maxSessionTimeout of the servers higher';
  return givenMs > 2 * askedMs
    ? bad('session', found, longer)
    : note('session', found, givenMs > askedMs ? longer : shorter);
}

export interface SeenRoot {
  readonly path: string;
  readonly state: 'there' | 'missing' | 'no_auth';
  /** undefined: they may not be read. */
  readonly acl: readonly Acl[] | undefined;
  /** USER of the credentials; undefined: there are none. */
  readonly user: string | undefined;
  /** What came of making and removing a node in it; undefined: it was not tried. */
  readonly scratch: { readonly error: string | undefined } | undefined;
}

const structural = rights.create | rights.delete;

/** What the rights of the root mean for origins, and what to do. */
export function rightsFindings({ path, state, acl, user, scratch }: SeenRoot): Finding[] {
  if (state === 'missing') {
    return [
      note(
        'rights',
        `${path} is not there`,
        'the first registration makes it; or registry.zookeeper.root or trees name another',
      ),
    ];
  }
  if (state === 'no_auth') {
    return [
      bad(
        'rights',
        `${path} may not be read`,
        'give everybody the right to read it, or set registry.zookeeper.credentials',
      ),
    ];
  }
  const findings: Finding[] = [];
  const isOpen = acl?.some(({ scheme, perms }) => scheme === 'world' && (perms & structural) !== 0) ?? false;
  const own = acl?.find(({ scheme, auth, perms }) => {
    return scheme === 'digest' && auth.startsWith(`${user}:`) && (perms & structural) === structural;
  });
  if (isOpen && user === undefined) {
    findings.push(
      note(
        'rights',
        `everybody may add and remove below ${path}`,
        'with registry.zookeeper.credentials, what is made belongs to them',
      ),
    );
  } else if (isOpen) {
    findings.push(
      bad(
        'rights',
        `everybody may add and remove below ${path}, though there are credentials`,
        `in zkCli.sh: addauth digest USER:PASSWORD, then setAcl ${path} auth::cdrwa,world:anyone:r`,
      ),
    );
  } else if (user !== undefined && own === undefined && acl !== undefined) {
    findings.push(
      bad(
        'rights',
        `${path} does not name ${user} as one who may add and remove`,
        'let its owner add these credentials to the ACL',
      ),
    );
  } else
    findings.push(ok('rights', `${path} may be read${user === undefined ? '' : `, and ${user} may add and remove`}`));
  if (scratch?.error !== undefined) {
    findings.push(
      bad(
        'rights',
        `making and removing a node below ${path} failed: ${scratch.error}`,
        'registering fails too: set registry.zookeeper.credentials, or the ACL',
      ),
    );
  } else if (scratch !== undefined) findings.push(ok('rights', `a node below ${path} was made and removed`));
  return findings;
}

/** Milliseconds that clocks may differ by before log lines and reports are hard to compare. */
const maxSkewMs = 5_000;

/** @param skewMs server's clock minus ours; undefined: it was not measured */
export function clockFinding(skewMs: number | undefined, newestMtime: number, now: number): Finding {
  if (skewMs !== undefined && Math.abs(skewMs) <= maxSkewMs)
    return ok('clock', `within ${Math.abs(Math.round(skewMs))} ms of ours`);
  if (skewMs !== undefined) {
    const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
    return bad(
      'clock',
      `the server's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`,
      'run NTP on both',
    );
  }
  const ahead = newestMtime - now;
  if (ahead <= maxSkewMs) return ok('clock', 'no node was changed in the future (--write measures it)');
  return bad(
    'clock',
    `a node was changed ${(ahead / 1000).toFixed(1)} s in the future`,
    'run NTP on the servers and here',
  );
}

export interface SeenTree {
  readonly channels: number;
  readonly endpoints: number;
  /** Paths of one packet after a reconnect. */
  readonly watched: { readonly bytes: number; readonly alarm: boolean };
  /** Nodes that are not used, and values that mean nothing, by reason, with some of their paths. */
  readonly faults: ReadonlyMap<string, { readonly count: number; readonly paths: readonly string[] }>;
}

const remedies: Readonly<Record<string, string>> = {
  no_auth: 'let everybody read it, or set registry.zookeeper.credentials',
  no_address: 'its data need an address: {"service_address":"HOST:PORT"}',
  bad_address: 'an address is HOST:PORT or an http(s) URL',
  bad_json: 'its data are cut or no JSON: let its program write it again',
  too_large: 'its data or name are too large for a registration',
};

/** Bytes that a server takes in one packet unless `jute.maxbuffer` says otherwise. */
const packetLimitBytes = 1_048_575;

/** The tree was not read, since ZooKeeper refused sessions. */
export interface MissingSessions {
  readonly missingSessions: { readonly open: number; readonly wanted: number /** Or empty. */; readonly why: string };
}

/** What the size and the contents of the tree mean, and what to do. */
export function treeFindings(seen: SeenTree | MissingSessions): Finding[] {
  if ('missingSessions' in seen) {
    const { open, wanted, why } = seen.missingSessions;
    const found = `the tree was not read: ${open} of ${wanted} sessions were opened${why === '' ? '' : ` (${why})`}`;
    return [bad('limits', found, 'raise maxClientCnxns on all servers: an edge needs as many from one address')];
  }
  const { channels, endpoints, watched, faults } = seen;
  const found = `the paths watched by a session take ${watched.bytes} of ${packetLimitBytes} bytes of a packet (jute.maxbuffer)`;
  const raise =
    'raise jute.maxbuffer on all servers, or use shorter names: a reconnect sends all of them in one packet';
  const limits = watched.alarm ? bad('limits', found, raise) : ok('limits', found);
  const findings = [limits, ok('nodes', `${channels} channels, ${endpoints} endpoints`)];
  for (const [reason, { count, paths }] of faults) {
    const advice = remedies[reason] ?? '`weir channels --explain PATH` says how a node is read';
    findings.push(bad('nodes', `${reason}: ${count}, such as ${paths.join(', ')}`, advice));
  }
  return findings;
}
