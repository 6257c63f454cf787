#include "lib/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/db_files.h"

enum {
    DATA, /* the places in the list of db_files_find */
    WAL,
    INDEX,
    WAL_WAIT_MS = 2000, /* for other processes to make or save the WAL */
    WAL_LOOK_MS = 20,
};

static bool is_same(const struct sqlite_file *file)
{
    return file_id_equals(file_id_at(file->path), file->id);
}

enum status sqlite_name_files(struct db *db, const char *location, enum db_mode mode)
{
    struct db_files files;

    db_files_find(&files, location);
    for (size_t i = 0; i < files.count; i++) {
        if (db_file_use_of(&files.list[i], mode) == 0 || (mode == DB_ALONE && i > WAL))
            continue;
        struct sqlite_file *file = &db->files[db->file_count++];
        /* by the path as given, so that a link that is changed is noticed */
        file->path = strdup(i == DATA ? location : files.list[i].path);
        if (file->path == NULL)
            return STATUS_NO_MEMORY;
        file->id = file_id_at(file->path);
    }
    return STATUS_OK;
}

void sqlite_forget_files(struct db *db)
{
    for (size_t i = 0; i < db->file_count; i++)
        free(db->files[i].path);
}

bool sqlite_adopt_files(struct db *db)
{
    for (size_t i = 0; i < db->file_count; i++) {
        struct sqlite_file *file = &db->files[i];

        struct file_id now = file_id_at(file->path);
        if (file->id.ino != 0 && !file_id_equals(now, file->id))
            return false;
        file->id = now;
    }
    return true;
}

bool sqlite_has_moved(const struct db *db)
{
    for (size_t i = 0; i < db->file_count; i++)
        if (!is_same(&db->files[i]))
            return true;
    return false;
}

/* Whether another process has the database open. To close a file drops the locks that
 * SQLite holds on it in this process, so there must be no connection. */
static bool is_in_use(const char *path)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_start = DB_SHARED_FIRST, .l_len = DB_SHARED_BYTES};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool used = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (fd >= 0)
        (void)close(fd);
    return used;
}

static enum status wait_for_wal(const struct db *db, struct problem *why)
{
    const int64_t until_ms = clock_monotonic_ms() + WAL_WAIT_MS;
    const char *data = db->files[DATA].path, *wal = db->files[WAL].path;

    while (access(wal, F_OK) != 0 && errno == ENOENT && is_in_use(data)) {
        if (clock_monotonic_ms() >= until_ms)
            return problem_set(why, STATUS_UNAVAILABLE,
                               "%s was removed while other processes use the database: let "
                               "them end first, so that they can save its changes",
                               wal);
        (void)poll(NULL, 0, WAL_LOOK_MS);
    }
    return STATUS_OK;
}

static bool has_moved_here(const struct db *db, const struct db *open)
{
    for (; open != NULL; open = open->next)
        if (file_id_equals(open->files[DATA].id, db->files[DATA].id) &&
            sqlite_has_moved(open))
            return true;
    return false;
}

enum status sqlite_await_files(const struct db *db, const struct db *open,
                               struct problem *why)
{
    if (has_moved_here(db, open))
        return problem_set(why, STATUS_UNAVAILABLE,
                           "files of %s were removed or replaced just now: try again",
                           db->files[DATA].path);
    return open == NULL ? wait_for_wal(db, why) : STATUS_OK;
}

/* Whether connections that use the same files as this one are the only ones that have
 * written since the WAL was removed. */
static bool may_save(const struct db *db)
{
    return is_same(&db->files[DATA]) && file_size_bytes(db->files[WAL].path) <= 0;
}

/* An empty WAL in the place of the one that was removed, for connections that are opened
 * while there are others. A sandboxed process may make the file, but not open it. */
static void make_wal(const struct db *db)
{
    struct stat data = {.st_mode = 0};

    (void)stat(db->files[DATA].path, &data);
    (void)mknod(db->files[WAL].path, S_IFREG | (data.st_mode & 0666), 0);
}

/* The lock is held, so no connection writes meanwhile. */
static enum status save_wal(struct db *db)
{
    if (db->has_saved)
        return STATUS_OK;
    if (!may_save(db) ||
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                  NULL) != SQLITE_OK)
        return STATUS_UNKNOWN;
    db->has_saved = true;
    make_wal(db);
    return STATUS_OK;
}

/* A connection with another index does not know of this commit, and overwrites it. */
static bool has_other_index(const struct db *db)
{
    struct file_id now = file_id_at(db->files[INDEX].path);

    return now.ino != 0 && !file_id_equals(now, db->files[INDEX].id);
}

enum status sqlite_keep_commit(struct db *db)
{
    if (!sqlite_has_moved(db))
        return STATUS_OK;
    if (!is_same(&db->files[WAL]))
        return save_wal(db);
    return is_same(&db->files[DATA]) && !has_other_index(db) ? STATUS_OK : STATUS_UNKNOWN;
}

/* Which file it was, and what has become of its content. */
static void tell(struct db *db, enum status saved)
{
    const char *content = "";
    size_t i = 0;

    while (i + 1 < db->file_count && is_same(&db->files[i]))
        i++;
    if (i == WAL)
        content = saved == STATUS_OK ? ": its changes were saved in the database"
                                     : ": its changes could not be saved";
    (void)snprintf(db->failure, sizeof db->failure,
                   "%.160s was removed or replaced while in use%s", db->files[i].path,
                   content);
}

enum status sqlite_leave_files(struct db *db)
{
    tell(db, is_same(&db->files[WAL]) ? STATUS_OK : save_wal(db));
    return STATUS_UNAVAILABLE;
}

enum status db_guard(struct db *db)
{
    if (!sqlite_has_moved(db))
        return STATUS_OK;
    enum status status = lock_take(db->lock, WAL_WAIT_MS);
    if (status != STATUS_OK)
        return status;
    (void)sqlite_leave_files(db);
    lock_release(db->lock);
    return STATUS_UNAVAILABLE;
}
