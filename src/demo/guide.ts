// Pure: the instructions of the demo: what to open, what to look at, what to kill.

export interface GuideFacts {
  /** `http://host:port` of the page, the data and the admin listener. */
  readonly page: string;
  readonly data: string;
  readonly admin: string;
  readonly channels: readonly string[];
  /** In words. */
  readonly registry: string;
  readonly origins: readonly { readonly name: string; readonly pid: number | undefined; readonly address: string }[];
  readonly restartSeconds: number;
}

/** The text that the demo prints when everything runs. */
export function guide(facts: GuideFacts): string {
  const { page, data, admin, channels, registry, origins, restartSeconds } = facts;
  const [channel = ''] = channels;
  const stream = `${data}/live/${channel}`;
  return [
    '',
    `weir demo: ${origins.length} origins, each with the channels ${channels.join(', ')}; registry: ${registry}`,
    '',
    'Open in a browser',
    `  ${page}/`,
    'or in VLC, ffplay, mpv',
    `  ffplay ${stream}.m3u8`,
    `  ffplay ${stream}.flv`,
    `  ${stream.replace(/^http/, 'ws')}.flv   (WebSocket)`,
    '',
    'Look at',
    `  ${admin}/api/v1/channels/${channel}/explain   which origin is picked, and why`,
    `  ${admin}/api/v1/snapshot   what the registry holds`,
    `  ${admin}/metrics   for Prometheus`,
    '',
    `Kill an origin and watch the player (it is started again after ${restartSeconds} s)`,
    ...origins.map(({ name, pid, address }) => `  kill -9 ${pid ?? '(ended)'}   # ${name}, http://${address}`),
    '',
    'Ctrl-C ends all of it.',
    '',
  ].join('\n');
}
