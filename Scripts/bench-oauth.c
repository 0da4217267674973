// liboauth's half of the OAuth 1.0a figures: what Scripts/bench-oauth.swift does, with liboauth.
//   bench-oauth sign|verify SECONDS     prints operations a second of processor time
#include <stddef.h>
#include <oauth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *url = "http://photos.example.net/photos?file=vacation.jpg&size=original";
static const char *consumer = "dpf43f3p2l4k3l03", *consumer_secret = "kd94hf93k423kf44";
static const char *token = "nnch734d00sl2jdk", *token_secret = "pfkkdhi9sl3r4s00";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
static const char *member(int count, char **pairs, const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < count; i++)
        if (!strncmp(pairs[i], name, length) && pairs[i][length] == '=') return pairs[i] + length + 1;
    return NULL;
}
// The Authorization header of one request, nonce and time chosen by liboauth.
static void sign(void) {
    char **pairs = NULL;
    int count = oauth_split_url_parameters(url, &pairs);
    oauth_sign_array2_process(&count, &pairs, NULL, OA_HMAC, "GET", consumer, consumer_secret, token, token_secret);
    // 1: the OAuth parameters only; 2: with quotes.
    char *fields = oauth_serialize_url_sep(count, 1, pairs, ", ", 2 | 4);
    char header[2048];
    if (snprintf(header, sizeof header, "OAuth %s", fields) < 200) exit(1);
    free(fields);
    oauth_free_array(&count, &pairs);
}
// Signing again what was received, split already, and comparing: liboauth cannot read a header.
static void verify(void) {
    char **pairs = NULL;
    int count = oauth_split_url_parameters(url, &pairs);
    oauth_add_param_to_array(&count, &pairs, "oauth_timestamp=1191242096");
    oauth_add_param_to_array(&count, &pairs, "oauth_nonce=kllo9940pd9333jh");
    oauth_sign_array2_process(&count, &pairs, NULL, OA_HMAC, "GET", consumer, consumer_secret, token, token_secret);
    const char *found = member(count, pairs, "oauth_signature");
    if (!found || strcmp(found, "tR3+Ty81lMeYAr/Fid0kMTYa/WM=")) {
        fprintf(stderr, "error: liboauth signs \"%s\"\n", found ? found : "nothing");
        exit(1);
    }
    oauth_free_array(&count, &pairs);
}
int main(int argc, char **argv) {
    if (argc != 3) return 2;
    void (*action)(void) = strcmp(argv[1], "sign") ? verify : sign;
    double span = atof(argv[2]), begin = now(), end;
    long rounds = 0;
    do {
        for (int i = 0; i < 200; i++) action();
        rounds += 200;
        end = now();
    } while (end - begin < span);
    printf("%.1f\n", rounds / (end - begin));
}
