// A swarm of viewers that checks what it gets: HTTP framing (chunked, or until the end) or WebSocket messages, FLV
// framing, timestamps that never step back within a track, video frames that are missing; and that measures bytes,
// latency and the time from the request to the first keyframe.
//
//   swarm PORT PATH VIEWERS PER_SECOND WARMUP_S DURATION_S http|websocket
//
// Prints {"event":"steady"} when all viewers watch and the warm-up is over, and the result as one JSON line at the end.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "stream.h"

enum framing { RAW, CHUNKED, WEBSOCKET };
enum state { HEAD, FRAME_HEAD, BODY, CHUNK_END };
enum { BUFFER = 1 << 20, LATENCY_STEPS = 20000, PEEK = 32 };

struct viewer {
  int fd;
  uint8_t state, framing, watching, stepped_back;
  uint64_t asked_us;
  // HTTP and WebSocket framing
  char head[512];
  unsigned head_size;
  uint64_t left;  // of the chunk or message
  // FLV framing
  uint8_t peek[PEEK];  // beginning of a tag: header and the first bytes of the body
  unsigned peeked;
  uint64_t tag_left;  // of the tag beyond what was peeked
  unsigned body;
  uint8_t file[13], file_head, tail[4];
  unsigned tail_size;
  uint32_t last[2];
  uint8_t seen[2];
  uint64_t last_frame;
  uint64_t bytes;
};

static struct viewer *viewers;
static long count, connected, watching, lost, framing_errors, back_steps, missing_frames, gaps;
static uint64_t total_bytes, total_tags, latency[LATENCY_STEPS + 1], latency_max, joins[LATENCY_STEPS + 1], join_max;
static int measuring;
static char first_error[600];

static void fail(struct viewer *v, const char *why) {
  if (framing_errors++ == 0) snprintf(first_error, sizeof first_error, "viewer %ld: %s", (long)(v - viewers), why);
  close(v->fd);
  v->fd = -1;
}

static void record(uint64_t *table, uint64_t *max, uint64_t us) {
  uint64_t step = us / 100;
  table[step > LATENCY_STEPS ? LATENCY_STEPS : step]++;
  if (us > *max) *max = us;
}

static void tag_begun(struct viewer *v, uint64_t now) {
  int type = v->peek[0] & 0x1f;
  uint32_t timestamp = (uint32_t)get_be(v->peek + 4, 3) | (uint32_t)v->peek[7] << 24;
  total_tags++;
  if (type != AUDIO && type != VIDEO) return;
  int track = type == VIDEO;
  if (v->seen[track] && (int32_t)(timestamp - v->last[track]) < 0) back_steps++;
  v->seen[track] = 1;
  v->last[track] = timestamp;
  if (type != VIDEO || v->body < 21 || v->peek[12] != 1) return;
  uint64_t frame = get_be(v->peek + 24, 8);
  if (!v->watching) {
    if (v->peek[11] != 0x17) {
      fail(v, "the first video frame is no keyframe");
      return;
    }
    v->watching = 1;
    watching++;
    record(joins, &join_max, now - v->asked_us);
  } else if (frame != v->last_frame + 1) {
    gaps++;
    missing_frames += (long)(frame - v->last_frame - 1);
  }
  v->last_frame = frame;
  if (measuring) record(latency, &latency_max, now - get_be(v->peek + 16, 8));
}

// Consumes FLV bytes; false when the stream was wrong.
static int flv(struct viewer *v, const uint8_t *data, size_t size, uint64_t now) {
  v->bytes += size;
  total_bytes += size;
  while (size > 0) {
    if (v->file_head < 13) {
      size_t n = 13u - v->file_head < size ? 13u - v->file_head : size;
      memcpy(v->file + v->file_head, data, n);
      v->file_head = (uint8_t)(v->file_head + n);
      data += n;
      size -= n;
      if (v->file_head == 13 && memcmp(v->file, "FLV\1\5\0\0\0\11\0\0\0\0", 13) != 0) return fail(v, "no FLV header"), 0;
      continue;
    }
    if (v->tag_left > 0) {
      // The last four bytes are the size again.
      size_t n = v->tag_left < size ? v->tag_left : size;
      uint64_t after = v->tag_left - n;
      if (after < 4) {
        for (uint64_t i = v->tag_left <= 4 ? 0 : v->tag_left - 4; i < n; i++) v->tail[v->tail_size++] = data[i];
      }
      v->tag_left = after;
      data += n;
      size -= n;
      if (after == 0) {
        if (get_be(v->tail, 4) != v->body + 11) return fail(v, "wrong PreviousTagSize"), 0;
        v->peeked = v->tail_size = 0;
      }
      continue;
    }
    unsigned want = 11;
    if (v->peeked >= 11) want = 11 + (v->body < PEEK - 11 ? v->body : PEEK - 11);
    size_t n = want - v->peeked < size ? want - v->peeked : size;
    memcpy(v->peek + v->peeked, data, n);
    v->peeked += (unsigned)n;
    data += n;
    size -= n;
    if (v->peeked < want) continue;
    if (want == 11) {
      int type = v->peek[0];
      v->body = (unsigned)get_be(v->peek + 1, 3);
      if (type != AUDIO && type != VIDEO && type != 18) return fail(v, "not a tag"), 0;
      if (v->body == 0) return fail(v, "an empty tag"), 0;
      continue;
    }
    tag_begun(v, now);
    if (v->fd < 0) return 0;
    v->tag_left = 11 + v->body - v->peeked + 4;
    v->tail_size = 0;
  }
  return 1;
}

static int head_done(struct viewer *v) {
  v->head[v->head_size] = 0;
  if (memcmp(v->head, "HTTP/1.1 101", 12) == 0) v->framing = WEBSOCKET;
  else if (memcmp(v->head, "HTTP/1.1 200", 12) == 0) v->framing = strcasestr(v->head, "\nTransfer-Encoding: chunked") ? CHUNKED : RAW;
  else return fail(v, v->head), 0;
  v->state = v->framing == RAW ? BODY : FRAME_HEAD;
  v->left = UINT64_MAX;
  v->head_size = 0;
  return 1;
}

// Length of the frame whose header is in v->head, -1 when it is not complete, -2 when it is wrong.
static int64_t frame_length(struct viewer *v) {
  const uint8_t *h = (const uint8_t *)v->head;
  if (v->framing == CHUNKED) {
    if (v->head[v->head_size - 1] != '\n') return v->head_size > 20 ? -2 : -1;
    char *end;
    long long size = strtoll(v->head, &end, 16);
    return end != v->head && *end == '\r' ? size : -2;
  }
  if (h[0] != 0x82) return -2;
  if (v->head_size < 2) return -1;
  unsigned need = h[1] < 126 ? 2 : h[1] == 126 ? 4 : 10;
  if (v->head_size < need) return -1;
  return need == 2 ? h[1] : (int64_t)get_be(h + 2, (int)need - 2);
}

static void receive(struct viewer *v, const uint8_t *data, size_t size, uint64_t now) {
  while (size > 0 && v->fd >= 0) {
    if (v->state == BODY) {
      size_t n = v->left < size ? (size_t)v->left : size;
      if (!flv(v, data, n, now)) return;
      data += n;
      size -= n;
      if (v->framing == RAW) continue;
      v->left -= n;
      if (v->left == 0) v->state = v->framing == CHUNKED ? CHUNK_END : FRAME_HEAD;
      v->head_size = 0;
      continue;
    }
    if (v->head_size >= sizeof v->head - 1) return fail(v, "a head without an end");
    v->head[v->head_size++] = (char)*data++;
    size--;
    if (v->state == HEAD) {
      if (v->head_size >= 4 && memcmp(v->head + v->head_size - 4, "\r\n\r\n", 4) == 0 && !head_done(v)) return;
    } else if (v->state == CHUNK_END) {
      if (v->head_size < 2) continue;
      if (v->head[0] != '\r' || v->head[1] != '\n') return fail(v, "a chunk without its end");
      v->state = FRAME_HEAD;
      v->head_size = 0;
    } else {
      int64_t length = frame_length(v);
      if (length == -2) return fail(v, "wrong chunk or message header");
      if (length == 0) return fail(v, "the stream ended");
      if (length > 0) {
        v->left = (uint64_t)length;
        v->state = BODY;
        v->head_size = 0;
      }
    }
  }
}

static double percentile(const uint64_t *table, double share) {
  uint64_t all = 0, sum = 0;
  for (int i = 0; i <= LATENCY_STEPS; i++) all += table[i];
  for (int i = 0; i <= LATENCY_STEPS; i++) {
    sum += table[i];
    if (all > 0 && (double)sum >= share * (double)all) return i / 10.0;
  }
  return 0;
}

static int join_swarm(int poller, long index, int port, const char *request, size_t size) {
  struct viewer *v = &viewers[index];
  // Several source addresses: ephemeral ports of one are short.
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index % 8))};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int yes = 1;
  v->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(v->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (bind(v->fd, (struct sockaddr *)&from, sizeof from) < 0 || connect(v->fd, (struct sockaddr *)&to, sizeof to) < 0) {
    perror("connect");
    return -1;
  }
  v->asked_us = now_us();
  if (send(v->fd, request, size, MSG_NOSIGNAL) != (ssize_t)size) return -1;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};
  return epoll_ctl(poller, EPOLL_CTL_ADD, v->fd, &event);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: swarm PORT PATH VIEWERS PER_SECOND WARMUP_S DURATION_S http|websocket\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int port = atoi(argv[1]);
  count = atol(argv[3]);
  uint64_t pace = 1000000u / (uint64_t)atol(argv[4]);
  uint64_t warmup = (uint64_t)(atof(argv[5]) * 1e6), duration = (uint64_t)(atof(argv[6]) * 1e6);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  char request[1024];
  int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", argv[2],
                      strcmp(argv[7], "websocket") == 0
                          ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          : "");
  viewers = calloc((size_t)count, sizeof *viewers);
  static uint8_t buffer[BUFFER];
  int poller = epoll_create1(0);
  struct epoll_event events[512];
  uint64_t next = now_us(), all_watch = 0, steady = 0, bytes_before = 0, deadline = now_us() + 120000000u;
  double cpu_before = 0;
  for (;;) {
    uint64_t now = now_us();
    while (connected < count && now >= next) {
      if (join_swarm(poller, connected, port, request, (size_t)size) < 0) return 1;
      connected++;
      next += pace;
    }
    if (all_watch == 0 && watching + framing_errors + lost >= count) all_watch = now;
    if (all_watch == 0 && now > deadline) {
      fprintf(stderr, "swarm: %ld of %ld viewers watch after 120 s\n", watching, count);
      return 1;
    }
    if (all_watch != 0 && steady == 0 && now - all_watch >= warmup) {
      steady = now;
      measuring = 1;
      bytes_before = total_bytes;
      cpu_before = cpu_seconds();
      printf("{\"event\":\"steady\"}\n");
      fflush(stdout);
    }
    if (steady != 0 && now - steady >= duration) break;
    int ready = epoll_wait(poller, events, 512, connected < count ? 1 : 50);
    now = now_us();
    for (int i = 0; i < ready; i++) {
      struct viewer *v = events[i].data.ptr;
      if (v->fd < 0) continue;
      ssize_t got = recv(v->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) {
        receive(v, buffer, (size_t)got, now);
      } else if (got == 0 || errno != EAGAIN) {
        lost++;
        close(v->fd);
        v->fd = -1;
      }
    }
  }
  double seconds = (double)(now_us() - steady) / 1e6;
  printf("{\"event\":\"result\",\"viewers\":%ld,\"watching\":%ld,\"lost\":%ld,\"framing_errors\":%ld,\"first_error\":\"", count,
         watching, lost, framing_errors);
  for (const char *c = first_error; *c; c++) putchar(*c < ' ' || *c == '"' || *c == '\\' ? ' ' : *c);
  printf("\",\"back_steps\":%ld,\"gaps\":%ld,\"missing_frames\":%ld,\"seconds\":%.3f,\"bytes_per_second\":%.0f,", back_steps,
         gaps, missing_frames, seconds, (double)(total_bytes - bytes_before) / seconds);
  printf("\"latency_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},", percentile(latency, 0.5), percentile(latency, 0.99),
         (double)latency_max / 1000);
  printf("\"join_ms\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},\"swarm_cpu\":%.3f}\n", percentile(joins, 0.5),
         percentile(joins, 0.99), (double)join_max / 1000, (cpu_seconds() - cpu_before) / seconds);
  return framing_errors + back_steps + lost > 0 ? 3 : 0;
}
