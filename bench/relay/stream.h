// The stream that the benchmark's origin and the bare loop send: 25 video frames a second, one keyframe in two seconds,
// 43 audio frames a second, framed as FLV. Every video frame carries its number and the time at which it was made, so
// that a viewer can measure latency and see what is missing. Timestamps follow CLOCK_MONOTONIC, which all processes of
// a machine share.
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <string.h>
#include <time.h>

enum { AUDIO = 8, VIDEO = 9, FPS = 25, GOP = 50, AUDIO_BODY = 180, KEYFRAME_SHARE = 6 };

static inline uint64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static inline void put_be(uint8_t *at, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static inline uint64_t get_be(const uint8_t *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
  return value;
}

static inline size_t put_tag(uint8_t *at, int type, uint32_t timestamp, const uint8_t *head, size_t head_size, size_t body) {
  at[0] = (uint8_t)type;
  put_be(at + 1, body, 3);
  put_be(at + 4, timestamp & 0xffffff, 3);
  at[7] = (uint8_t)(timestamp >> 24);
  put_be(at + 8, 0, 3);
  memset(at + 11, 0x5a, body);
  memcpy(at + 11, head, head_size);
  put_be(at + 11 + body, body + 11, 4);
  return body + 15;
}

struct stream {
  uint64_t start_us;
  uint64_t video_frames, audio_frames;
  size_t inter_body, key_body;
};

static inline void stream_init(struct stream *s, unsigned bits_per_second) {
  memset(s, 0, sizeof *s);
  s->start_us = now_us();
  size_t video = bits_per_second / 8 - 43 * (AUDIO_BODY + 15);
  s->inter_body = video * GOP / FPS / (GOP - 1 + KEYFRAME_SHARE) - 15;
  s->key_body = (s->inter_body + 15) * KEYFRAME_SHARE - 15;
}

// FLV header, then the two sequence headers.
static inline size_t stream_header(uint8_t *at) {
  static const uint8_t file[13] = {'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0};
  static const uint8_t avc[] = {0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1e, 0xff, 0xe0, 0};
  static const uint8_t aac[] = {0xaf, 0, 0x12, 0x10};
  memcpy(at, file, sizeof file);
  size_t size = sizeof file;
  size += put_tag(at + size, VIDEO, 0, avc, sizeof avc, sizeof avc);
  return size + put_tag(at + size, AUDIO, 0, aac, sizeof aac, sizeof aac);
}

// Appends all frames that are due. *keyframe: offset of the first keyframe in what was written, or -1.
static inline size_t stream_due(struct stream *s, uint8_t *at, size_t room, long *keyframe) {
  size_t size = 0;
  *keyframe = -1;
  for (;;) {
    uint64_t now = now_us();
    uint64_t video_due = s->start_us + s->video_frames * 1000000u / FPS;
    uint64_t audio_due = s->start_us + s->audio_frames * 1000000u / 43;
    if (size + s->key_body + 15 > room || (video_due > now && audio_due > now)) return size;
    if (audio_due < video_due) {
      static const uint8_t head[] = {0xaf, 1};
      size += put_tag(at + size, AUDIO, (uint32_t)((audio_due - s->start_us) / 1000), head, sizeof head, AUDIO_BODY);
      s->audio_frames++;
      continue;
    }
    int is_key = s->video_frames % GOP == 0;
    if (is_key && *keyframe < 0) *keyframe = (long)size;
    uint8_t head[21] = {is_key ? 0x17 : 0x27, 1, 0, 0, 0};
    put_be(head + 5, video_due, 8);
    put_be(head + 13, s->video_frames, 8);
    size_t body = is_key ? s->key_body : s->inter_body;
    size += put_tag(at + size, VIDEO, (uint32_t)((video_due - s->start_us) / 1000), head, sizeof head, body);
    s->video_frames++;
  }
}

#endif
