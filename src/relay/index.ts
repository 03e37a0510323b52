// The door of the relay: other parts of weir import only this file. Behind it:
//
//   relays    which streams there are, and how many there may be (`rooms`)
//   relay     one stream on its way from one pull to all its viewers
//   source/   keeps one live pull under a relay: which endpoint, whether its media is well, when to move to another
//   flv/      tags from bytes and back, one clock out of many, what a late joiner needs; pure, and knows nobody
//   audience/ the viewers: each batch is written to everybody, and whoever is slow skips or goes

export type { Framing } from './audience/frames.js';
export type { ViewerHooks } from './audience/viewer.js';
export { Relays, type RelaysTools, type Subscription } from './relays.js';
export { type RelayJson, relayJson } from './report.js';
export { relaysSettings } from './settings.js';
