#include "app/process/watch.h"

#include <sys/stat.h>

#include "lib/log.h"

void watch_key_file(struct state *state)
{
    struct stat now = {.st_ino = 0};

    (void)stat(state->settings->secret_key_file, &now);
    state->key_file.dev = now.st_dev;
    state->key_file.ino = now.st_ino;
    state->key_file.is_away = false;
}

void watch_files(void *context)
{
    struct state *state = context;
    const char *path = state->settings->secret_key_file;
    struct stat now;
    bool is_away = stat(path, &now) != 0 || now.st_ino != state->key_file.ino ||
                   now.st_dev != state->key_file.dev;

    if (is_away && !state->key_file.is_away)
        LOG(LEVEL_WARNING, "key_file_moved", LOG_TEXT("path", path),
            LOG_TEXT("message",
                     "the key file was removed or replaced: this service goes on "
                     "with the one that it has read, but the next start needs it"));
    state->key_file.is_away = is_away;
}
