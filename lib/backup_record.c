#include "lib/backup_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/db_files.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/json_writer.h"
#include "lib/utf8.h"

enum {
    RECORD_MODE = 0640,
    RECORD_MAX_BYTES = 32 * 1024, /* of the file: a path with every byte escaped fits */
    ARENA_BYTES = 8 * RECORD_MAX_BYTES,
};

static enum status name_record(char out[DB_FILE_PATH_BYTES], const char *database,
                               struct problem *why)
{
    return db_files_beside(out, DB_FILE_PATH_BYTES, database, "backup")
               ? STATUS_OK
               : problem_set(why, STATUS_IO, "the path of the database is too long");
}

/* {NULL, 0}: memory is short. */
static struct span text_of(const struct backup_record *record, struct arena *arena)
{
    struct json_writer w;
    char at[CLOCK_TEXT_BYTES];

    clock_format(record->at_ms, at);
    json_begin(&w, arena, 0);
    json_open(&w, '{');
    json_put_name(&w, "backup_at");
    json_put_plain(&w, span_of(at));
    json_put_name(&w, "backup");
    json_put_string(&w, span_of(utf8_valid(span_of(record->path)) ? record->path : ""));
    json_put_name(&w, "size_bytes");
    json_put_integer(&w, record->size_bytes);
    json_close(&w, '}');
    return json_written(&w);
}

static bool write_text(int fd, struct span text)
{
    ssize_t written = write(fd, text.data, text.len);

    if (written >= 0 && (size_t)written != text.len)
        errno = ENOSPC; /* a file is written in part only where there is no more room */
    return written == (ssize_t)text.len && write(fd, "\n", 1) == 1 &&
           fchmod(fd, RECORD_MODE) == 0 && fsync(fd) == 0;
}

static enum status write_file(const char *temporary, const char *path, struct span text,
                              struct problem *why)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, RECORD_MODE);

    if (fd < 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot make %s: %s", path,
                           strerror(errno));
    bool written = write_text(fd, text);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && rename(temporary, path) == 0)
        return file_sync_directory_of(path);
    if (written)
        error = errno;
    (void)unlink(temporary);
    return problem_set(why, STATUS_IO, "cannot write %s: %s", path, strerror(error));
}

enum status backup_record_write(const char *database, const struct backup_record *record,
                                struct problem *why)
{
    char path[DB_FILE_PATH_BYTES], temporary[DB_FILE_PATH_BYTES + 32];
    struct arena *arena = arena_create(ARENA_BYTES);
    enum status status = name_record(path, database, why);

    if (status == STATUS_OK) {
        struct span text = arena != NULL ? text_of(record, arena) : (struct span){NULL, 0};
        (void)snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid());
        status = text.data != NULL ? write_file(temporary, path, text, why)
                                   : problem_set(why, STATUS_NO_MEMORY, "out of memory");
    }
    arena_free(arena);
    return status;
}

/* At most size bytes of the file. */
static enum status read_file(char *out, size_t size, size_t *len, const char *path,
                             struct problem *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 && errno == ENOENT)
        return problem_set(why, STATUS_NOT_FOUND, "there is no %s", path);
    ssize_t got = fd < 0 ? -1 : read(fd, out, size);
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    if (got < 0)
        return problem_set(why, STATUS_IO, "cannot read %s: %s", path, strerror(error));
    *len = (size_t)got;
    return STATUS_OK;
}

static bool take_members(struct backup_record *out, struct json_object *object)
{
    struct json_object *size = json_member(object, "size_bytes");
    struct span at = json_string(json_member(object, "backup_at"));
    struct span path = json_string(json_member(object, "backup"));

    if (at.data == NULL || path.data == NULL || path.len >= sizeof out->path ||
        memchr(path.data, '\0', path.len) != NULL ||
        !json_object_is_type(size, json_type_int) || json_object_get_int64(size) < 0 ||
        clock_parse(&out->at_ms, at) != STATUS_OK)
        return false;
    out->size_bytes = json_object_get_int64(size);
    memcpy(out->path, path.data, path.len);
    return true;
}

static enum status parse(struct backup_record *out, struct span text, const char *path,
                         struct arena *arena, struct problem *why)
{
    struct json_object *object = NULL;
    enum json_kind kind = json_parse(&object, text, arena);
    bool taken = kind == JSON_OBJECT && take_members(out, object);

    json_object_put(object);
    if (taken)
        return STATUS_OK;
    if (kind == JSON_NO_MEMORY)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    return problem_set(why, STATUS_INVALID,
                       "%s does not say when the last backup was made: remove it, and make "
                       "a backup",
                       path);
}

/* The content of the file is in the arena. */
static enum status read_record(struct backup_record *out, const char *path,
                               struct arena *arena, struct problem *why)
{
    char *bytes = arena_alloc(arena, RECORD_MAX_BYTES);
    size_t len = 0;

    if (bytes == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    enum status status = read_file(bytes, RECORD_MAX_BYTES, &len, path, why);
    return status == STATUS_OK ? parse(out, (struct span){bytes, len}, path, arena, why)
                               : status;
}

enum status backup_record_read(struct backup_record *out, const char *database,
                               struct problem *why)
{
    char path[DB_FILE_PATH_BYTES];
    struct arena *arena = arena_create(ARENA_BYTES);
    enum status status = arena != NULL
                             ? name_record(path, database, why)
                             : problem_set(why, STATUS_NO_MEMORY, "out of memory");

    *out = (struct backup_record){.path = ""};
    if (status == STATUS_OK)
        status = read_record(out, path, arena, why);
    if (status != STATUS_OK)
        *out = (struct backup_record){.path = ""};
    arena_free(arena);
    return status;
}

enum status backup_record_remove(const char *database, struct problem *why)
{
    char path[DB_FILE_PATH_BYTES];
    enum status status = name_record(path, database, why);

    if (status != STATUS_OK)
        return status;
    if (unlink(path) == 0)
        return file_sync_directory_of(path);
    return errno == ENOENT
               ? STATUS_OK
               : problem_set(why, STATUS_IO, "cannot remove %s: %s", path, strerror(errno));
}
