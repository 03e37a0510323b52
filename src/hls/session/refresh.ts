// Refreshes a playlist: asks the present endpoint, and others when it fails or has a problem, until one gives a playlist
// that can be served.

import { toWeirError, WeirError } from '../../errors.js';
import { errorOfStatus, judgeError, judgeStatus, outcomeOf } from '../../upstream/judge.js';
import { Trail } from '../../upstream/trail.js';
import type { Rendered } from '../presentation/rendered.js';
import { type Consequence, consequenceOf } from './blame.js';
import type { ChannelPlan } from './channel-plan.js';
import type { EndpointChoice, EndpointProblem } from './endpoint-choice.js';
import { type Inspected, type InspectionRequest, type InspectionTools, inspect } from './inspection.js';
import type { OriginLink } from './origin-link.js';
import { RefusedError, StatusError } from './playlist-loader.js';

/** The parts of the session that a refresh uses. */
export interface RefreshTools extends InspectionTools {
  readonly choice: EndpointChoice;
  /** undefined: the session goes on by itself. */
  readonly plan?: ChannelPlan | undefined;
}

export interface RefreshRequest extends InspectionRequest {
  /** Makes what an endpoint gave what players see. The endpoint is the session's by then. */
  readonly accept: (given: Inspected) => Rendered;
}

/**
 * Asks one endpoint after the other until one gives a playlist that can be used, and makes it the session's.
 *
 * @throws RefusedError when the answer is for the player who asked; StatusError when no endpoint has any more what was
 *   there; WeirError when none answered; what `accept` throws
 */
export async function refresh(tools: RefreshTools, request: RefreshRequest): Promise<Rendered> {
  const { choice } = tools;
  if (tools.plan !== undefined) await tools.plan.ready();
  const trail = new Trail((failed) => choice.attach(failed), tools.context.onRetry);
  /** It can be used, but has a problem: another endpoint may do better. */
  let ill: Inspected | undefined;
  let lastError: unknown;
  for (let attempt = 0; attempt <= tools.context.retries + 2; attempt += 1) {
    const planned = tools.plan?.present?.number;
    let link: OriginLink;
    try {
      link = trail.next();
    } catch (error) {
      lastError ??= error;
      break;
    }
    const { moves } = choice;
    let given: Inspected;
    try {
      given = await inspect(tools, request, link);
    } catch (error) {
      if (failEndpoint(tools, isKnown(request), link, error) === 'final') {
        if (ill !== undefined) abandon(choice, ill);
        throw error instanceof StatusError ? new RefusedError(error.status) : error;
      }
      lastError = error;
      trail.leave(link.server, asError(error));
      continue;
    }
    if (choice.moves !== moves && choice.current !== link) {
      // Another playlist of the session moved it meanwhile.
      link.release('abandoned');
      continue;
    }
    const { server } = link;
    if (given.problem !== undefined && (ill !== undefined || choice.hasAlternative([...trail.failed, server]))) {
      if (ill === undefined || ill.link.isReleased) ill = given;
      else abandon(choice, given);
      trail.leave(server, undefined);
      continue;
    }
    const agreed = await agreeOn(tools, request, given, planned);
    if (agreed === undefined || (choice.moves !== moves && choice.current !== link)) {
      abandon(choice, given);
      continue;
    }
    const problem = choice.current === ill?.link ? ill?.problem : undefined;
    if (ill !== undefined) abandon(choice, ill);
    return settle(tools, request, agreed, problem);
  }
  // Another playlist of the session may have left that endpoint meanwhile.
  if (ill !== undefined && !ill.link.isReleased) {
    const agreed = await agreeOn(tools, request, ill, tools.plan?.present?.number);
    if (agreed !== undefined && !ill.link.isReleased) return settle(tools, request, agreed, undefined);
  }
  throw refusalOf(lastError, isKnown(request));
}

/**
 * What the endpoint gave, once the plan of the channel says so.
 *
 * @param planned number of the period that the plan had when the endpoint was chosen
 * @returns undefined when the plan names another endpoint by now: the choice is to be made anew
 */
async function agreeOn(
  { timeline, plan }: RefreshTools,
  { presented }: RefreshRequest,
  given: Inspected,
  planned: number | undefined,
): Promise<Inspected | undefined> {
  if (given.proposal === undefined || plan === undefined) return given;
  const { link, proposal } = given;
  const isAstray = () => {
    const { present } = plan;
    return present !== undefined && present.number !== planned && present.source !== link.tag;
  };
  const agreed = await timeline.agree(proposal, () => presented.again(proposal), isAstray);
  return agreed === undefined ? undefined : { ...given, proposal: agreed };
}

function asError(error: unknown): WeirError {
  return error instanceof StatusError ? errorOfStatus(error.status, 'listed') : toWeirError(error);
}

/** True once an endpoint had the playlist: its absence is a failure from then on. */
function isKnown({ presented }: RefreshRequest): boolean {
  return presented.rendered !== undefined;
}

/** @param problem why the endpoint before is left, if it was not for its score */
function settle(
  { choice, timeline }: RefreshTools,
  { accept }: RefreshRequest,
  given: Inspected,
  problem: EndpointProblem | undefined,
): Rendered {
  if (choice.settle(given.link, problem)) timeline.enter(given.link.tag);
  return accept(given);
}

function abandon({ current }: EndpointChoice, { link }: Inspected): void {
  if (current !== link) link.release('abandoned');
}

/** next: another endpoint may be asked. final: what this one says is for the player who asked. */
function failEndpoint(
  { choice, tokens }: RefreshTools,
  known: boolean,
  link: OriginLink,
  error: unknown,
): 'next' | 'final' {
  const isStatus = error instanceof StatusError;
  const failure = isStatus ? error.status : toWeirError(error);
  const { leave, outcome } = known || !isStatus ? consequenceOf(failure, tokens.kind) : unknownPlaylist(error.status);
  if (leave) {
    choice.failed(link, isStatus ? 'missing' : 'upstream', outcome);
    return 'next';
  }
  // A path that a player made up must not move a session that works.
  if (choice.current === link) return 'final';
  link.release(isStatus ? 'success' : 'abandoned');
  const { fault, elsewhere } = isStatus ? judgeStatus(error.status, 'stream') : judgeError(toWeirError(error), 'asked');
  return choice.current === undefined && fault === 'player' && !elsewhere ? 'final' : 'next';
}

/** No endpoint ever gave this playlist: it may not exist. */
function unknownPlaylist(status: number): Consequence {
  const verdict = judgeStatus(status, 'asked');
  return { leave: verdict.elsewhere, outcome: outcomeOf(verdict) };
}

/** What the player hears when no endpoint gave it. */
function refusalOf(error: unknown, known: boolean): unknown {
  if (!(error instanceof StatusError) || known) return error ?? new WeirError('no_endpoint');
  if (judgeStatus(error.status, 'asked').elsewhere) return errorOfStatus(error.status, 'asked');
  return new RefusedError(error.status);
}
