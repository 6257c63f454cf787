#include "app/process/watch.h"

#include "lib/log.h"

void watch_key_file(struct state *state)
{
    state->key_file.id = file_id_at(state->settings->secret_key_file);
    state->key_file.is_away = false;
}

void watch_files(void *context)
{
    struct state *state = context;
    const char *path = state->settings->secret_key_file;
    struct file_id now = file_id_at(path);
    bool is_away = now.ino == 0 || !file_id_equals(now, state->key_file.id);

    if (is_away && !state->key_file.is_away)
        LOG(LEVEL_WARNING, "key_file_moved", LOG_TEXT("path", path),
            LOG_TEXT("message",
                     "the key file was removed or replaced: this service goes on "
                     "with the one that it has read, but the next start needs it"));
    state->key_file.is_away = is_away;
}
