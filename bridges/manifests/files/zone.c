/* A zone to try the bridge on: an HTTP/1.1 service whose every request costs CPU time.
 *
 *   GET /work          spends WORK_MS of CPU time, or ms of /work?ms=12.5, then sends ANSWER_BYTES
 *   GET /metrics       Prometheus' text format
 *   GET /healthz       200; 503 once SIGTERM came, while requests are still answered
 *
 * CPU time is that of the thread, so that a container at its limit shows it as latency. Environment: ZONE (its name),
 * PORT (8080), WORK_MS (5), ANSWER_BYTES (1024), THREADS (64 connections at once), DRAIN_MS (2000). It opens no
 * file and needs no rights at all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MS = 2000, MOST_THREADS = 512, MOST_ANSWER = 1 << 16, REQUEST = 4096, PAGE = 16384 };

#define COUNT(array) (sizeof(array) / sizeof *(array))
static const double BOUNDS_S[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};

static struct {
    char name[64];
    double work_ms;
    int port, threads, answer_bytes, drain_ms;
} settings;

static struct {
    pthread_mutex_t lock;
    unsigned long answered, refused, sent_bytes, within[COUNT(BOUNDS_S) + 1];
    double latency_s, busy_s;
} totals = {.lock = PTHREAD_MUTEX_INITIALIZER};

static atomic_int connections, inflight;
static atomic_bool draining;

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double number(const char *name, double otherwise, double least, double most) {
    char *end, *text = getenv(name);
    if (!text || !*text) return otherwise;
    double value = strtod(text, &end);
    if (*end || !(value >= least && value <= most)) {
        fprintf(stderr, "zone: %s=%s: a number from %g to %g is needed\n", name, text, least, most);
        exit(2);
    }
    return value;
}

/* The name becomes a label: letters, digits, dots and dashes need no escaping. */
static void read_name(void) {
    const char *text = getenv("ZONE");
    if (!text || !*text) text = "zone";
    size_t plain = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    if (text[plain] || plain >= sizeof settings.name) {
        fprintf(stderr, "zone: ZONE: 1 to 63 letters, digits, dots and dashes are needed\n");
        exit(2);
    }
    strcpy(settings.name, text);
}

static void work(double ms, double arrived_s) {
    double spent_s, start_s = seconds(CLOCK_THREAD_CPUTIME_ID);
    volatile double sum = 0;
    while ((spent_s = seconds(CLOCK_THREAD_CPUTIME_ID) - start_s) < ms / 1e3)
        for (int round = 0; round < 1000; round++) sum = sum * 0.999 + round;
    double latency_s = seconds(CLOCK_MONOTONIC) - arrived_s;
    size_t bucket = 0;
    while (bucket < COUNT(BOUNDS_S) && latency_s > BOUNDS_S[bucket]) bucket++;
    pthread_mutex_lock(&totals.lock);
    totals.within[bucket]++;
    totals.answered++;
    totals.sent_bytes += (unsigned long)settings.answer_bytes;
    totals.latency_s += latency_s;
    totals.busy_s += spent_s;
    pthread_mutex_unlock(&totals.lock);
}

static int metrics(char *page) {
    const char *zone = settings.name;
    unsigned long sum = 0;
    int at = 0;
#define LINE(...) at += snprintf(page + at, (size_t)(PAGE - at), __VA_ARGS__)
#define FAMILY(name, kind, help) LINE("# HELP " name " " help "\n# TYPE " name " " kind "\n")
    pthread_mutex_lock(&totals.lock);
    FAMILY("zone_requests_total", "counter", "Requests by answer.");
    LINE("zone_requests_total{zone=\"%s\",code=\"200\"} %lu\n", zone, totals.answered);
    LINE("zone_requests_total{zone=\"%s\",code=\"503\"} %lu\n", zone, totals.refused);
    FAMILY("zone_request_seconds", "histogram", "From arrival to answer, seconds.");
    for (size_t bucket = 0; bucket < COUNT(BOUNDS_S); bucket++)
        LINE("zone_request_seconds_bucket{zone=\"%s\",le=\"%g\"} %lu\n", zone, BOUNDS_S[bucket],
             sum += totals.within[bucket]);
    LINE("zone_request_seconds_bucket{zone=\"%s\",le=\"+Inf\"} %lu\n", zone, totals.answered);
    LINE("zone_request_seconds_sum{zone=\"%s\"} %.9g\n", zone, totals.latency_s);
    LINE("zone_request_seconds_count{zone=\"%s\"} %lu\n", zone, totals.answered);
    FAMILY("zone_busy_seconds_total", "counter", "CPU time spent on requests, seconds.");
    LINE("zone_busy_seconds_total{zone=\"%s\"} %.9g\n", zone, totals.busy_s);
    FAMILY("zone_sent_bytes_total", "counter", "Bodies of answers, bytes.");
    LINE("zone_sent_bytes_total{zone=\"%s\"} %lu\n", zone, totals.sent_bytes);
    pthread_mutex_unlock(&totals.lock);
    FAMILY("zone_inflight", "gauge", "Requests being answered.");
    LINE("zone_inflight{zone=\"%s\"} %d\n", zone, atomic_load(&inflight));
    FAMILY("process_cpu_seconds_total", "counter", "CPU time of the process, seconds.");
    LINE("process_cpu_seconds_total %.9g\n", seconds(CLOCK_PROCESS_CPUTIME_ID));
    return at;
}

static bool send_all(int socket, const char *bytes, size_t left) {
    while (left) {
        ssize_t sent = send(socket, bytes, left, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        left -= (size_t)sent;
    }
    return true;
}

static bool answer(int socket, const char *status, const char *body, int length, bool keep) {
    static const char form[] = "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                               "Content-Length: %d\r\nConnection: %s\r\n\r\n";
    char head[256];
    int size = snprintf(head, sizeof head, form, status, length, keep ? "keep-alive" : "close");
    return send_all(socket, head, (size_t)size) && send_all(socket, body, (size_t)length);
}

/* The cost of a request in ms, or -1 where its query is none. */
static double cost(const char *query) {
    char *end;
    if (*query == ' ') return settings.work_ms;
    if (strncmp(query, "?ms=", 4)) return -1;
    double ms = strtod(query + 4, &end);
    return *end == ' ' && ms >= 0 && ms <= MOST_MS ? ms : -1;
}

static bool respond(int socket, const char *request, double arrived_s, bool keep) {
    static const char filling[MOST_ANSWER];
    char page[PAGE];
    double ms = strncmp(request, "GET /work", 9) ? -1 : cost(request + 9);
    if (ms >= 0) {
        atomic_fetch_add(&inflight, 1);
        work(ms, arrived_s);
        atomic_fetch_sub(&inflight, 1);
        return answer(socket, "200 OK", filling, settings.answer_bytes, keep);
    }
    if (!strncmp(request, "GET /work", 9)) return answer(socket, "400 Bad Request", "ms: 0 to 2000\n", 14, keep);
    if (!strncmp(request, "GET /metrics ", 13)) return answer(socket, "200 OK", page, metrics(page), keep);
    if (!strncmp(request, "GET /healthz ", 13) && draining)
        return answer(socket, "503 Service Unavailable", "draining\n", 9, keep);
    if (!strncmp(request, "GET /healthz ", 13)) return answer(socket, "200 OK", "ok\n", 3, keep);
    return answer(socket, "404 Not Found", "not found\n", 10, keep);
}

/* Requests of one connection, one after the other; none has a body. */
static void *converse(void *given) {
    int socket = (int)(long)given;
    char request[REQUEST];
    size_t length = 0;
    bool keep = true;
    while (keep) {
        char *end;
        request[length] = 0;
        while (!(end = strstr(request, "\r\n\r\n")) && length < sizeof request - 1) {
            ssize_t got = recv(socket, request + length, sizeof request - 1 - length, 0);
            if (got <= 0) goto done;
            length += (size_t)got;
            request[length] = 0;
        }
        if (!end) break; /* a head that is too long */
        double arrived_s = seconds(CLOCK_MONOTONIC);
        *end = 0;
        keep = !draining && !strcasestr(request, "\r\nConnection: close");
        if (!respond(socket, request, arrived_s, keep)) break;
        length -= (size_t)(end + 4 - request);
        memmove(request, end + 4, length);
    }
done:
    close(socket);
    atomic_fetch_sub(&connections, 1);
    return NULL;
}

static void *wait_for_the_end(void *signals) {
    sigwait(signals, &(int){0});
    draining = true;
    usleep((useconds_t)settings.drain_ms * 1000);
    while (inflight) usleep(5000);
    exit(0);
}

static void accept_one(int listening, const pthread_attr_t *small) {
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const struct timeval patience = {30, 0};
    pthread_t thread;
    int socket = accept(listening, NULL, NULL);
    if (socket < 0) return;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (atomic_fetch_add(&connections, 1) < settings.threads &&
        !pthread_create(&thread, small, converse, (void *)(long)socket))
        return;
    atomic_fetch_sub(&connections, 1);
    send_all(socket, busy, sizeof busy - 1);
    close(socket);
    pthread_mutex_lock(&totals.lock);
    totals.refused++;
    pthread_mutex_unlock(&totals.lock);
}

int main(void) {
    read_name();
    settings.port = (int)number("PORT", 8080, 1, 65535);
    settings.work_ms = number("WORK_MS", 5, 0, MOST_MS);
    settings.answer_bytes = (int)number("ANSWER_BYTES", 1024, 0, MOST_ANSWER);
    settings.threads = (int)number("THREADS", 64, 1, MOST_THREADS);
    settings.drain_ms = (int)number("DRAIN_MS", 2000, 0, 60000);

    sigset_t signals;
    pthread_t waiting;
    pthread_attr_t small;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    pthread_create(&waiting, &small, wait_for_the_end, &signals);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)settings.port)};
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 128)) {
        perror("zone: cannot listen");
        return 1;
    }
    for (;;) accept_one(listening, &small);
}
