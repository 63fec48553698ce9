/* A crowd of readers: opens thousands of WebSockets from one process and says when each of them heard what.

   It answers pings, counts what it is sent, and never does more than it must, so that what is measured is the server:
   every answer says how much of its own time was used.

   Commands, a line each on standard input; each has one answer, a line of JSON:
     join PORT COUNT SOURCES IN_FLIGHT HEX  opens COUNT readers from 127.0.0.2 on, at most IN_FLIGHT at a time, with the
                                        request HEX, in which 21 x `K` are replaced by the reader's number, and 6 x `N`
                                        by that of the page it reads
     arm                                forgets what was heard
     heard COUNT SECONDS                waits until COUNT readers have heard an announcement since `arm`
     acknowledge MILLISECONDS           from now on each reader answers each announcement it hears, `rendered`, a random
                                        part of that time later; 0 ends it. Says how many were sent so far
     beat MILLISECONDS                  from now on pings through the first reader so often; 0 ends it, and says how long
                                        the slowest answer took
     leave                              closes all
   Times are seconds of CLOCK_MONOTONIC, which all processes share. Ends when standard input does.
   benchmarks/crowd.py is the same in Python, for machines without a compiler. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, LINE = 1 << 16, CHUNK = 1 << 17, REQUEST = 4096 };
enum { PAGES = 200 }; /* on which readers are */
enum { STDIN = -1, BEAT = -2 }; /* in place of a reader's number */
enum state { GONE, CONNECTING, ASKED, OPEN };

struct reader {
    int fd;
    enum state state;
    unsigned char *rest; /* of a frame that is not complete */
    size_t have;
    double heard_at;
    double answer_at, told_at; /* when it will acknowledge what it heard; 0: not at all */
    char answered[26]; /* the id of that */
};

static struct reader *readers;
static int wanted, begun, finished, refused, lost, in_flight, heard, pings, epoll, beat_timer;
static struct sockaddr_in server;
static int sources;
static char request[REQUEST];
static size_t request_size, key_at, number_at;
static double began, worst_beat, cpu_began, first_cpu, last_cpu;
static unsigned char message[1 << 16]; /* the announcement that was heard first */
static size_t message_size;
static int hold_ms, acknowledged, to_acknowledge;
static double next_look;

static double clock_of(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now(void) { return clock_of(CLOCK_MONOTONIC); }
static double cpu(void) { return clock_of(CLOCK_PROCESS_CPUTIME_ID); }

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int fd, int number, uint32_t events, int how) {
    struct epoll_event event = {.events = events, .data.fd = number};
    if (epoll_ctl(epoll, how, fd, &event)) fail("epoll_ctl");
}

/* -- joining */

static void end(struct reader *reader) {
    if (reader->state == OPEN) lost++;
    else refused++, finished++;
    reader->state = GONE;
    close(reader->fd);
}

static void begin_one(void) {
    int number = begun++, on = 1;
    struct reader *reader = &readers[number];
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + number % sources)};
    reader->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (reader->fd < 0) fail("socket");
    /* The port is chosen at connect, so that many connections can share one. */
    setsockopt(reader->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    reader->state = CONNECTING;
    if (bind(reader->fd, (struct sockaddr *)&from, sizeof from)) fail("bind");
    if (connect(reader->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        end(reader);
        return;
    }
    watch(reader->fd, number, EPOLLOUT, EPOLL_CTL_ADD);
}

static void ask(struct reader *reader, int number) {
    char digits[32];
    snprintf(digits, sizeof digits, "%021d", number);
    memcpy(request + key_at, digits, 21);
    snprintf(digits, sizeof digits, "%06d", number % PAGES);
    memcpy(request + number_at, digits, 6);
    if (send(reader->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size) {
        end(reader);
        return;
    }
    reader->state = ASKED;
    watch(reader->fd, number, EPOLLIN, EPOLL_CTL_MOD);
}

static void go_on_joining(void) {
    while (begun < wanted && begun - finished < in_flight) begin_one();
    if (wanted && finished == wanted) {
        double seconds = now() - began;
        printf("{\"joined\":%d,\"refused\":%d,\"seconds\":%.9f,\"busy\":%.4f}\n", finished - refused, refused, seconds,
               (cpu() - cpu_began) / seconds);
        wanted = 0;
    }
}

/* -- listening */

static void on_frame(struct reader *reader, unsigned char opcode, const unsigned char *payload, size_t size) {
    static const char announcement[] = "{\"type\":\"announcement\"";
    if (opcode == 0x9) { /* ping: answer with the same, masked with zeros */
        unsigned char pong[6 + 125] = {0x8a, (unsigned char)(0x80 | size)};
        memcpy(pong + 6, payload, size);
        send(reader->fd, pong, 6 + size, MSG_NOSIGNAL);
        pings++;
    } else if (opcode == 0xa && size == sizeof(double)) {
        double sent;
        memcpy(&sent, payload, size);
        if (now() - sent > worst_beat) worst_beat = now() - sent;
    } else if (opcode == 0x1 && size >= sizeof announcement && !memcmp(payload, announcement, sizeof announcement - 1)) {
        static const char id[] = "\"id\":\"";
        const unsigned char *at = memmem(payload, size, id, sizeof id - 1);
        if (hold_ms && at != NULL && at + sizeof id - 1 + sizeof reader->answered <= payload + size) {
            memcpy(reader->answered, at + sizeof id - 1, sizeof reader->answered);
            to_acknowledge += reader->answer_at == 0;
            reader->told_at = now();
            reader->answer_at = reader->told_at + hold_ms / 1000.0 * (rand() / (RAND_MAX + 1.0));
        }
        if (reader->heard_at == 0) {
            reader->heard_at = now();
            last_cpu = cpu();
            if (heard++ == 0) {
                first_cpu = last_cpu;
                memcpy(message, payload, message_size = size);
            }
        }
    }
}

static void acknowledge_due(void) {
    double at = now();
    if (to_acknowledge == 0 || at < next_look) return;
    next_look = at + 0.01;
    for (int i = 0; i < begun; i++) {
        struct reader *reader = &readers[i];
        if (reader->answer_at == 0 || reader->answer_at > at || reader->state != OPEN) continue;
        unsigned char frame[6 + 125] = {0x81};
        int size = snprintf((char *)frame + 6, 125,
                            "{\"type\":\"ack\",\"id\":\"%.26s\",\"revision\":1,\"did\":\"rendered\",\"waited\":%d}",
                            reader->answered, (int)((at - reader->told_at) * 1000));
        frame[1] = (unsigned char)(0x80 | size);
        send(reader->fd, frame, 6 + (size_t)size, MSG_NOSIGNAL);
        reader->answer_at = 0;
        to_acknowledge--;
        acknowledged++;
    }
}

/* Returns how much of `at` was whole frames. */
static size_t take_frames(struct reader *reader, const unsigned char *at, size_t size) {
    size_t taken = 0;
    while (size - taken >= 2) {
        const unsigned char *frame = at + taken;
        size_t head = 2, length = frame[1] & 0x7f;
        if (length == 126) {
            if (size - taken < 4) break;
            head = 4, length = (size_t)frame[2] << 8 | frame[3];
        } else if (length == 127)
            fail("a frame of more than 64 KiB");
        if (size - taken < head + length) break;
        on_frame(reader, frame[0] & 0x0f, frame + head, length);
        taken += head + length;
    }
    return taken;
}

/* Returns how much of `at` was the answer to the request, 0 if it is not complete. */
static size_t take_answer(struct reader *reader, const unsigned char *at, size_t size) {
    const unsigned char *blank = memmem(at, size, "\r\n\r\n", 4);
    if (blank == NULL) return 0;
    if (size < 13 || memcmp(at, "HTTP/1.1 101 ", 13)) {
        end(reader);
        return size;
    }
    reader->state = OPEN;
    finished++;
    return (size_t)(blank + 4 - at);
}

static void listen_to(struct reader *reader) {
    static unsigned char chunk[CHUNK];
    size_t have = reader->have, taken = 0;
    if (have) memcpy(chunk, reader->rest, have);
    ssize_t size = recv(reader->fd, chunk + have, sizeof chunk - have, 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        end(reader);
        return;
    }
    have += (size_t)size;
    if (reader->state == ASKED) taken = take_answer(reader, chunk, have);
    if (reader->state == OPEN) taken += take_frames(reader, chunk + taken, have - taken);
    reader->have = have - taken;
    if (reader->have) {
        reader->rest = realloc(reader->rest, reader->have);
        memcpy(reader->rest, chunk + taken, reader->have);
    }
}

static void beat(void) {
    unsigned char ping[6 + sizeof(double)] = {0x89, 0x80 | sizeof(double)};
    uint64_t times;
    double at = now();
    if (read(beat_timer, &times, sizeof times) < 0) return;
    memcpy(ping + 6, &at, sizeof at);
    send(readers[0].fd, ping, sizeof ping, MSG_NOSIGNAL);
}

/* -- commands */

static void forget_all(void) {
    for (int i = 0; i < begun; i++) {
        struct linger at_once = {.l_onoff = 1}; /* leaves nothing waiting in the kernel for the next round */
        if (readers[i].state != GONE) {
            setsockopt(readers[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            close(readers[i].fd);
        }
        free(readers[i].rest);
    }
    free(readers);
    readers = NULL;
    begun = finished = refused = lost = acknowledged = to_acknowledge = 0;
}

static void join(const char *line) {
    int port, end_of_numbers;
    forget_all();
    if (sscanf(line, "%d %d %d %d %n", &port, &wanted, &sources, &in_flight, &end_of_numbers) != 4) fail("join");
    const char *hex = line + end_of_numbers;
    request_size = strspn(hex, "0123456789abcdef") / 2;
    if (request_size >= sizeof request) fail("a request that long");
    for (size_t i = 0; i < request_size; i++) sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&request[i]);
    request[request_size] = 0;
    char *key = strstr(request, "KKKKKKKKKKKKKKKKKKKKK"), *number = strstr(request, "NNNNNN");
    if (key == NULL || number == NULL) fail("a request without KKK… or NNN…");
    key_at = (size_t)(key - request), number_at = (size_t)(number - request);
    server = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    readers = calloc((size_t)wanted, sizeof *readers);
    cpu_began = cpu();
    began = now();
}

static void arm(void) {
    for (int i = 0; i < begun; i++) readers[i].heard_at = 0;
    heard = 0;
    printf("{\"readers\":%d,\"lost\":%d,\"pings\":%d}\n", begun - refused - lost, lost, pings);
}

static void tell_heard(void) {
    double first = 1e300, last = 0;
    for (int i = 0; i < begun; i++)
        if (readers[i].heard_at != 0) {
            if (readers[i].heard_at < first) first = readers[i].heard_at;
            if (readers[i].heard_at > last) last = readers[i].heard_at;
        }
    printf("{\"busy\":%.4f,\"at\":[", last > first ? (last_cpu - first_cpu) / (last - first) : 0.0);
    for (int i = 0, any = 0; i < begun; i++)
        if (readers[i].heard_at != 0) printf("%s%.7f", any++ ? "," : "", readers[i].heard_at);
    printf("],\"message\":\"");
    for (size_t i = 0; i < message_size; i++) printf("%02x", message[i]);
    printf("\"}\n");
}

static void set_beat(int milliseconds) {
    struct itimerspec period = {{milliseconds / 1000, milliseconds % 1000 * 1000000L},
                                {milliseconds / 1000, milliseconds % 1000 * 1000000L}};
    timerfd_settime(beat_timer, 0, &period, NULL);
    printf("{\"worst\":%.9f}\n", worst_beat);
    if (milliseconds) worst_beat = 0;
}

static int wait_count;
static double wait_until;

static void command(const char *line) {
    if (!strncmp(line, "join ", 5)) join(line + 5);
    else if (!strncmp(line, "arm", 3)) arm();
    else if (!strncmp(line, "acknowledge ", 12)) {
        hold_ms = atoi(line + 12);
        printf("{\"acknowledged\":%d}\n", acknowledged);
    } else if (!strncmp(line, "beat ", 5)) set_beat(atoi(line + 5));
    else if (!strncmp(line, "heard ", 6)) {
        double seconds;
        if (sscanf(line + 6, "%d %lf", &wait_count, &seconds) != 2) fail("heard");
        wait_until = now() + seconds;
    } else if (!strncmp(line, "leave", 5)) {
        forget_all();
        printf("{}\n");
    } else
        fail("an unknown command");
}

/* Returns whether there will be more. */
static int listen_to_commands(void) {
    static char line[LINE];
    static size_t have;
    ssize_t size = read(STDIN_FILENO, line + have, sizeof line - 1 - have);
    if (size <= 0) return 0;
    have += (size_t)size;
    line[have] = 0;
    char *end_of_line;
    while ((end_of_line = strchr(line, '\n')) != NULL) {
        *end_of_line = 0;
        command(line);
        have -= (size_t)(end_of_line + 1 - line);
        memmove(line, end_of_line + 1, have + 1);
    }
    return 1;
}

int main(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    epoll = epoll_create1(EPOLL_CLOEXEC);
    beat_timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    watch(STDIN_FILENO, STDIN, EPOLLIN, EPOLL_CTL_ADD);
    watch(beat_timer, BEAT, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, wait_count || to_acknowledge ? 10 : -1);
        for (int i = 0; i < ready; i++) {
            int number = events[i].data.fd;
            if (number == STDIN) {
                if (!listen_to_commands()) return 0;
            } else if (number == BEAT)
                beat();
            else if (number >= begun || readers[number].state == GONE)
                continue;
            else if (readers[number].state == CONNECTING)
                ask(&readers[number], number);
            else
                listen_to(&readers[number]);
        }
        if (wanted) go_on_joining();
        acknowledge_due();
        if (wait_count && (heard >= wait_count || now() > wait_until)) {
            wait_count = 0;
            tell_heard();
        }
        fflush(stdout);
    }
}
