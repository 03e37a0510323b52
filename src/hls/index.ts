// The door of HLS: what the rest of the program may know of it.

export type { Follower } from './arriving-body.js';
export type { Lookup } from './cache.js';
export type { CachedObject, Load } from './cached-object.js';
export type { Terms, TermsOf } from './freshness.js';
export { createLentLoad } from './lent-load.js';
export { placeOf } from './listed.js';
export { type ObjectAnswer, unpinnedMaxAgeMs } from './object-answer.js';
export { machineSecret } from './pin-keys.js';
export type { PlayerRequest, PlaylistAnswer } from './player-request.js';
export { objectKey, parseQuery, partitionOf, readPin, targetOf } from './request.js';
export { type Answer, answerOf, isNotModified } from './respond.js';
export type { SessionContext } from './session-context.js';
export type { SessionState } from './session-state.js';
export { type HlsReport, HlsSessions } from './sessions.js';
