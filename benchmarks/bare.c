/* The limit of the machine: the least a server can do for a reader, in C.

   Accepts, reads the request, answers 101 with the right key; on command, one `send` of the same bytes to every socket.
   No site, no reader, no ping, no limit. What it reaches is what the kernel lets a single thread reach.

   Listens on 127.0.0.1 and says {"port":N}. Commands, a line each on standard input:
     send HEX    sends the bytes to everybody; answers {"sent":N,"seconds":S}
   Ends when standard input does. benchmarks/bare.py is the same in Python, for machines without a compiler. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "accept_key.h"

enum { EVENTS = 512, BACKLOG = 4096, LINE = 1 << 17, MOST = 1 << 20 };

static int readers[MOST]; /* descriptors that have been answered */
static int place[MOST];   /* where a descriptor stands in `readers`, -1 if it does not */
static int count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, BACKLOG) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        fail("listen");
    printf("{\"port\":%d}\n", ntohs(address.sin_port));
    return listener;
}

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void forget(int fd) {
    if (place[fd] >= 0) {
        int last = readers[--count]; /* takes the place of the one that goes */
        readers[place[fd]] = last;
        place[last] = place[fd];
        place[fd] = -1;
    }
    close(fd);
}

static void answer(int fd) {
    static const char name[] = "Sec-WebSocket-Key: ";
    static char reply[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: 0123456789012345678901234567\r\n\r\n";
    char request[8192];
    ssize_t size = recv(fd, request, sizeof request - 1, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        forget(fd);
        return;
    }
    if (place[fd] >= 0) return; /* what a reader says later is read and ignored */
    request[size] = 0;
    char *key = strstr(request, name);
    if (key == NULL || strlen(key) < sizeof name - 1 + KEY_CHARACTERS) {
        forget(fd);
        return;
    }
    accept_key(key + sizeof name - 1, reply + sizeof reply - 1 - 4 - ACCEPT_CHARACTERS);
    if (send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL) < 0) {
        forget(fd);
        return;
    }
    place[fd] = count;
    readers[count++] = fd;
}

static void send_to_all(const char *hex) {
    static unsigned char frame[LINE / 2];
    size_t length = strspn(hex, "0123456789abcdef") / 2;
    for (size_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &frame[i]);
    int sent = 0;
    double began = now();
    for (int i = 0; i < count; i++) sent += send(readers[i], frame, length, MSG_NOSIGNAL) == (ssize_t)length;
    printf("{\"sent\":%d,\"seconds\":%.9f}\n", sent, now() - began);
}

/* Returns whether there will be more. */
static int command(void) {
    static char line[LINE];
    static size_t have;
    ssize_t size = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
    if (size <= 0) return 0;
    have += (size_t)size;
    line[have] = 0;
    char *end;
    while ((end = strchr(line, '\n')) != NULL) {
        if (strncmp(line, "send ", 5) == 0) send_to_all(line + 5);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have + 1);
    }
    return 1;
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(place, -1, sizeof place);

    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = open_port();
    watch(epoll, listener);
    watch(epoll, STDIN_FILENO);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                if (!command()) return 0;
            } else if (fd == listener) {
                while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) watch(epoll, fd);
            } else
                answer(fd);
        }
    }
}
