// Pure: takes an endpoint out of service and back, by the status in its registration.

import { read } from './decode.js';
import type { RegisteredNode } from './format.js';
import { parseJsonObject, setMembers } from './json-members.js';

export type StatusChange =
  | { readonly kind: 'set' /** What the node is to hold. */; readonly text: string }
  /** It has this status already. */
  | { readonly kind: 'same' }
  | { readonly kind: 'refused' /** In words. */; readonly why: string };

/** Only ChannelInfo has a status. All other bytes of the data stay as they are. */
export function changeStatus(node: RegisteredNode, status: 'draining' | 'live'): StatusChange {
  const { decoded, format } = read(node);
  if (decoded.kind === 'skipped') return { kind: 'refused', why: `it cannot be read (${decoded.reason})` };
  if (format !== 'weir') {
    const found = format === undefined ? 'it has no data' : `its format is ${format}`;
    return { kind: 'refused', why: `${found}, and only ChannelInfo has a status: whoever wrote it has to take it out` };
  }
  const text = new TextDecoder().decode(node.data);
  const now = parseJsonObject(text)?.['status'] ?? 'live';
  if (now === status) return { kind: 'same' };
  if (now === 'off' && status === 'draining') return { kind: 'refused', why: 'it is off already' };
  const next = setMembers(text, { status });
  return next === undefined ? { kind: 'refused', why: 'it is no JSON object' } : { kind: 'set', text: next };
}
