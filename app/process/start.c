#include "app/process/start.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/api/call.h"
#include "app/meter.h"
#include "app/process/check_database.h"
#include "app/process/report.h"
#include "app/process/roles.h"
#include "app/process/sandbox.h"
#include "app/process/watch.h"
#include "app/serve/limits.h"
#include "lib/clock.h"
#include "lib/cpus.h"
#include "lib/db_alone.h"
#include "lib/fastcgi.h"
#include "lib/listener.h"
#include "lib/log.h"
#include "lib/notify.h"

enum {
    DESCRIPTORS_OTHER = 64, /* files, and the standard ones */
};

enum status start_find_identity(struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;

    if (s->user[0] == '\0')
        return STATUS_OK;
    state->drop = geteuid() == 0;
    return privileges_find(&state->identity, s->user, s->group, why);
}

/* Root may open a standard error that is a pipe of another user once more, which keeps the
 * log from waiting (lib/log_output.c); so this comes before drop_privileges. */
static int prepare_log(struct state *state)
{
    (void)state;
    return log_open("stderr", report_program, NULL) == STATUS_OK ? EX_OK : EX_OSERR;
}

/* Before a sandbox and a change of user could prevent it. */
static int find_supervisor(struct state *state)
{
    struct problem why = {""};

    if (!state->options.single && notify_open(&why) != STATUS_OK)
        LOG(LEVEL_WARNING, "supervisor_unreachable", LOG_TEXT("message", why.text));
    return EX_OK;
}

static int check_files(struct state *state)
{
    const struct check check = {
        .settings = state->settings,
        .config = settings_config_path(&state->options.arguments),
        .become = state->drop ? &state->identity : NULL,
    };
    struct problem why = {""};
    enum status status = check_database(&check, true, &why);

    return status == STATUS_OK ? EX_OK : report_failure(check_exit_status(status), &why);
}

/* Every process of the pool has a descriptor for each slot. The kernel also counts those
 * that are on their way between two processes, which at a reload are all connections. */
static int limit_descriptors(struct state *state)
{
    size_t slots = (size_t)state_pool_settings(state->settings).slots;

    privileges_limit_descriptors(slots * (FASTCGI_CONNECTIONS + 1) + DESCRIPTORS_OTHER);
    return EX_OK;
}

static enum status describe_socket_file(struct listener_file *out,
                                        const struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;

    *out = (struct listener_file){
        .mode = (mode_t)s->socket_mode,
        .uid = state->drop ? state->identity.uid : (uid_t)-1,
        .gid = state->drop ? state->identity.gid : (gid_t)-1,
    };
    return s->socket_group[0] == '\0'
               ? STATUS_OK
               : privileges_find_group(&out->gid, "socket_group", s->socket_group, why);
}

/* Makes the socket at where, and keeps a copy of that, because a reload replaces the
 * settings. */
static enum status make_socket(const struct state *state, int *fd,
                               struct listener_made *made, char copy[CONFIG_TEXT_BYTES],
                               const char *where, struct problem *why)
{
    struct listener_file file;
    enum status status = describe_socket_file(&file, state, why);

    if (status == STATUS_OK)
        status = listener_open(fd, made, where, &file, why);
    if (status == STATUS_OK)
        (void)snprintf(copy, CONFIG_TEXT_BYTES, "%s", where);
    return status;
}

static enum status find_socket(struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;
    enum status status = STATUS_NOT_FOUND;

    if (state->options.arguments.listen == NULL)
        status = listener_inherit(&state->listening, STATE_STATUS_SOCKET, why);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (s->listen[0] == '\0')
        return problem_set(why, STATUS_CONFIG,
                           "no socket to serve: use --listen unix:PATH, or start it by "
                           "spawn-fcgi, mod_fcgid or a systemd socket");
    return make_socket(state, &state->listening, &state->socket_file, state->made_socket,
                       s->listen, why);
}

/* The socket of the monitor is left out where none is given. */
static enum status find_status_socket(struct state *state, struct problem *why)
{
    const struct settings *s = state->settings;
    enum status status =
        listener_inherit_named(&state->status_listening, STATE_STATUS_SOCKET, why);

    if (status != STATUS_NOT_FOUND || s->status_listen[0] == '\0')
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return make_socket(state, &state->status_listening, &state->status_socket_file,
                       state->made_status_socket, s->status_listen, why);
}

static int get_sockets(struct state *state)
{
    struct problem why = {""};
    enum status status = find_socket(state, &why);

    if (status == STATUS_OK && !state->options.single)
        status = find_status_socket(state, &why);

    if (status == STATUS_OK)
        return EX_OK;
    return report_failure(status == STATUS_CONFIG ? EX_CONFIG : EX_CANTCREAT, &why);
}

static int drop_privileges(struct state *state)
{
    struct problem why = {""};
    enum status status = STATUS_OK;

    if (state->drop)
        status = privileges_drop(&state->identity, &why);
    state->drop = false;
    privileges_harden(); /* the change of user reset a part of it */
    return status == STATUS_OK ? EX_OK : report_failure(EX_OSERR, &why);
}

/* For programs that would replace the database, or change its schema. */
static int claim_database(struct state *state)
{
    struct problem why = {""};

    return db_use(&state->use, state->settings->database, &why) == STATUS_OK
               ? EX_OK
               : report_failure(EX_UNAVAILABLE, &why);
}

static int load_key(struct state *state)
{
    struct problem why = {""};

    if (check_key_file(&state->key, state->settings, &why) != STATUS_OK)
        return report_failure(EX_CONFIG, &why);
    watch_key_file(state);
    return EX_OK;
}

/* lib/fcgi_input.c needs it. Some containers forbid it. */
static void warn_of_missing_memfd(void)
{
    int fd = memfd_create("probe", MFD_CLOEXEC);

    if (fd >= 0)
        (void)close(fd);
    else
        LOG(LEVEL_WARNING, "no_memfd",
            LOG_TEXT("message", "memfd_create(2) is refused, so requests that are long or "
                                "arrive slowly cannot be served: allow it in the seccomp "
                                "profile of the container"));
}

/* Logs settings that the operator may not have intended. */
static void warn_operator(const struct state *state)
{
    const struct settings *s = state->settings;

    if (geteuid() == 0)
        LOG(LEVEL_WARNING, "running_as_root",
            LOG_TEXT("message", "requests are served with root's rights: set user"));
    else if (s->user[0] != '\0' && state->identity.uid != geteuid())
        LOG(LEVEL_WARNING, "user_ignored", LOG_TEXT("user", s->user),
            LOG_TEXT("message", "only root can become another user"));
    sandbox_report(s);
    warn_of_missing_memfd();
}

static int open_log(struct state *state)
{
    struct problem why = {""};

    if (log_open(state->settings->log, report_program, &why) != STATUS_OK)
        return report_failure(EX_CANTCREAT, &why);
    warn_operator(state);
    return EX_OK;
}

static int out_of(const char *what)
{
    struct problem why = {""};

    (void)problem_set(&why, STATUS_INTERNAL, "%s", what);
    return report_failure(EX_OSERR, &why);
}

static int share_memory(struct state *state)
{
    state->caller_cache = caller_cache_create();
    state->throttle = limits_open(state->settings, state->options.single);
    return state->caller_cache != NULL && state->throttle != NULL ? EX_OK
                                                                  : out_of("out of memory");
}

/* Without a pool, processes count in a file that they share. Where they cannot, they serve
 * all the same. */
static int make_counters(struct state *state)
{
    struct problem why = {""};

    if (!state->options.single) {
        state->slots = state_pool_settings(state->settings).slots;
        state->counters = meter_create((size_t)state->slots, call_count);
        return state->counters != NULL ? EX_OK : out_of("out of memory");
    }
    if (meter_open(&state->counters, state->settings->database, call_count, &why) !=
        STATUS_OK)
        LOG(LEVEL_WARNING, "metrics_not_shared", LOG_TEXT("message", why.text));
    return EX_OK;
}

static int begin_to_count(struct state *state)
{
    int exit_status = make_counters(state);

    if (exit_status == EX_OK && state->counters != NULL) {
        const struct meter meter = state_meter(state);
        /* of processes that share a file, the first one has begun the service */
        if (meter_total(state->counters, METER_START_MS) == 0)
            meter_set(&meter, METER_START_MS, clock_now_ms());
        meter_set(&meter, METER_RELOAD_MS, clock_now_ms());
    }
    return exit_status;
}

/* What workers and writer of a pool share. */
static int lay_out_pool(struct state *state)
{
    if (state->options.single)
        return EX_OK;
    if (fastcgi_handover_pair(&state->give, &state->take) != STATUS_OK)
        return out_of("cannot make a socket pair");
    cpus_prefer_batches();
    state->boxes = mailboxes_create((size_t)state->slots + 1, FASTCGI_PLACES,
                                    state_letter_bytes(state->settings));
    if (state->boxes == NULL)
        return out_of("cannot make the writer's mailboxes");
    state->history = history_create();
    return state->history != NULL ? EX_OK : out_of("out of memory");
}

int start(struct state *state)
{
    /* in this order; each reports its failure and returns the exit status */
    static int (*const steps[])(struct state * state) = {
        prepare_log, find_supervisor, check_files,    limit_descriptors,
        get_sockets, drop_privileges, claim_database, load_key,
        open_log,    share_memory,    begin_to_count, lay_out_pool,
    };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int exit_status = steps[i](state);
        if (exit_status != EX_OK)
            return exit_status;
    }
    return roles_run(state);
}
