#include "app/process/roles.h"

#include <sysexits.h>
#include <unistd.h>

#include "app/api/call.h"
#include "app/commit/writer.h"
#include "app/monitor/monitor.h"
#include "app/process/reload.h"
#include "app/process/sandbox.h"
#include "app/process/watch.h"
#include "app/serve/worker.h"
#include "lib/listener.h"
#include "lib/log.h"

/* False: it failed and was logged; the process must end. */
static bool enter_sandbox(const struct state *state, enum role role)
{
    const struct sandbox sandbox = {
        .settings = state->settings,
        .config = settings_config_path(&state->options.arguments),
        .socket = listener_path(state->made_socket),
    };
    struct problem why = {""};

    if (sandbox_enter(role, &sandbox, &why) == STATUS_OK)
        return true;
    LOG(LEVEL_ERROR, "sandbox_failed", LOG_TEXT("message", why.text));
    return false;
}

static void close_status_socket(struct state *state, const struct pool_worker *self)
{
    if (state->status_listening >= 0)
        listener_close(state->status_listening, pool_master_gone_fd(self));
    state->status_listening = -1;
}

static int run_worker(void *context, struct pool_worker *self)
{
    struct state *state = context;
    const struct worker_context worker = {
        .settings = state->settings,
        .key = &state->key,
        .caller_cache = state->caller_cache,
        .throttle = state->throttle,
        .listening = state->listening,
        .give = state->give,
        .take = state->take,
        .counters = state->counters,
        .boxes = state->boxes,
        .outdated = sandbox_outdated,
    };

    close_status_socket(state, self);
    if (!enter_sandbox(state, state->boxes == NULL ? ROLE_SINGLE : ROLE_WORKER))
        return EX_OSERR;
    return worker_run(&worker, self);
}

/* Only workers need the key and the callers' connections. */
static void drop_what_workers_need(struct state *state, const struct pool_worker *self)
{
    secret_wipe(&state->key, sizeof state->key);
    listener_close(state->listening, pool_master_gone_fd(self));
    (void)close(state->give);
    (void)close(state->take);
    state->listening = state->give = state->take = -1;
}

static int run_writer(void *context, struct pool_worker *self)
{
    struct state *state = context;

    drop_what_workers_need(state, self);
    close_status_socket(state, self);
    if (!enter_sandbox(state, ROLE_WRITER))
        return EX_OSERR;
    const struct writer_context writer = {
        .database_path = state->settings->database,
        .lock_timeout_ms = settings_lock_timeout_ms(state->settings),
        .boxes = state->boxes,
        .kinds = call_command_kinds(),
        .meter = meter_of_writer(state->counters, (size_t)state->slots),
        .outdated = sandbox_outdated,
    };
    return writer_run(&writer, self);
}

/* The indexes of the roles. The monitor comes last, so that it can be left out. */
enum { INDEX_WRITER, INDEX_MONITOR, INDEX_COUNT };

static int run_monitor(void *context, struct pool_worker *self)
{
    struct state *state = context;
    const struct monitor_context monitor = {
        .settings = state->settings,
        .mark = key_mark_of(&state->key, state->settings->secret_key_file,
                            state->settings->database),
        .listening = state->status_listening,
        .counters = state->counters,
        .history = state->history,
        .boxes = state->boxes,
        .client = (size_t)state->slots,
        .writer_role = INDEX_WRITER,
        .outdated = sandbox_outdated,
    };

    drop_what_workers_need(state, self);
    if (!enter_sandbox(state, ROLE_MONITOR))
        return EX_OSERR;
    return monitor_run(&monitor, self);
}

/* Ends that come by themselves, by role and by cause. */
static void count_end(void *context, const struct pool_role *role, int slot,
                      enum pool_end how)
{
    const struct state *state = context;
    const struct meter master = state_meter(state);
    bool is_monitor = role != NULL && role->run == run_monitor;
    enum meter_number died = role == NULL ? METER_WORKERS_DIED
                             : is_monitor ? METER_MONITORS_DIED
                                          : METER_WRITERS_DIED;

    meter_count(&master, how == POOL_TIMED_OUT ? died + 1 : died);
    if (role == NULL) { /* what it had in hand is gone */
        const struct meter worker = meter_of_worker(state->counters, (size_t)slot);
        meter_set(&worker, METER_IN_FLIGHT, 0);
    }
}

static const struct pool_role beside_workers[] = {
    [INDEX_WRITER] = {.name = "writer", .count = 1, .run = run_writer},
    [INDEX_MONITOR] = {.name = "monitor", .count = 1, .run = run_monitor},
};

/* Without a socket of its own there is no monitor. */
static struct pool_program program_of(const struct state *state)
{
    return (struct pool_program){
        .run = run_worker,
        .roles = beside_workers,
        .role_count = state->status_listening >= 0 ? INDEX_COUNT : INDEX_MONITOR,
        .reload = reload,
        .ended = count_end,
        .watch = watch_files,
    };
}

int roles_run(struct state *state)
{
    const struct pool_settings pool = state_pool_settings(state->settings);
    const struct pool_program program = program_of(state);

    if (state->options.single)
        return pool_run_single(&program, state);
    if (!enter_sandbox(state, ROLE_MASTER))
        return EX_OSERR;
    return pool_run(&program, state, &pool);
}
