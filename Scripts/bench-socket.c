// Clients of a token agent, each a process of its own as programs on a hub are: they ask one after the other for a
// while, and every call is timed from before it is begun until its answer is read. Prints one JSON line.
//   bench-socket MODE CLIENTS SECONDS PAUSE_US …
//     home SOCKET kept|fresh PATH BODY [COUNT]   our control socket
//       kept: one connection for each client; fresh: one for each call. With COUNT {n} in PATH becomes a random number
//       below it, in five digits, and an answer whose token says that it ended before the call began (.EXPIRY_MS at its
//       end, on CLOCK_BOOTTIME) is counted as stale.
//     agent ACCOUNT                              oidc-agent, by its own client library
//     process PROGRAM [ARGUMENT…]                a whole process, from its start to its exit
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <oidc-agent/api.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { room = 400 * 1000, warm_up_calls = 10 };

struct client {
    unsigned calls, failed, stale;
    float times[room];
};

static const char *account, *path, *body;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int is_kept, connection = -1;
static unsigned count;
static char **program;
static posix_spawn_file_actions_t silence;
static struct client *me;

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

// Reads an answer with Content-Length to its end; its length, or -1.
static int read_answer(char *answer, int size) {
    int have = 0, wanted = size;
    while (have < wanted) {
        ssize_t got = read(connection, answer + have, size - 1 - have);
        if (got <= 0) return -1;
        answer[have += got] = 0;
        char *end = strstr(answer, "\r\n\r\n");
        if (!end || wanted != size) continue;
        char *length = strcasestr(answer, "\r\ncontent-length:");
        if (!length || length > end) return -1;
        wanted = (int)(end + 4 - answer) + atoi(length + 17);
        if (wanted >= size) return -1;
    }
    return have;
}

static int is_stale(const char *answer, double begun) {
    const char *token = strstr(answer, "\"access_token\":\"");
    if (!token) return 1;
    token += 16;
    const char *end = token + strcspn(token, "\"");
    while (end > token && end[-1] != '.') end--;
    return atof(end) < begun;
}

static int ask_home(void) {
    char target[512], request[4096], answer[65536];
    const char *place = strstr(path, "{n}");
    if (place) {
        snprintf(target, sizeof target, "%.*s%05u%s", (int)(place - path), path, (unsigned)random() % count, place + 3);
    } else {
        snprintf(target, sizeof target, "%s", path);
    }
    int length = snprintf(
        request, sizeof request,
        "POST %s HTTP/1.1\r\nhost: keyholder\r\ncontent-type: application/json\r\n%scontent-length: %zu\r\n\r\n%s",
        target, is_kept ? "" : "connection: close\r\n", strlen(body), body);
    double begun = now(CLOCK_BOOTTIME);
    if (connection < 0) {
        connection = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(connection, (struct sockaddr *)&address, sizeof address)) goto broken;
    }
    if (write(connection, request, length) != length || read_answer(answer, sizeof answer) < 0) goto broken;
    if (!is_kept) {
        close(connection);
        connection = -1;
    }
    if (strncmp(answer, "HTTP/1.1 200", 12)) return 0;
    if (count && is_stale(answer, begun)) me->stale++;
    return 1;
broken:
    close(connection);
    connection = -1;
    return 0;
}

static int ask_agent(void) {
    struct agent_response answer = getAgentTokenResponse(account, 60, NULL, "bench", NULL);
    int is_token = answer.type == AGENT_RESPONSE_TYPE_TOKEN && answer.token_response.token;
    secFreeAgentResponse(answer);
    return is_token;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static int ask_process(void) {
    pid_t child;
    if (posix_spawnp(&child, program[0], &silence, NULL, program, environ)) return 0;
    int status;
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 5 ? argv[1] : "";
    int (*ask)(void) = NULL;
    if (!strcmp(mode, "home") && argc >= 9) {
        ask = ask_home;
        strncpy(address.sun_path, argv[5], sizeof address.sun_path - 1);
        is_kept = !strcmp(argv[6], "kept");
        path = argv[7];
        body = argv[8];
        count = argc > 9 ? atoi(argv[9]) : 0;
    } else if (!strcmp(mode, "agent")) {
        ask = ask_agent;
        account = argv[5];
    } else if (!strcmp(mode, "process")) {
        ask = ask_process;
        program = argv + 5;
        posix_spawn_file_actions_init(&silence);
        posix_spawn_file_actions_addopen(&silence, 1, "/dev/null", O_WRONLY, 0);
    } else {
        fprintf(stderr, "error: see the top of bench-socket.c\n");
        return 2;
    }
    int clients = atoi(argv[2]);
    double span = atof(argv[3]) * 1e3;
    int pause = atoi(argv[4]);

    size_t size = sizeof(struct client) * clients;
    struct client *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    atomic_int *waiting = mmap(NULL, sizeof *waiting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || waiting == MAP_FAILED) {
        perror("error: mmap");
        return 1;
    }
    atomic_store(waiting, clients);
    for (int number = 0; number < clients; number++) {
        if (fork()) continue;
        srandom(number + 1);
        me = &all[number];
        // Whatever happens, nobody is left behind.
        alarm(60 + (unsigned)(span / 1e3));
        for (int call = 0; call < warm_up_calls; call++) ask();
        me->stale = 0;
        atomic_fetch_sub(waiting, 1);
        while (atomic_load(waiting) > 0) usleep(1000);
        double begun = now(CLOCK_MONOTONIC), call;
        while ((call = now(CLOCK_MONOTONIC)) - begun < span && me->calls < room) {
            // The time of a call that failed is no time of an answer.
            if (ask()) {
                me->times[me->calls++] = now(CLOCK_MONOTONIC) - call;
            } else {
                me->failed++;
            }
            if (pause) usleep(pause);
        }
        _exit(0);
    }
    while (wait(NULL) > 0 || errno == EINTR) {
    }

    unsigned calls = 0, failed = 0, stale = 0;
    for (int number = 0; number < clients; number++) {
        calls += all[number].calls;
        failed += all[number].failed;
        stale += all[number].stale;
    }
    float *times = malloc(sizeof(float) * (calls ? calls : 1));
    calls = 0;
    for (int number = 0; number < clients; number++) {
        memcpy(times + calls, all[number].times, sizeof(float) * all[number].calls);
        calls += all[number].calls;
    }
    if (!calls) {
        fprintf(stderr, "error: no call was answered, %u failed\n", failed);
        return 1;
    }
    qsort(times, calls, sizeof(float), ascending);
    printf(
        "{\"clients\": %d, \"calls\": %u, \"failed\": %u, \"stale\": %u, \"p50_ms\": %.4f, \"p99_ms\": %.4f, "
        "\"max_ms\": %.4f, \"per_second\": %.0f}\n",
        clients, calls, failed, stale, times[calls / 2], times[(unsigned)(calls * 0.99)], times[calls - 1],
        calls / span * 1e3);
}
