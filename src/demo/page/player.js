// One video element and whichever player feeds it. Starts again after a failure, as a viewer would, and counts that.

/* global Hls, mpegts */

const restartAfterMs = 1000;

const reasonOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {(kind: 'info' | 'error', text: string) => void} say */
export function createPlayer(video, say) {
  /** Ends what plays now; undefined while nothing does. */
  let stopCurrent;
  let restartTimer;
  let source;
  let hls;
  const counts = { interruptions: 0, stalls: 0 };

  function end() {
    clearTimeout(restartTimer);
    stopCurrent?.();
    stopCurrent = undefined;
    hls = undefined;
  }

  function interrupted(why) {
    counts.interruptions += 1;
    say('error', `${why}; starting again`);
    end();
    restartTimer = setTimeout(start, restartAfterMs);
  }

  function startHls(url) {
    hls = new Hls({ liveSyncDurationCount: 2, maxLiveSyncPlaybackRate: 1.05 });
    hls.on(Hls.Events.ERROR, (_, data) => {
      if (data.fatal) interrupted(`HLS: ${data.details}`);
      else say('info', `HLS: ${data.details}`);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    const owned = hls;
    return () => owned.destroy();
  }

  function startFlv(url) {
    const player = mpegts.createPlayer(
      { type: 'flv', isLive: true, url },
      { enableStashBuffer: false, liveSync: true, liveSyncMaxLatency: 3, liveSyncTargetLatency: 1.5, lazyLoad: false },
    );
    player.on(mpegts.Events.ERROR, (type, detail) => interrupted(`FLV: ${type}, ${detail}`));
    player.on(mpegts.Events.LOADING_COMPLETE, () => interrupted('FLV: the stream ended'));
    player.attachMediaElement(video);
    player.load();
    return () => player.destroy();
  }

  function start() {
    end();
    try {
      stopCurrent = source.protocol === 'hls' ? startHls(source.url) : startFlv(source.url);
    } catch (error) {
      say('error', reasonOf(error));
      return;
    }
    // Refused only when the browser wants a click first; the controls are there for it.
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') say('info', 'press play');
    });
  }

  video.addEventListener('waiting', () => {
    if (stopCurrent === undefined || video.currentTime === 0) return;
    counts.stalls += 1;
    say('info', 'waiting for data');
  });
  mpegts.LoggingControl.enableAll = false;

  return {
    play(protocol, url) {
      source = { protocol, url };
      counts.interruptions = 0;
      counts.stalls = 0;
      say('info', `${protocol} ${url}`);
      start();
    },
    stop() {
      end();
      video.removeAttribute('src');
      video.load();
    },
    /** What to show, by name. */
    facts() {
      const { buffered, currentTime } = video;
      const ahead = buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
      const playing = !video.paused && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
      const idle = stopCurrent === undefined;
      return {
        State: idle ? 'stopped' : playing ? 'playing' : video.paused ? 'paused' : 'waiting',
        Position: `${currentTime.toFixed(1)} s`,
        Buffer: `${ahead.toFixed(1)} s`,
        ...(hls === undefined ? {} : { 'Behind live': `${hls.latency.toFixed(1)} s` }),
        Frames: `${video.getVideoPlaybackQuality().totalVideoFrames}`,
        Stalls: `${counts.stalls}`,
        Interruptions: `${counts.interruptions}`,
      };
    },
  };
}
