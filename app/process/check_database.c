#include "app/process/check_database.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/store/key_mark.h"
#include "app/store/schema.h"
#include "lib/db_files.h"

enum {
    CHECK_MS = 10000, /* for the process that checks */
};

enum status check_key_file(struct secret_key *key, const struct settings *settings,
                           struct problem *why)
{
    enum status status = secret_key_load(key, settings->secret_key_file, why);

    if (status == STATUS_NOT_FOUND)
        (void)problem_set(
            why, status,
            "there is no key file %s: put it back, or set secret_key_file; for a new "
            "database, run 'crmnotesctl db migrate'",
            settings->secret_key_file);
    return status;
}

static enum status check_database_files(const char *database, struct problem *why)
{
    struct db_files files;
    enum status status = STATUS_OK;

    db_files_name(&files, database);
    for (size_t i = 0; status == STATUS_OK && i < files.count; i++)
        status = privileges_check(files.list[i].path, R_OK | W_OK, why);
    if (status == STATUS_OK && files.count > 0) /* in which the engine makes files */
        status = privileges_check(files.directory, W_OK | X_OK, why);
    return status;
}

/* A file that is missing is reported by the step that needs it. */
static enum status check_access(const struct check *check, struct problem *why)
{
    const struct settings *s = check->settings;
    enum status status =
        check->config == NULL ? STATUS_OK : privileges_check(check->config, R_OK, why);

    if (status == STATUS_OK)
        status = privileges_check(s->secret_key_file, R_OK, why);
    if (status == STATUS_OK)
        status = check_database_files(s->database, why);
    if (status == STATUS_OK && s->log[0] == '/')
        status = privileges_check(s->log, W_OK, why);
    return status;
}

/* The result of a check, as the child passes it to its parent. */
struct finding {
    enum status status;
    struct problem why;
};

static enum status check_mark(struct db *db, const struct settings *s, struct problem *why)
{
    struct secret_key key;
    enum status status = check_key_file(&key, s, why);

    if (status == STATUS_OK) {
        const struct key_mark mark = key_mark_of(&key, s->secret_key_file, s->database);
        status = key_mark_check(db, &mark, why);
    } else {
        status = STATUS_CONFIG;
    }
    secret_wipe(&key, sizeof key);
    return status;
}

static void look(struct finding *out, const struct check *check, bool with_key)
{
    struct db *db = NULL;

    out->status = STATUS_OK;
    if (check->become != NULL) {
        out->status = privileges_drop(check->become, &out->why);
        privileges_harden();
    }
    if (out->status == STATUS_OK)
        out->status = check_access(check, &out->why);
    if (out->status == STATUS_OK)
        out->status = schema_open(&db, check->settings->database, DB_READ, &out->why);
    if (out->status == STATUS_OK && with_key)
        out->status = check_mark(db, check->settings, &out->why);
    db_close(db);
}

static _Noreturn void be_child(const struct check *check, bool with_key, int fd)
{
    struct finding finding = {.why = {""}};

    look(&finding, check, with_key);
    ssize_t written = write(fd, &finding, sizeof finding);
    _exit(written == (ssize_t)sizeof finding ? EX_OK : EX_OSERR);
}

_Static_assert(sizeof(struct finding) <= PIPE_BUF, "a pipe holds it, and at once");

/* False: no result came in time. A child that hangs, for instance in a disk that does not
 * answer, must not hold up the master. */
static bool take_result(struct finding *out, int fd, pid_t pid)
{
    struct pollfd result = {.fd = fd, .events = POLLIN};
    bool arrived = poll(&result, 1, CHECK_MS) == 1 &&
                   read(fd, out, sizeof *out) == (ssize_t)sizeof *out;

    if (!arrived)
        (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, arrived ? 0 : WNOHANG); /* else a pool reaps it later */
    return arrived;
}

/* Checks in a child. False: it could not be checked. */
static bool send_child(struct finding *out, const struct check *check, bool with_key)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        be_child(check, with_key, ends[1]);
    (void)close(ends[1]); /* so that a child that dies is noticed */
    bool looked = pid > 0 && take_result(out, ends[0], pid);
    (void)close(ends[0]);
    return looked;
}

enum status check_database(const struct check *check, bool with_key, struct problem *why)
{
    struct finding finding = {.why = {""}};

    if (check->here)
        look(&finding, check, with_key);
    else if (!send_child(&finding, check, with_key))
        return problem_set(why, STATUS_INTERNAL, "%s could not be checked within %d s",
                           check->settings->database, CHECK_MS / 1000);
    *why = finding.why;
    /* a lock is temporary */
    return finding.status == STATUS_BUSY ? STATUS_OK : finding.status;
}

int check_exit_status(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EX_OK;
    case STATUS_NOT_FOUND:
    case STATUS_SCHEMA:
    case STATUS_CONFIG:
        return EX_CONFIG;
    case STATUS_INTERNAL:
        return EX_OSERR;
    default:
        return EX_UNAVAILABLE;
    }
}
