#include "app/process/state.h"

#include <stdlib.h>

#include "app/api/call.h"
#include "app/commit/letter.h"
#include "lib/listener.h"

enum {
    SLOTS_MIN = 32, /* so that a reload can raise a small number of workers */
};

struct pool_settings state_pool_settings(const struct settings *settings)
{
    int both = 2 * (int)settings->workers;

    return (struct pool_settings){
        .workers = (int)settings->workers,
        .slots = both > SLOTS_MIN ? both : SLOTS_MIN,
        .request_timeout_ms = (int)settings->request_timeout * 1000,
    };
}

/* The file that is used without a pool has one block. */
struct meter state_meter(const struct state *state)
{
    return state->options.single ? meter_of_worker(state->counters, 0)
                                 : meter_of_master(state->counters, (size_t)state->slots);
}

size_t state_letter_bytes(const struct settings *settings)
{
    return letter_max_bytes(call_max_text_bytes(settings));
}

void state_free(struct state *state)
{
    listener_remove(&state->socket_file);
    listener_remove(&state->status_socket_file);
    secret_wipe(&state->key, sizeof state->key);
    mailboxes_free(state->boxes);
    caller_cache_free(state->caller_cache);
    throttle_free(state->throttle);
    counters_free(state->counters);
    history_free(state->history);
    lock_close(state->use);
    free(state->settings);
}
