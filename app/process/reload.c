#include "app/process/reload.h"

#include <stdlib.h>
#include <string.h>

#include "app/process/check_database.h"
#include "app/process/report.h"
#include "app/process/state.h"
#include "app/process/watch.h"
#include "lib/clock.h"
#include "lib/log.h"

static bool same_text(const void *now, const void *next)
{
    return strcmp(now, next) == 0;
}

static bool same_number(const void *now, const void *next)
{
    return *(const int64_t *)now == *(const int64_t *)next;
}

static bool same_flag(const void *now, const void *next)
{
    return *(const bool *)now == *(const bool *)next;
}

/* Which settings are fixed only while this program made the socket that they are about. */
enum about { ABOUT_ALL, ABOUT_SOCKET, ABOUT_STATUS_SOCKET };

#define FIXED(member, how)                                                                 \
    .option = #member, .offset = offsetof(struct settings, member), .same = (how)

/* Settings that take effect at the start only: to change one, restart the service. */
static const struct {
    const char *option;
    size_t offset; /* in struct settings */
    bool (*same)(const void *now, const void *next);
    enum about about;
} fixed[] = {
    {FIXED(database, same_text)},
    {FIXED(user, same_text)},
    {FIXED(group, same_text)},
    {FIXED(sandbox, same_flag)},
    {FIXED(listen, same_text), .about = ABOUT_SOCKET},
    {FIXED(socket_mode, same_number), .about = ABOUT_SOCKET},
    {FIXED(socket_group, same_text), .about = ABOUT_SOCKET},
    {FIXED(status_listen, same_text), .about = ABOUT_STATUS_SOCKET},
};

static bool is_fixed(const struct state *state, enum about about)
{
    switch (about) {
    case ABOUT_SOCKET:
        return state->made_socket[0] != '\0';
    case ABOUT_STATUS_SOCKET: /* without a socket there is no monitor until a restart */
        return !state->options.single &&
               (state->status_listening < 0 || state->made_status_socket[0] != '\0');
    case ABOUT_ALL:
        break;
    }
    return true;
}

static enum status check_fixed(const struct state *state, const struct settings *next,
                               struct problem *why)
{
    const char *now = (const char *)state->settings;

    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (is_fixed(state, fixed[i].about) &&
            !fixed[i].same(now + fixed[i].offset, (const char *)next + fixed[i].offset))
            return problem_set(why, STATUS_CONFIG, "%s: to change it, restart",
                               fixed[i].option);
    return STATUS_OK;
}

/* Shared memory and slots were made at the start for settings up to a limit. */
static enum status check_room(const struct state *state, const struct settings *next,
                              struct problem *why)
{
    if (state->boxes != NULL &&
        state_letter_bytes(next) > mailboxes_letter_bytes(state->boxes))
        return problem_set(why, STATUS_CONFIG, "max_note_bytes: to raise it, restart");
    if (state_pool_settings(next).slots > state->slots)
        return problem_set(why, STATUS_CONFIG, "workers: to raise it over %d, restart",
                           state->slots / 2);
    return STATUS_OK;
}

/* The processes to come must be able to open the database: it may be gone or have been
 * migrated, or the key file may be another one. */
static enum status check_new_processes(const struct state *state,
                                       const struct settings *settings, struct problem *why)
{
    const struct check check = {
        .settings = settings,
        .config = settings_config_path(&state->options.arguments),
        .here = state->options.single, /* in its sandbox it cannot fork */
    };

    return check_database(&check, true, why);
}

static enum status renew(struct state *state, struct problem *why)
{
    struct settings *settings = settings_create(&state->options.arguments, why);
    struct secret_key key;

    if (settings == NULL)
        return STATUS_CONFIG;
    enum status status = check_fixed(state, settings, why);
    if (status == STATUS_OK)
        status = check_room(state, settings, why);
    if (status == STATUS_OK)
        status = check_key_file(&key, settings, why);
    if (status == STATUS_OK)
        status = check_new_processes(state, settings, why);
    if (status == STATUS_OK)
        status = log_open(settings->log, report_program, why);
    if (status == STATUS_OK) {
        free(state->settings);
        state->settings = settings;
        state->key = key;
        watch_key_file(state);
        const struct meter meter = state_meter(state);
        meter_set(&meter, METER_RELOAD_MS, clock_now_ms());
    } else {
        free(settings);
    }
    secret_wipe(&key, sizeof key);
    return status;
}

enum status reload(void *context, struct pool_settings *pool, struct problem *why)
{
    struct state *state = context;
    enum status status = renew(state, why);

    if (status != STATUS_OK) {
        const struct meter meter = state_meter(state);
        meter_count(&meter, METER_RELOADS_FAILED);
        LOG(LEVEL_ERROR, "reload_failed", LOG_TEXT("message", why->text));
        return status;
    }
    *pool = state_pool_settings(state->settings);
    pool->slots = state->slots;
    return STATUS_OK;
}
