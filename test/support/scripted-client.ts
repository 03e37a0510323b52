// An upstream client whose answers the test sends, chunk by chunk.

import type { UpstreamClient, UpstreamHandler, UpstreamRequest } from '../../src/upstream/client.js';

/** One request to an endpoint. */
export interface ScriptedPull {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  aborted: boolean;
  /** Whoever asked wanted a pause. */
  paused: boolean;
  /** Sends bytes of a body, after a head where there was none. */
  send(...chunks: Buffer[]): void;
}

export class ScriptedClient implements UpstreamClient {
  readonly pulls: ScriptedPull[] = [];
  /** What a request throws at once, instead of being sent. */
  mistake: Error | undefined;

  send(request: UpstreamRequest, handler: UpstreamHandler) {
    if (this.mistake !== undefined) throw this.mistake;
    const pull = scriptedPull(request, handler);
    this.pulls.push(pull);
    return {
      resume: () => {
        pull.paused = false;
      },
      abort: () => {
        pull.aborted = true;
      },
    };
  }

  /** The last request that was not aborted. */
  get pull(): ScriptedPull {
    const pull = this.pulls.findLast(({ aborted }) => !aborted);
    if (pull === undefined) throw new Error('nothing is pulled');
    return pull;
  }
}

function scriptedPull(request: UpstreamRequest, handler: UpstreamHandler): ScriptedPull {
  let answered = false;
  const pull: ScriptedPull = {
    request,
    handler,
    aborted: false,
    paused: false,
    send(...chunks) {
      if (!answered) handler.onResponse(200, {});
      answered = true;
      for (const chunk of chunks) if (!pull.aborted && !handler.onData(chunk)) pull.paused = true;
    },
  };
  return pull;
}
