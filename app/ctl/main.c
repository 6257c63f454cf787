/* crmnotesctl: the operator's command line. */
#include "autoconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/ctl/complete.h"
#include "app/ctl/ctl.h"
#include "app/ctl/help.h"
#include "app/ctl/text.h"
#include "lib/acting.h"
#include "lib/signals.h"

/* Errors of usage end with EX_USAGE, which no verb returns: see main(). */
static const int exit_codes[STATUS_COUNT] = {
    [STATUS_OK] = EX_OK,
    [STATUS_NOT_FOUND] = EX_DATAERR,
    [STATUS_INVALID] = EX_DATAERR,
    [STATUS_EXISTS] = EX_DATAERR,
    [STATUS_TOO_LARGE] = EX_DATAERR,
    [STATUS_REFUSED] = EX_DATAERR,
    [STATUS_BUSY] = EX_TEMPFAIL,
    [STATUS_UNKNOWN] = EX_IOERR,
    [STATUS_UNAVAILABLE] = EX_UNAVAILABLE,
    [STATUS_CANT_CREATE] = EX_CANTCREAT,
    [STATUS_IO] = EX_IOERR,
    [STATUS_SCHEMA] = EX_CONFIG,
    [STATUS_CONFIG] = EX_CONFIG,
    [STATUS_NO_MEMORY] = EX_TEMPFAIL,
    [STATUS_INTERNAL] = EX_SOFTWARE,
};

enum {
    EXIT_ANSWER_IS_NO = 1,
};

/* Opens something for standard streams that are closed. Otherwise the next file that is
 * opened, such as the database, would get that number, and the output would be written into
 * it. Reading and writing these streams fails, so lost output is an error. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* No core file may hold a key. The limit 1 also stops cores that go to a pipe. */
static void forbid_core_files(void)
{
    const struct rlimit one = {1, 1};

    (void)setrlimit(RLIMIT_CORE, &one);
}

static void set_up_process(void)
{
    occupy_standard_streams();
    forbid_core_files();
    signals_ignore(); /* a closed pipe, or a file over its limit, is an error of writing */
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters */
}

static void say(struct problem *sentence)
{
    if (sentence->text[0] == '\0')
        return;
    text_make_safe(sentence->text);
    (void)fprintf(stderr, "crmnotesctl: %s\n", sentence->text);
}

static int fail(enum status status, struct problem *why)
{
    say(why);
    return exit_codes[status];
}

static int answer_general(const struct args *args)
{
    struct problem why;

    if (args->help)
        help_print(stdout, args->noun, args->verb);
    else
        (void)printf("crmnotesctl %s\n", PACKAGE_VERSION);
    if (fflush(stdout) == 0 && !ferror(stdout)) /* a long help is written in parts */
        return EX_OK;
    if (errno == EPIPE) /* the reader has seen enough */
        return EX_OK;
    return fail(problem_set(&why, STATUS_IO, "cannot write to standard output: %s",
                            strerror(errno)),
                &why);
}

/* Root uses the database, and makes the files beside it, as the user whose they are. */
static enum status run_as_user(struct ctl *ctl)
{
    struct acting user;

    acting_find(&user, ctl->settings->database);
    enum status status = acting_as(&user, &ctl->why);
    if (status == STATUS_OK)
        status = ctl_run(ctl);
    return acting_as_before(&ctl->why) == STATUS_OK ? status : STATUS_INTERNAL;
}

static int run_verb(const struct args *args)
{
    struct settings_arguments given = {.config = args->config, .database = args->database};
    struct ctl ctl = {.args = args};
    enum status status = secret_init();

    if (status == STATUS_OK)
        status = db_init(NULL);
    if (status != STATUS_OK)
        return fail(problem_set(&ctl.why, status, "the libraries cannot be used"),
                    &ctl.why);
    struct settings *settings = settings_create(&given, &ctl.why);
    if (settings == NULL)
        return fail(STATUS_CONFIG, &ctl.why);
    ctl.settings = settings;
    status = run_as_user(&ctl);
    secret_wipe(&ctl.secret, sizeof ctl.secret);
    secret_wipe(&ctl.handed_out, sizeof ctl.handed_out);
    free(settings);
    if (status != STATUS_OK)
        return fail(status, &ctl.why);
    say(&ctl.note);
    return ctl.answer_is_no ? EXIT_ANSWER_IS_NO : EX_OK;
}

int main(int argc, char **argv)
{
    struct args args;
    struct problem why;
    int exit_code;

    set_up_process();
    if (argc > 1 && strcmp(argv[1], complete_word) == 0) {
        complete_print((size_t)argc - 2, argv + 2);
        return EX_OK;
    }
    enum status status = args_read(&args, argc, argv, &why);
    if (status != STATUS_OK) {
        exit_code = fail(status, &why);
        if (status == STATUS_REFUSED)
            exit_code = EX_USAGE;
    } else if (args.help || args.version) {
        exit_code = answer_general(&args);
    } else {
        exit_code = run_verb(&args);
    }
    args_free(&args);
    return exit_code;
}
