// The names of the formats, in the order in which they are tried.

/** All formats, the first one first. */
export const formatNames = [
  'weir',
  'spring-cloud',
  'curator',
  'serverset',
  'nerve',
  'metadata',
  'apisix',
  'plain',
  'dubbo',
  'name',
] as const;

export type FormatName = (typeof formatNames)[number];

/** Which formats the nodes of a tree may have; `auto`: any. A list changes nothing about their order. */
export type AllowedFormats = 'auto' | readonly FormatName[];
