// The reference of the delivery bench: what a plain C sender needs for the same work. One thread, epoll; the bytes of the
// stream are in memory once, every client is a cursor, and each batch takes one send() per client from the shared buffer.
// As in the product, batches are also cut at each key frame.
//
//   sender FILE.ts BITS_PER_SECOND BATCH_MS      listens on any port of 127.0.0.1 and prints it
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PACKET 188
#define MAX_HEAD 4096
#define EVENTS 256

struct client {
  int fd;
  int is_reading;         // its request has been read
  int is_blocked;         // waits for EPOLLOUT
  size_t head_length;
  uint64_t cursor;        // next byte of the endless stream to send
  struct client *next, *previous;
  char head[MAX_HEAD];
};

static uint8_t *stream;   // the file twice, so that no piece crosses the end
static uint64_t length;   // length of the file
static uint64_t head;     // bytes of the endless stream due so far
static struct client *clients;
static int poll_fd;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void read_stream(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) fail(path);
  length = (uint64_t)status.st_size / PACKET * PACKET;
  if (length == 0 || (stream = malloc(length * 2)) == NULL) fail(path);
  for (uint64_t at = 0; at < length;) {
    ssize_t got = read(fd, stream + at, length - at);
    if (got <= 0) fail(path);
    at += (uint64_t)got;
  }
  memcpy(stream + length, stream, length);
  close(fd);
}

static void watch(struct client *client, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  if (epoll_ctl(poll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0) fail("epoll_ctl");
}

static void forget(struct client *client) {
  close(client->fd);
  if (client->previous != NULL) client->previous->next = client->next;
  else clients = client->next;
  if (client->next != NULL) client->next->previous = client->previous;
  free(client);
}

// Sends cursor..head in one call; 0 if the client has disconnected and was freed.
static int send_on(struct client *client) {
  if (head - client->cursor > length) client->cursor = head - length;
  size_t wanted = head - client->cursor;
  if (wanted == 0) return 1;
  ssize_t sent = send(client->fd, stream + client->cursor % length, wanted, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) {
    forget(client);
    return 0;
  }
  if (sent > 0) client->cursor += (uint64_t)sent;
  int is_blocked = sent < (ssize_t)wanted;
  if (is_blocked != client->is_blocked) watch(client, is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
  client->is_blocked = is_blocked;
  return 1;
}

static void accept_all(int server) {
  for (;;) {
    int one = 1, fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) fail("calloc");
    client->fd = fd;
    client->next = clients;
    if (clients != NULL) clients->previous = client;
    clients = client;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
  }
}

static void read_request(struct client *client) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n";
  char discarded[1024];
  char *into = client->is_reading ? discarded : client->head + client->head_length;
  size_t room = client->is_reading ? sizeof discarded : MAX_HEAD - 1 - client->head_length;
  ssize_t got = recv(client->fd, into, room, MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN)) {
    forget(client);
    return;
  }
  if (got < 0 || client->is_reading) return;
  client->head_length += (size_t)got;
  if (strstr(client->head, "\r\n\r\n") == NULL) return;
  client->is_reading = 1;
  client->cursor = head;
  if (send(client->fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) forget(client);
}

static int open_server(void) {
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (server < 0 || bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, 4096) < 0) fail("listen");
  if (getsockname(server, (struct sockaddr *)&address, &size) < 0) fail("getsockname");
  printf("http://127.0.0.1:%d/\n", ntohs(address.sin_port));
  fflush(stdout);
  return server;
}

// random_access_indicator, ISO/IEC 13818-1 2.4.3.5, on the first PID that has any.
static int is_key_frame(const uint8_t *packet) {
  static int lead = -1;
  if (!(packet[3] & 0x20) || packet[4] == 0 || !(packet[5] & 0x40)) return 0;
  int pid = (packet[1] & 0x1f) << 8 | packet[2];
  if (lead < 0) lead = pid;
  return pid == lead;
}

// Bytes of the endless stream up to the next key frame after `head`, or to `due` if that comes first.
static uint64_t next_cut(uint64_t due) {
  uint64_t at = head + PACKET;
  while (at < due && !is_key_frame(stream + at % length)) at += PACKET;
  return at < due ? at : due;
}

static void send_batch(uint64_t due_bytes) {
  uint64_t due = due_bytes / PACKET * PACKET;
  while (head < due) {
    head = next_cut(due);
    for (struct client *client = clients, *next; client != NULL; client = next) {
      next = client->next;
      if (client->is_reading && !client->is_blocked) send_on(client);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: sender FILE.ts BITS_PER_SECOND BATCH_MS\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_stream(argv[1]);
  double bytes_per_ns = atof(argv[2]) / 8e9;
  uint64_t batch_ns = (uint64_t)atoi(argv[3]) * 1000000u, start = now_ns(), due = start + batch_ns;
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  int server = open_server();
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
  if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, server, &event) < 0) fail("epoll");
  for (;;) {
    uint64_t now = now_ns();
    if (now >= due) {
      send_batch((uint64_t)((double)(now - start) * bytes_per_ns));
      while (due <= now) due += batch_ns;
      continue;
    }
    int count = epoll_wait(poll_fd, events, EVENTS, (int)((due - now + 999999) / 1000000));
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (client == NULL) accept_all(server);
      else if ((events[i].events & EPOLLOUT) && !send_on(client)) continue;
      else if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_request(client);
    }
  }
}
