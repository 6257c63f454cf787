#include "app/process/roles.h"

#include <sysexits.h>
#include <unistd.h>

#include "app/api/call.h"
#include "app/commit/writer.h"
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

static int run_worker(void *context, struct pool_worker *self)
{
    const struct state *state = context;
    const struct worker_context worker = {
        .settings = state->settings,
        .key = &state->key,
        .caller_cache = state->caller_cache,
        .throttle = state->throttle,
        .listening = state->listening,
        .give = state->give,
        .take = state->take,
        .boxes = state->boxes,
        .outdated = sandbox_outdated,
    };

    if (!enter_sandbox(state, state->boxes == NULL ? ROLE_SINGLE : ROLE_WORKER))
        return EX_OSERR;
    return worker_run(&worker, self);
}

/* The writer looks up hashes that workers have made, and serves no connection. */
static void drop_what_the_writer_does_not_need(struct state *state,
                                               const struct pool_worker *self)
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

    drop_what_the_writer_does_not_need(state, self);
    if (!enter_sandbox(state, ROLE_WRITER))
        return EX_OSERR;
    const struct writer_context writer = {
        .database_path = state->settings->database,
        .lock_timeout_ms = settings_lock_timeout_ms(state->settings),
        .boxes = state->boxes,
        .kinds = call_command_kinds(),
        .outdated = sandbox_outdated,
    };
    return writer_run(&writer, self);
}

static const struct pool_role beside_workers[] = {
    {.name = "writer", .count = 1, .run = run_writer},
};

static const struct pool_program program = {
    .run = run_worker,
    .roles = beside_workers,
    .role_count = sizeof beside_workers / sizeof beside_workers[0],
    .reload = reload,
    .watch = watch_files,
};

int roles_run(struct state *state)
{
    const struct pool_settings pool = state_pool_settings(state->settings);

    if (state->options.single)
        return pool_run_single(&program, state);
    if (!enter_sandbox(state, ROLE_MASTER))
        return EX_OSERR;
    return pool_run(&program, state, &pool);
}
