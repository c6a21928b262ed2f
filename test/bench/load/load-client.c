// The load of the delivery bench: any number of HTTP readers in one thread. Bulk readers discard data in the kernel, so
// the load costs little compared with what is measured; checked readers check every packet: sync, continuity counters,
// and the timestamps of the feed. load-client.ts is the equivalent for machines without a C compiler.
//
//   load-client URL      reads commands from stdin, one per line; URL is http://127.0.0.1:PORT/PATH
//     open N RATE        N more bulk readers, RATE per second (0: at once)
//     check N            N more checked readers
//     late N             N more checked readers that also stop reading at `stall`
//     churn RATE MS S    for S seconds, RATE bulk readers per second join, each leaves after MS
//     stall / resume     bulk and late readers stop reading, resume
//     buffer BYTES       receive buffer of new readers
//     close              all disconnect
//     mark               prints what was measured since the previous mark, as one line of JSON
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKET 188
#define PIDS 8192
#define NULL_PID 8191
#define STAMP_PID 8190
#define MAX_HEAD 8192
#define EVENTS 512
#define MAX_READERS 65536
#define MAX_SAMPLES (1 << 20)
#define SWEEP_NS 10000000u

struct checker {
  uint8_t rest[PACKET];
  size_t rest_length;
  int8_t counters[PIDS];      // -1: not seen
};

struct reader {
  int fd;
  int is_late, has_begun, is_swept;
  uint64_t start_ns, last_ns, leave_ns;
  size_t head_length;
  char head[MAX_HEAD];
  struct checker *checker;    // NULL: bulk
};

struct samples {
  float *values;
  size_t count;
};

static struct sockaddr_in server;
static char request[512];
static struct reader *readers[MAX_READERS];
static size_t reader_count;
static int poll_fd, receive_buffer, is_stalled;
static uint64_t bytes, lost, refused, counter_errors, sync_errors, worst_gap_ns, begun;
static struct samples first_bytes, latencies;
static double open_left, open_rate, open_due, churn_rate, churn_due;
static uint64_t churn_life_ns, churn_end_ns, last_tick_ns;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(struct samples *samples, uint64_t ns) {
  if (samples->values == NULL && (samples->values = malloc(MAX_SAMPLES * sizeof(float))) == NULL) fail("malloc");
  if (samples->count < MAX_SAMPLES) samples->values[samples->count++] = (float)((double)ns / 1e6);
}

static void dial(uint64_t leave_ns, int is_checked, int is_late) {
  if (reader_count == MAX_READERS) return;
  struct reader *reader = calloc(1, sizeof *reader);
  if (reader == NULL) fail("calloc");
  reader->start_ns = now_ns();
  reader->leave_ns = leave_ns;
  reader->is_late = is_late || !is_checked;
  if (is_checked) {
    if ((reader->checker = calloc(1, sizeof *reader->checker)) == NULL) fail("calloc");
    memset(reader->checker->counters, -1, sizeof reader->checker->counters);
  }
  reader->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (reader->fd < 0) fail("socket");
  if (receive_buffer > 0) setsockopt(reader->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (connect(reader->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) fail("connect");
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = reader};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, reader->fd, &event) < 0) fail("epoll_ctl");
  readers[reader_count++] = reader;
}

// Closes the reader and marks it; the next sweep removes it from the list.
static void leave(struct reader *reader, uint64_t *why) {
  if (reader->fd < 0) return;
  if (why != NULL) (*why)++;
  close(reader->fd);
  reader->fd = -1;
}

static void check_packet(struct checker *checker, const uint8_t *packet, uint64_t now) {
  if (packet[0] != 0x47) {
    sync_errors++;
    return;
  }
  int pid = (packet[1] & 0x1f) << 8 | packet[2], counter = packet[3] & 15;
  if (pid == STAMP_PID) {
    uint64_t stamp = 0;
    for (int i = 0; i < 8; i++) stamp = stamp << 8 | packet[4 + i];
    note(&latencies, now - stamp);
    return;
  }
  if (pid == NULL_PID) return;
  int has_field = (packet[3] & 0x20) && packet[4] > 0, is_marked = has_field && (packet[5] & 0x80);
  int last = checker->counters[pid], expected = packet[3] & 0x10 ? (last + 1) & 15 : last;
  if (last >= 0 && !is_marked && counter != expected) counter_errors++;
  checker->counters[pid] = (int8_t)counter;
}

static void check(struct checker *checker, const uint8_t *at, size_t length, uint64_t now) {
  while (length > 0) {
    if (checker->rest_length == 0 && length >= PACKET) {
      check_packet(checker, at, now);
      at += PACKET;
      length -= PACKET;
      continue;
    }
    size_t part = PACKET - checker->rest_length;
    if (part > length) part = length;
    memcpy(checker->rest + checker->rest_length, at, part);
    checker->rest_length += part;
    at += part;
    length -= part;
    if (checker->rest_length < PACKET) continue;
    check_packet(checker, checker->rest, now);
    checker->rest_length = 0;
  }
}

static void count(struct reader *reader, size_t got, uint64_t now) {
  bytes += got;
  if (now - reader->last_ns > worst_gap_ns) worst_gap_ns = now - reader->last_ns;
  reader->last_ns = now;
}

// From the request to the first byte of the body.
static void read_head(struct reader *reader) {
  ssize_t got = recv(reader->fd, reader->head + reader->head_length, MAX_HEAD - 1 - reader->head_length, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    leave(reader, &refused);
    return;
  }
  uint64_t now = now_ns();
  reader->head_length += (size_t)got;
  char *end = memmem(reader->head, reader->head_length, "\r\n\r\n", 4);
  if (end == NULL) {
    if (reader->head_length == MAX_HEAD - 1) leave(reader, &refused);
    return;
  }
  if (strncmp(reader->head, "HTTP/1.1 200", 12) != 0) {
    leave(reader, &refused);
    return;
  }
  size_t body = reader->head_length - (size_t)(end + 4 - reader->head);
  if (body == 0) {
    reader->head_length = (size_t)(end + 4 - reader->head);
    return;
  }
  note(&first_bytes, now - reader->start_ns);
  begun++;
  reader->has_begun = 1;
  reader->last_ns = now;
  bytes += body;
  if (reader->checker != NULL) {
    check(reader->checker, (uint8_t *)end + 4, body, now);
    struct epoll_event event = {.events = 0, .data.ptr = reader};
    if (is_stalled && reader->is_late) epoll_ctl(poll_fd, EPOLL_CTL_MOD, reader->fd, &event);
    return;
  }
  reader->is_swept = 1;
  epoll_ctl(poll_fd, EPOLL_CTL_DEL, reader->fd, NULL);
}

static void read_checked(struct reader *reader) {
  static uint8_t buffer[256 * 1024];
  ssize_t got = recv(reader->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    leave(reader, &lost);
    return;
  }
  uint64_t now = now_ns();
  count(reader, (size_t)got, now);
  check(reader->checker, buffer, (size_t)got, now);
}

static void discard(struct reader *reader, uint64_t now) {
  for (;;) {
    ssize_t got = recv(reader->fd, NULL, 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      leave(reader, &lost);
      return;
    }
    count(reader, (size_t)got, now);
    if (got < 1 << 20) return;
  }
}

// Reads what bulk readers have received, disconnects those whose time is up, and frees those that have left.
static void sweep(void) {
  uint64_t now = now_ns();
  size_t kept = 0;
  for (size_t i = 0; i < reader_count; i++) {
    struct reader *reader = readers[i];
    if (reader->fd >= 0 && reader->leave_ns != 0 && now >= reader->leave_ns) leave(reader, NULL);
    if (reader->fd >= 0 && reader->is_swept && !is_stalled) discard(reader, now);
    if (reader->fd >= 0) readers[kept++] = reader;
    else {
      free(reader->checker);
      free(reader);
    }
  }
  reader_count = kept;
}

static void take_event(struct reader *reader, uint32_t events) {
  if (reader->fd < 0) return;
  if (events & EPOLLOUT) {
    if (send(reader->fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
      leave(reader, &refused);
      return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, reader->fd, &event);
  }
  if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return;
  if (!reader->has_begun) read_head(reader);
  else if (!(is_stalled && reader->is_late)) read_checked(reader);
}

static void watch_late(int is_watched) {
  for (size_t i = 0; i < reader_count; i++) {
    struct reader *reader = readers[i];
    if (reader->fd < 0 || !reader->is_late || reader->checker == NULL) continue;
    struct epoll_event event = {.events = is_watched ? EPOLLIN : 0, .data.ptr = reader};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, reader->fd, &event);
    reader->last_ns = now_ns();
  }
}

static void dial_due(uint64_t now) {
  double seconds = (double)(now - last_tick_ns) / 1e9;
  last_tick_ns = now;
  open_due = open_rate > 0 ? open_due + seconds * open_rate : open_left;
  for (; open_left >= 1 && open_due >= 1; open_left--, open_due--) dial(0, 0, 0);
  if (open_left < 1) open_due = 0;
  if (now >= churn_end_ns) return;
  churn_due += seconds * churn_rate;
  for (; churn_due >= 1; churn_due--) dial(now + churn_life_ns, 0, 0);
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void print_samples(const char *name, struct samples *samples) {
  size_t n = samples->count;
  if (n > 0) qsort(samples->values, n, sizeof(float), by_value);
  double p50 = n > 0 ? samples->values[n / 2] : 0, p99 = n > 0 ? samples->values[n * 99 / 100] : 0;
  printf("\"%s\":{\"count\":%zu,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f},", name, n, p50, p99,
         n > 0 ? samples->values[n - 1] : 0);
  samples->count = 0;
}

static void print_mark(void) {
  uint64_t now = now_ns();
  size_t reading = 0;
  for (size_t i = 0; i < reader_count; i++) {
    struct reader *reader = readers[i];
    if (reader->fd < 0 || !reader->has_begun) continue;
    reading++;
    if (!(is_stalled && reader->is_late) && now - reader->last_ns > worst_gap_ns) worst_gap_ns = now - reader->last_ns;
  }
  printf("{\"atMs\":%.3f,\"bytes\":%llu,\"readers\":%zu,\"reading\":%zu,\"begun\":%llu,", (double)now / 1e6,
         (unsigned long long)bytes, reader_count, reading, (unsigned long long)begun);
  print_samples("firstByteMs", &first_bytes);
  print_samples("latencyMs", &latencies);
  printf("\"worstGapMs\":%.1f,\"lost\":%llu,\"refused\":%llu,\"counterErrors\":%llu,\"syncErrors\":%llu}\n",
         (double)worst_gap_ns / 1e6, (unsigned long long)lost, (unsigned long long)refused,
         (unsigned long long)counter_errors, (unsigned long long)sync_errors);
  fflush(stdout);
  bytes = lost = refused = counter_errors = sync_errors = worst_gap_ns = begun = 0;
}

static void obey(const char *line) {
  double a = 0, b = 0, c = 0;
  uint64_t now = now_ns();
  last_tick_ns = now;
  if (sscanf(line, "open %lf %lf", &a, &b) == 2) open_left += a, open_rate = b;
  else if (sscanf(line, "check %lf", &a) == 1) while (a-- >= 1) dial(0, 1, 0);
  else if (sscanf(line, "late %lf", &a) == 1) while (a-- >= 1) dial(0, 1, 1);
  else if (sscanf(line, "churn %lf %lf %lf", &a, &b, &c) == 3) {
    churn_rate = a;
    churn_life_ns = (uint64_t)(b * 1e6);
    churn_end_ns = now + (uint64_t)(c * 1e9);
  } else if (sscanf(line, "buffer %lf", &a) == 1) receive_buffer = (int)a;
  else if (strcmp(line, "stall") == 0) is_stalled = 1, watch_late(0);
  else if (strcmp(line, "resume") == 0) {
    is_stalled = 0;
    for (size_t i = 0; i < reader_count; i++) readers[i]->last_ns = now;
    watch_late(1);
  } else if (strcmp(line, "close") == 0) {
    open_left = 0;
    churn_end_ns = 0;
    for (size_t i = 0; i < reader_count; i++) leave(readers[i], NULL);
    sweep();
  } else if (strcmp(line, "mark") == 0) {
    sweep();
    print_mark();
  } else fprintf(stderr, "load-client: %s?\n", line);
}

static void read_commands(void) {
  static char line[1024];
  static size_t length;
  ssize_t got = read(0, line + length, sizeof line - 1 - length);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) exit(0);
  length += (size_t)got;
  line[length] = 0;
  for (char *end; (end = strchr(line, '\n')) != NULL;) {
    *end = 0;
    obey(line);
    length -= (size_t)(end + 1 - line);
    memmove(line, end + 1, length + 1);
  }
}

int main(int argc, char **argv) {
  int port;
  char path[256] = "/";
  if (argc != 2 || sscanf(argv[1], "http://127.0.0.1:%d%255s", &port, path) < 1) {
    fprintf(stderr, "usage: load-client http://127.0.0.1:PORT/PATH\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
  fcntl(0, F_SETFL, O_NONBLOCK);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
  if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &event) < 0) fail("epoll");
  uint64_t next_sweep = last_tick_ns = now_ns();
  for (;;) {
    uint64_t now = now_ns();
    dial_due(now);
    if (now >= next_sweep) {
      sweep();
      next_sweep = now + SWEEP_NS;
    }
    int is_dialling = open_left >= 1 || now < churn_end_ns;
    int timeout = reader_count == 0 && !is_dialling ? -1 : is_dialling ? 1 : (int)((next_sweep - now) / 1000000u) + 1;
    int count = epoll_wait(poll_fd, events, EVENTS, timeout), has_commands = 0;
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) has_commands = 1;
      else take_event(events[i].data.ptr, events[i].events);
    }
    // A command may free readers that later events refer to.
    if (has_commands) read_commands();
  }
}
