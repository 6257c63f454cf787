/*
 * The ceiling: what nginx can pass to a libfcgi program that does nothing.
 *
 *     ceiling plain|own PROCESSES ANSWER-FILE
 *
 * Each process accepts from descriptor 0, reads the body of a request and answers with what
 * is in the file (CGI header and body).
 *
 * plain: the loop of libfcgi's own examples. A process serves one kept connection until that
 * closes, so some clients are served at once, again and again, while others wait.
 * own: with lib/fastcgi.h, as the service does it, which is fair to all.
 */
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fastcgi.h"
#include "lib/signals.h"

enum {
    ANSWER_MAX_BYTES = 1 << 20,
    BODY_MAX_BYTES = 256 * 1024,
    TIMEOUT_MS = 10000,
};

static char answer[ANSWER_MAX_BYTES];
static size_t answer_bytes;
static char body[BODY_MAX_BYTES];

static int read_answer(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return -1;
    answer_bytes = fread(answer, 1, sizeof answer, file);
    (void)fclose(file);
    return answer_bytes > 0 ? 0 : -1;
}

static void serve_plain(void)
{
    FCGX_Request request;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return;
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body, sizeof body, request.in) > 0)
            ;
        (void)FCGX_PutStr(answer, (int)answer_bytes, request.out);
        FCGX_Finish_r(&request);
    }
}

static void serve_own(int give, int take)
{
    const struct fastcgi_descriptors fds = {
        .listening = 0, .wake = -1, .news = -1, .give = give, .take = take};
    const struct fastcgi_limits limits = {TIMEOUT_MS, TIMEOUT_MS, BODY_MAX_BYTES};
    struct fastcgi *fastcgi;
    size_t place, len;

    signals_init();
    if (fastcgi_create(&fastcgi, &fds, &limits) != STATUS_OK)
        return;
    while (fastcgi_wait(fastcgi, -1, &place) == FASTCGI_REQUEST) {
        (void)fastcgi_read_body(fastcgi, place, body, sizeof body, &len);
        fastcgi_answer(fastcgi, place, (struct span){answer, answer_bytes}, "");
    }
    fastcgi_free(fastcgi);
}

int main(int argc, char **argv)
{
    int give = -1, take = -1;

    if (argc != 4 || read_answer(argv[3]) != 0) {
        (void)fprintf(stderr, "Usage: ceiling plain|own PROCESSES ANSWER-FILE\n");
        return 64;
    }
    int own = strcmp(argv[1], "own") == 0;
    if (own && (fcntl(0, F_SETFL, O_NONBLOCK) != 0 ||
                fastcgi_handover_pair(&give, &take) != STATUS_OK))
        return 71;
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
        pid_t pid = fork();
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (own)
                serve_own(give, take);
            else
                serve_plain();
            _exit(1);
        }
    }
    /* TERM ends this process, and with it all the others. */
    while (wait(NULL) > 0)
        ;
    return 1;
}
