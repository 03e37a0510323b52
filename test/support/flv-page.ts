// A page with mpegts.js players in headless Chromium, served from another origin than the edge.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { packageRoot } from '../../src/package.js';

export interface PlayerState {
  /** Position in seconds of the media. */
  readonly time: number;
  readonly frames: number;
  /** Error events of mpegts.js. */
  readonly errors: readonly string[];
  /** The longest time that the position stood still after it first moved, in ms. */
  readonly freeze: number;
  /** ms that it stood still in all. */
  readonly frozen: number;
}

export interface FlvPage {
  /** The state of every player, in the order of the URLs. */
  states(): Promise<PlayerState[]>;
  close(): Promise<void>;
}

const html = '<!doctype html><meta charset="utf-8"><script src="/mpegts.js"></script><body></body>';

/** Runs in the page: players for the URLs, and a sampler of their positions. */
const script = `(urls) => {
  window.players = urls.map((url) => {
    const video = document.body.appendChild(document.createElement('video'));
    video.muted = true;
    const state = { time: 0, frames: 0, errors: [], freeze: 0, frozen: 0 };
    const player = mpegts.createPlayer({ type: 'flv', isLive: true, url }, { enableWorker: false });
    player.on(mpegts.Events.ERROR, (type, detail, info) => state.errors.push(type + ' ' + detail + ' ' + JSON.stringify(info)));
    player.on(mpegts.Events.LOADING_COMPLETE, () => state.errors.push('the stream ended'));
    player.attachMediaElement(video);
    player.load();
    video.play().catch((error) => state.errors.push(String(error)));
    let movedAt = 0;
    let sampledAt = performance.now();
    setInterval(() => {
      const now = performance.now();
      if (video.currentTime > state.time) {
        state.time = video.currentTime;
        movedAt = now;
      } else if (movedAt > 0) {
        state.freeze = Math.max(state.freeze, now - movedAt);
        state.frozen += now - sampledAt;
      }
      sampledAt = now;
      state.frames = video.getVideoPlaybackQuality().totalVideoFrames;
    }, 50);
    return state;
  });
}`;

/** Opens a player for each URL, http or ws. */
export async function openFlvPage(urls: readonly string[]): Promise<FlvPage> {
  const library = readFileSync(`${packageRoot}node_modules/mpegts.js/dist/mpegts.js`);
  const server = createServer((request, response) => {
    const isLibrary = request.url === '/mpegts.js';
    response.writeHead(200, { 'content-type': isLibrary ? 'text/javascript' : 'text/html' });
    response.end(isLibrary ? library : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-gpu'],
  });
  const close = async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(`(${script})(${JSON.stringify(urls)})`);
    return { states: () => page.evaluate('window.players') as Promise<PlayerState[]>, close };
  } catch (error) {
    await close();
    throw error;
  }
}
