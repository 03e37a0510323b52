// The door of HLS: other parts of weir import only this file.

export type { Follower } from './cache/arriving-body.js';
export type { CachedObject } from './cache/cached-object.js';
export { type KeepingTerms, type KeepingTermsOf, objectTerms } from './cache/freshness.js';
export type { Load } from './cache/load.js';
export type { Lookup } from './cache/object-cache.js';
export { type Answer, answerOf, isNotModified } from './cache/respond.js';
export type { PlanDesk, PlanNews, PlanWatch } from './session/channel-plan.js';
export type { SessionState } from './session/handover.js';
export { createLentLoad } from './session/lent-load.js';
export type { ObjectAnswer } from './session/object-answer.js';
export type { PlayerRequest, PlaylistAnswer } from './session/player-request.js';
export type { SessionContext } from './session/session-context.js';
export { heldFactor } from './session/session-objects.js';
export { type HlsReport, HlsSessions } from './session/sessions.js';
export { machineSecret } from './url/pin-keys.js';
export { splitQuery } from './url/player-query.js';
