#include "app/process/watch.h"

#include <limits.h>

#include "lib/backup_record.h"
#include "lib/db_files.h"
#include "lib/log.h"

void watch_key_file(struct state *state)
{
    state->key_file.id = file_id_at(state->settings->secret_key_file);
    state->key_file.is_away = false;
}

/* The monitor may not read other files than the database. */
static void read_backup_record(struct state *state)
{
    const struct meter meter = state_meter(state);
    struct backup_record record;
    char path[PATH_MAX];

    if (!db_files_beside(path, sizeof path, state->settings->database, "backup"))
        return;
    struct file_id now = file_id_at(path);
    if (file_id_equals(now, state->backup_record))
        return;
    state->backup_record = now;
    (void)backup_record_read(&record, state->settings->database, NULL); /* else zeros */
    meter_set(&meter, METER_BACKUP_MS, record.at_ms);
}

static void watch_key(struct state *state)
{
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

void watch_files(void *context)
{
    struct state *state = context;

    watch_key(state);
    read_backup_record(state);
}
