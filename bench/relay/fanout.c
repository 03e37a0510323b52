// The bare loop: what the least possible server does for the viewers of one stream, which is one send per viewer and
// window. The limit that the relay is measured against, and the origin of every other contestant.
//
//   fanout PORT WINDOW_MS BITS_PER_SECOND
//
// Prints the port it listens on. A viewer starts at the next keyframe. Ends with whoever started it.

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

// A viewer for whom more than this waits is closed.
enum { MAX_FD = 65536, ROOM = 8 << 20, MOST_WAITING = 1 << 20 };

struct viewer {
  int state;  // 0: none, 1: request awaited, 2: keyframe awaited, 3: watching
  uint8_t *rest;  // what the kernel did not take, sent before anything else
  size_t rest_size, rest_sent;
};

static struct viewer viewers[MAX_FD];
static int highest;
static uint8_t payload[ROOM], framed[ROOM + 64], from_key[ROOM + 64];
static const char head[] =
    "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

static void leave(int fd) {
  close(fd);
  free(viewers[fd].rest);
  memset(&viewers[fd], 0, sizeof viewers[fd]);
}

static int keep_rest(struct viewer *v, const uint8_t *data, size_t size) {
  size_t left = v->rest_size - v->rest_sent;
  if (left + size > MOST_WAITING) return -1;
  uint8_t *rest = malloc(left + size);
  if (rest == NULL) return -1;
  if (left > 0) memcpy(rest, v->rest + v->rest_sent, left);
  memcpy(rest + left, data, size);
  free(v->rest);
  v->rest = rest;
  v->rest_size = left + size;
  v->rest_sent = 0;
  return 0;
}

static void deliver(int fd, const uint8_t *data, size_t size) {
  struct viewer *v = &viewers[fd];
  if (v->rest != NULL) {
    ssize_t sent = send(fd, v->rest + v->rest_sent, v->rest_size - v->rest_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) v->rest_sent += (size_t)sent;
    if (v->rest_sent < v->rest_size) {
      if (keep_rest(v, data, size) < 0) leave(fd);
      return;
    }
    free(v->rest);
    v->rest = NULL;
    v->rest_size = v->rest_sent = 0;
  }
  ssize_t sent = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == (ssize_t)size) return;
  if (sent < 0 && errno != EAGAIN) {
    leave(fd);
    return;
  }
  if (sent < 0) sent = 0;
  if (keep_rest(v, data + sent, size - (size_t)sent) < 0) leave(fd);
}

static size_t chunk(uint8_t *out, const uint8_t *data, size_t size) {
  size_t at = (size_t)sprintf((char *)out, "%zx\r\n", size);
  memcpy(out + at, data, size);
  memcpy(out + at + size, "\r\n", 2);
  return at + size + 2;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: fanout PORT WINDOW_MS BITS_PER_SECOND\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  uint64_t window = strtoull(argv[2], NULL, 10) * 1000;

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4096) < 0) {
    perror("listen");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);

  int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);

  struct stream stream;
  stream_init(&stream, (unsigned)strtoul(argv[3], NULL, 10));
  uint64_t next = now_us() + window;
  for (;;) {
    uint64_t now = now_us();
    if (now >= next) {
      next += window;
      if (next < now) next = now + window;
      long key;
      size_t size = stream_due(&stream, payload, ROOM, &key);
      if (size == 0) continue;
      size_t framed_size = chunk(framed, payload, size);
      size_t key_size = key < 0 ? 0 : chunk(from_key, payload + key, size - (size_t)key);
      for (int fd = 0; fd <= highest; fd++) {
        if (viewers[fd].state == 3) {
          deliver(fd, framed, framed_size);
        } else if (viewers[fd].state == 2 && key >= 0) {
          viewers[fd].state = 3;
          deliver(fd, from_key, key_size);
        }
      }
      continue;
    }
    int ready = epoll_wait(poller, events, 256, (int)((next - now + 999) / 1000));
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int viewer;
        while ((viewer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          if (viewer >= MAX_FD) {
            close(viewer);
            continue;
          }
          setsockopt(viewer, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
          viewers[viewer].state = 1;
          if (viewer > highest) highest = viewer;
          event.events = EPOLLIN;
          event.data.fd = viewer;
          epoll_ctl(poller, EPOLL_CTL_ADD, viewer, &event);
        }
        continue;
      }
      char request[8192];
      ssize_t got = read(fd, request, sizeof request);
      if (got <= 0) {
        if (got == 0 || errno != EAGAIN) leave(fd);
        continue;
      }
      // A request comes in one piece on loopback.
      if (viewers[fd].state != 1) continue;
      uint8_t begin[1024], first[2048];
      size_t size = sizeof head - 1;
      memcpy(first, head, size);
      size += chunk(first + size, begin, stream_header(begin));
      viewers[fd].state = 2;
      deliver(fd, first, size);
    }
  }
}
