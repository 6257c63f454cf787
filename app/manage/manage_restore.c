#include "app/manage/manage_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/manage/key_secret.h"
#include "app/store/key_mark.h"
#include "app/store/schema.h"
#include "lib/acting.h"
#include "lib/backup_record.h"
#include "lib/clock.h"
#include "lib/file.h"

static enum status open_file(int *fd, const char *path, struct problem *why)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd >= 0)
        return STATUS_OK;
    return problem_set(why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                       "cannot open %s: %s%s", path, strerror(errno),
                       errno == EACCES ? ACTING_ADVICE : "");
}

static enum status require_database(int fd, const char *path, struct problem *why)
{
    static const char wanted[] = "SQLite format 3"; /* and a NUL */
    char found[sizeof wanted];

    if (pread(fd, found, sizeof found, 0) == (ssize_t)sizeof found &&
        memcmp(found, wanted, sizeof wanted) == 0)
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "%s is no database", path);
}

/* Refuses what is not a copy that is complete by itself. */
static enum status check_file(const struct restore *restore, int fd, struct problem *why)
{
    const char *path = restore->file;
    char wal[PATH_MAX];
    struct stat info;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return problem_set(why, STATUS_INVALID, "%s is no regular file", path);
    if (db_alone_is_database(restore->alone, &info))
        return problem_set(why, STATUS_INVALID, "%s is the database itself: name a copy",
                           path);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    if (file_size_bytes(wal) > 0)
        return problem_set(why, STATUS_INVALID,
                           "%s is not complete without %s: name a copy that db backup "
                           "has made",
                           path, wal);
    return require_database(fd, path, why);
}

static enum status copy_file(struct restore *restore, int from, struct problem *why)
{
    char *path = restore->path;
    int to = db_alone_make_file(restore->alone, path, sizeof restore->path, why);

    if (to < 0) {
        path[0] = '\0';
        return STATUS_CANT_CREATE;
    }
    bool copied = file_copy(from, to);
    int error = errno;
    (void)close(to);
    return copied ? STATUS_OK
                  : problem_set(why, STATUS_IO, "cannot copy %s to %s: %s", restore->file,
                                path, strerror(error));
}

static enum status check_key_file(const struct restore *restore, struct problem *why)
{
    struct key_source source;
    enum status status = STATUS_OK;

    if (restore->version < KEY_MARK_SINCE)
        return STATUS_OK;
    status = key_source_open(&source, restore->key_file, restore->database, why);
    if (status == STATUS_OK) {
        source.mark.database = restore->file;
        status = key_mark_fits(restore->copy, &source.mark, why);
    } else if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    }
    key_source_close(&source);
    return status == STATUS_INVALID ? STATUS_CONFIG : status;
}

static enum status open_copy(struct restore *restore, struct problem *why)
{
    struct problem reason = {""};
    enum status status = db_open(&restore->copy, restore->path, DB_ALONE, &reason);

    if (status == STATUS_UNAVAILABLE)
        return problem_set(why, STATUS_INVALID, "it is damaged: %s", reason.text);
    return status == STATUS_OK ? status : problem_set(why, status, "%s", reason.text);
}

static enum status check_copy(struct restore *restore, struct problem *why)
{
    struct migrations ours = schema_ours();
    enum status status = open_copy(restore, why);

    if (status == STATUS_OK)
        status = migrate_known(restore->copy, &ours, &restore->version, why);
    if (status == STATUS_OK)
        status = db_check(restore->copy, why);
    if (status != STATUS_OK) {
        problem_prefix(why, "%s", restore->file);
        return status;
    }
    return check_key_file(restore, why);
}

/* Opens the file, with the rights of the user who could put a link in its place. */
static enum status get_file(const struct restore *restore, int *fd, struct problem *why)
{
    struct acting reader, user;

    acting_find(&reader, restore->file);
    acting_find(&user, restore->database);
    enum status status = acting_as(&reader, why);
    if (status == STATUS_OK)
        status = open_file(fd, restore->file, why);
    if (status == STATUS_OK)
        status = check_file(restore, *fd, why);
    return acting_as(&user, why) == STATUS_OK ? status : STATUS_INTERNAL;
}

enum status manage_restore_begin(struct restore *restore, struct problem *why)
{
    int fd = -1;

    restore->copy = NULL;
    restore->path[0] = restore->kept[0] = restore->still_recorded.text[0] = '\0';
    enum status status = db_alone_begin(&restore->alone, restore->database, why);
    if (status == STATUS_OK)
        status = get_file(restore, &fd, why);
    if (status == STATUS_OK)
        status = copy_file(restore, fd, why);
    if (fd >= 0)
        (void)close(fd);
    return status == STATUS_OK ? check_copy(restore, why) : status;
}

/* The name says when the database was replaced. */
static void name_kept(struct restore *restore, int64_t now_ms)
{
    char text[CLOCK_TEXT_BYTES];

    clock_format(now_ms, text);
    (void)snprintf(restore->kept, sizeof restore->kept, "%s.before-%s",
                   db_alone_path(restore->alone), text);
}

static enum status replace(struct restore *restore, int64_t now_ms, struct problem *why)
{
    const char *kept = NULL;

    if (!restore->discard) {
        name_kept(restore, now_ms);
        kept = restore->kept;
    }
    enum status status = db_alone_replace(restore->alone, restore->path, kept, why);
    if (kept != NULL && access(kept, F_OK) != 0) /* there was no database */
        restore->kept[0] = '\0';
    if (status == STATUS_OK)
        (void)backup_record_remove(restore->database, &restore->still_recorded);
    return status;
}

enum status manage_restore_end(struct restore *restore, int64_t now_ms, enum status status,
                               struct problem *why)
{
    if (status == STATUS_OK)
        db_finish(restore->copy);
    db_close(restore->copy);
    restore->copy = NULL;
    if (status == STATUS_OK)
        status = replace(restore, now_ms, why);
    if (status != STATUS_OK && restore->path[0] != '\0')
        db_alone_remove_file(restore->path);
    db_alone_end(restore->alone);
    restore->alone = NULL;
    return status;
}
