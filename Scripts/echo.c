// What the wire alone costs: two libmosquitto clients over TLS, one echoes what the other sends, QoS 1 both ways.
//   echo HOST PORT CAFILE USER PASSWORD-FILE BYTES ROUNDS     prints microseconds of each round trip
// The two clients need logins of their own, because a login is one client: USER and USER-echo, same password.
#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int subscribed, answered;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static void on_connect(struct mosquitto *client, void *topic, int code) {
    if (code == 0) mosquitto_subscribe(client, NULL, topic, 1);
}
static void on_subscribe(struct mosquitto *client, void *topic, int mid, int count, const int *granted) {
    (void)client, (void)topic, (void)mid, (void)count, (void)granted;
    subscribed++;
}
static void on_ping(struct mosquitto *client, void *topic, const struct mosquitto_message *message) {
    (void)topic;
    mosquitto_publish(client, NULL, "dac/v1/bench/pong", message->payloadlen, message->payload, 1, false);
}
static void on_pong(struct mosquitto *client, void *topic, const struct mosquitto_message *message) {
    (void)client, (void)topic, (void)message;
    answered++;
}
static struct mosquitto *start(char **argv, const char *user, const char *password, char *topic,
                               void (*receive)(struct mosquitto *, void *, const struct mosquitto_message *)) {
    struct mosquitto *client = mosquitto_new(user, true, topic);
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_username_pw_set(client, user, password);
    mosquitto_tls_set(client, argv[3], NULL, NULL, NULL, NULL);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, receive);
    if (mosquitto_connect(client, argv[1], atoi(argv[2]), 10) != 0) exit(1);
    mosquitto_loop_start(client);
    return client;
}

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    char password[256] = {0}, echo[256];
    FILE *file = fopen(argv[5], "r");
    if (!file || !fgets(password, sizeof password, file)) return 1;
    snprintf(echo, sizeof echo, "%s-echo", argv[4]);
    mosquitto_lib_init();
    start(argv, echo, password, "dac/v1/bench/ping", on_ping);
    struct mosquitto *client = start(argv, argv[4], password, "dac/v1/bench/pong", on_pong);
    for (int i = 0; subscribed < 2 && i < 5000; i++) usleep(1000);
    if (subscribed < 2) return 1;
    int size = atoi(argv[6]), rounds = atoi(argv[7]);
    char *payload = malloc(size);
    memset(payload, 'x', size);
    for (int round = 0; round < rounds; round++) {
        double begin = now();
        int before = answered;
        mosquitto_publish(client, NULL, "dac/v1/bench/ping", size, payload, 1, false);
        // Spinning for the answer; a give-up after two seconds.
        while (answered == before && now() - begin < 2e6) { }
        if (answered == before) return 1;
        printf("%.1f\n", now() - begin);
    }
    _exit(fflush(stdout));
}
