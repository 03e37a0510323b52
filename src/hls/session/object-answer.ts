// An object (segment, initialisation section, key) that a player asked for: under which key and on which terms it is
// cached, and which request is made when it is not.

import type { WeirError } from '../../errors.js';
import type { CachedObject } from '../cache/cached-object.js';
import { objectTerms } from '../cache/freshness.js';
import type { Load } from '../cache/load.js';
import type { Lookup, OpenOptions } from '../cache/object-cache.js';
import { placeOf, targetOf } from '../url/cache-key.js';
import type { Pin } from '../url/pin.js';
import { readPin } from '../url/pin.js';
import type { PlayerQuery } from '../url/player-query.js';
import type { EndpointChoice } from './endpoint-choice.js';
import type { PlayerRequest } from './player-request.js';
import type { PlayerTokens } from './player-tokens.js';
import type { SessionContext } from './session-context.js';
import type { SessionObjects } from './session-objects.js';

/** What an object needs of the session that it belongs to. */
export interface ObjectOwner {
  readonly choice: EndpointChoice;
  readonly tokens: PlayerTokens;
  readonly objects: SessionObjects;
  /** It was not there, or ended short. @param failure a status, or the error that ended the request */
  objectFailed(target: string, failure: number | WeirError): void;
}

interface ObjectQuestion {
  readonly key: string;
  readonly target: string;
  readonly options: OpenOptions;
  /** Asked for as such, where the object is a byte range. */
  readonly range: string | undefined;
  /** The player's Range selects from the object. */
  readonly selects: boolean;
  /** The queries to try, the first one first. */
  readonly queries: readonly string[];
}

/** The object that the player means. It is asked for when it is neither cached nor on its way. */
export function openObject(
  owner: ObjectOwner,
  context: SessionContext,
  asked: PlayerRequest,
  query: PlayerQuery,
): ObjectAnswer {
  const { choice, tokens, objects } = owner;
  const pin = readPin(query.pin, context.keys);
  const range = pin?.ranged === true ? asked.range : undefined;
  const path = asked.stem + asked.suffix;
  const target = targetOf(path, query.pin, query.originQuery);
  const pinned = pin === undefined ? undefined : choice.endpointOf(pin.endpoint);
  const endpoint = pin === undefined ? choice.current?.pick.endpoint : pinned;
  const listed = objects.findListed(placeOf(target, range), pinned !== undefined);
  const isDead = pin !== undefined && pinned === undefined;
  const place =
    listed === undefined ? unlisted(objects, context, path, query, { pin, range, isDead }) : { ...listed, target };
  const queries = tokens.kind === 'lent' ? [...new Set([tokens.query, query.own])] : [query.own];
  const wanted = { ...place, range, selects: range === undefined, queries };
  return new ObjectAnswer(owner, context, wanted, endpoint?.address);
}

interface PinFacts {
  readonly pin: Pin | undefined;
  readonly range: string | undefined;
  /** No registered endpoint has the name in the pin. */
  readonly isDead: boolean;
}

/** An object that no playlist lists: only the player's request names it. */
function unlisted(
  objects: SessionObjects,
  { settings, metrics }: SessionContext,
  path: string,
  { pin: text, originQuery }: PlayerQuery,
  { pin, range, isDead }: PinFacts,
): Pick<ObjectQuestion, 'key' | 'target' | 'options'> {
  const problem = text !== '' && pin === undefined ? 'unknown' : isDead ? 'dead' : undefined;
  if (problem !== undefined) metrics.hlsPins.inc({ problem });
  const target = targetOf(path, problem === 'unknown' ? '' : text, originQuery);
  // The origin has one object of that name: what else a pin may say makes no second one.
  const { original = '', ranged = false } = pin ?? {};
  const at = pin === undefined || problem !== undefined ? 'anywhere' : `at ${pin.endpoint}`;
  const key = objects.keyOf(placeOf(`${path} ${at} ${original} ${ranged} ${originQuery}`, range));
  const terms = objectTerms(at === 'anywhere' ? 'unpinned' : 'pinned', settings);
  return { key, target, options: { terms } };
}

/** The object, and other ways to ask for it. The caller follows the object, or lets it arrive on its own. */
export class ObjectAnswer {
  readonly object: CachedObject;
  readonly lookup: Lookup;
  /** The address of the endpoint that has it, as far as that is known. */
  readonly endpoint: string | undefined;
  readonly #owner: ObjectOwner;
  readonly #context: SessionContext;
  readonly #wanted: ObjectQuestion;

  constructor(owner: ObjectOwner, context: SessionContext, wanted: ObjectQuestion, endpoint: string | undefined) {
    const { key, target, range, queries, options } = wanted;
    // Made where it is needed: what is here is asked for most.
    const load: Load = (conditions, handler) => owner.objects.loadWith(target, range, queries)(conditions, handler);
    const { object, lookup } = context.cache.open(key, load, options);
    this.object = object;
    this.lookup = lookup;
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#context = context;
    this.#wanted = wanted;
  }

  /** False when the object is the range that the player asked for. */
  get selects(): boolean {
    return this.#wanted.selects;
  }

  /** Its first asker may be refused where this player is not: `askAgain` asks with this player's own token. */
  get mayAskAgain(): boolean {
    return this.lookup === 'joined' && this.#owner.tokens.kind === 'lent';
  }

  askAgain(): ObjectAnswer {
    const { key, queries } = this.#wanted;
    const own = queries.at(-1) ?? '';
    return this.#again({ ...this.#wanted, key: `${key} ${own}`, queries: [own] });
  }

  /** That range alone, for an object that is too large to keep. */
  askRange(range: string | undefined): ObjectAnswer {
    return this.#again({ ...this.#wanted, key: `${this.#wanted.key} ${range}`, range, selects: false });
  }

  #again(wanted: ObjectQuestion): ObjectAnswer {
    return new ObjectAnswer(this.#owner, this.#context, wanted, this.endpoint);
  }

  /** Called at the end: what a playlist lists and its endpoint does not have is the endpoint's failure. */
  ended(): void {
    if (this.lookup !== 'miss') return;
    const { error, head } = this.object;
    const failure = error ?? head?.status ?? 0;
    if (typeof failure !== 'number' || failure >= 400) this.#owner.objectFailed(this.#wanted.target, failure);
  }
}
