#include "lib/db_files.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/sqlite.h"

/* What SQLite, and lib/sqlite_open.c for the lock, append to the path of the database. */
static const struct {
    const char *ending;
    unsigned reader;
    unsigned writer;
    bool follows_link; /* is beside the file to which a symbolic link leads */
} kinds[] = {
    {"", DB_FILE_READ, DB_FILE_READ | DB_FILE_WRITE, true},
    {"-wal", DB_FILE_READ, DB_FILE_READ | DB_FILE_WRITE, true},
    /* the index of the WAL, which readers write to as well */
    {"-shm", DB_FILE_READ | DB_FILE_WRITE, DB_FILE_READ | DB_FILE_WRITE, true},
    {".lock", 0, DB_FILE_READ | DB_FILE_WRITE, false},
};

enum {
    KINDS = sizeof kinds / sizeof kinds[0],
};

_Static_assert((int)KINDS <= (int)DB_FILES_MAX, "db_files.h has room for all");

static void set_directory(char out[DB_FILE_PATH_BYTES], const char *path)
{
    char copy[DB_FILE_PATH_BYTES]; /* dirname writes into it */

    (void)snprintf(copy, sizeof copy, "%s", path);
    (void)snprintf(out, DB_FILE_PATH_BYTES, "%s", dirname(copy));
}

static void name_files(struct db_files *out, const char *location, const char *data)
{
    out->count = KINDS;
    for (size_t i = 0; i < KINDS; i++) {
        struct db_file *file = &out->list[i];

        file->reader = kinds[i].reader;
        file->writer = kinds[i].writer;
        (void)snprintf(file->path, sizeof file->path, "%s%s",
                       kinds[i].follows_link ? data : location, kinds[i].ending);
    }
    set_directory(out->directory, data);
    set_directory(out->named_directory, location);
}

void db_files_find(struct db_files *out, const char *location)
{
    char real[PATH_MAX];

    name_files(out, location, realpath(location, real) != NULL ? real : location);
}

void db_files_name(struct db_files *out, const char *location)
{
    name_files(out, location, location);
}

unsigned db_file_use_of(const struct db_file *file, enum db_mode mode)
{
    return mode == DB_READ ? file->reader : file->writer;
}

bool db_files_missing(const char *location, enum db_mode mode)
{
    struct db_files_seen seen;
    size_t missing = 0;

    db_files_see(&seen, location, mode);
    for (size_t i = 0; i < seen.count; i++)
        missing += seen.files[i].ino == 0;
    return missing > 0 && seen.files[0].ino != 0;
}

void db_files_see(struct db_files_seen *out, const char *location, enum db_mode mode)
{
    struct db_files files;

    *out = (struct db_files_seen){.mode = mode};
    (void)snprintf(out->location, sizeof out->location, "%s", location);
    db_files_find(&files, location);
    for (size_t i = 0; i < files.count; i++)
        if (db_file_use_of(&files.list[i], mode) != 0)
            out->files[out->count++] = file_id_at(files.list[i].path);
}

bool db_files_replaced(const struct db_files_seen *seen)
{
    struct db_files_seen now;
    bool same = true;

    if (seen->count == 0)
        return false;
    db_files_see(&now, seen->location, seen->mode);
    if (now.files[0].ino == 0)
        return false;
    for (size_t i = 0; i < now.count; i++)
        same = same && file_id_equals(now.files[i], seen->files[i]);
    return !same;
}

bool db_files_beside(char *out, size_t size, const char *location, const char *ending)
{
    int len = snprintf(out, size, "%s.%s", location, ending);

    return len >= 0 && (size_t)len < size;
}

enum status db_sizes(struct db *db, struct db_sizes *out)
{
    struct db_files files;

    db_files_find(&files, db->files[0].path);
    *out = (struct db_sizes){
        .data_bytes = file_size_bytes(files.list[0].path),
        .log_bytes = file_size_bytes(files.list[1].path),
    };
    return STATUS_OK;
}
