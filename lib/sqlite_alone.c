#include "lib/db_alone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/acting.h"
#include "lib/db_files.h"
#include "lib/sqlite.h"

enum {
    NEW_FILE_MODE = 0660, /* less umask */
};

struct db_alone {
    int fd; /* of the database file, with a write lock on all that SQLite locks; -1: none */
    struct stat info;
    char path[DB_FILE_PATH_BYTES]; /* where location is a link, what it leads to */
};

/* What SQLite appends to the database's name, and may hold changes. */
static const char *const endings[] = {"-wal", "-journal"};

enum {
    ENDINGS = sizeof endings / sizeof endings[0],
};

int sqlite_open_alone(sqlite3 **out, const char *path)
{
    /* a file system driver without locks: that of struct db_alone would exclude SQLite */
    int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                               "unix-none");

    return code == SQLITE_OK
               ? sqlite3_exec(*out, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL)
               : code;
}

enum status db_use(struct lock **out, const char *location, struct problem *why)
{
    enum status status = sqlite_open_lock(out, location, why);

    if (status != STATUS_OK)
        return status;
    status = lock_add_user(*out);
    if (status == STATUS_OK)
        return status;
    lock_close(*out);
    *out = NULL;
    return problem_set(why, status, "cannot lock %s.lock: %s", location, strerror(errno));
}

static struct flock whole(short type)
{
    return (struct flock){
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = DB_LOCKS_FIRST,
        .l_len = DB_LOCKS_BYTES,
    };
}

static enum status say_who(int fd, const char *location, struct problem *why)
{
    struct flock other = whole(F_WRLCK);

    if (fcntl(fd, F_OFD_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
        return problem_set(why, STATUS_BUSY, "the database %s is in use by process %d",
                           location, (int)other.l_pid);
    return problem_set(why, STATUS_BUSY, "the database %s is in use", location);
}

bool db_is_used(const char *location)
{
    char path[DB_FILE_PATH_BYTES];

    return db_files_beside(path, sizeof path, location, "lock") && lock_has_users(path);
}

enum status sqlite_require_unused(const char *location, struct problem *why)
{
    return db_is_used(location)
               ? problem_set(why, STATUS_BUSY,
                             "the database %s is in use by a running service", location)
               : STATUS_OK;
}

/* False: another file has taken its place since it was opened. */
static bool is_in_place(struct db_alone *alone)
{
    return fstat(alone->fd, &alone->info) == 0 &&
           file_id_equals(file_id_at(alone->path), file_id_of(&alone->info));
}

static enum status exclude_others(struct db_alone *alone, const char *location,
                                  struct problem *why)
{
    struct flock all = whole(F_WRLCK);

    alone->fd = open(alone->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (alone->fd < 0 && errno == ENOENT)
        return STATUS_OK;
    if (alone->fd < 0)
        return problem_set(why, STATUS_UNAVAILABLE, "cannot open the database %s: %s%s",
                           location, strerror(errno), errno == EACCES ? ACTING_ADVICE : "");
    if (fcntl(alone->fd, F_OFD_SETLK, &all) != 0)
        return errno == EAGAIN || errno == EACCES
                   ? say_who(alone->fd, location, why)
                   : problem_set(why, STATUS_UNAVAILABLE, "cannot lock the database %s: %s",
                                 location, strerror(errno));
    if (!is_in_place(alone))
        return problem_set(why, STATUS_BUSY, "the database %s was replaced just now",
                           location);
    return STATUS_OK;
}

enum status db_alone_begin(struct db_alone **out, const char *location, struct problem *why)
{
    struct db_alone *alone = calloc(1, sizeof *alone);
    struct db_files files;

    *out = NULL;
    if (alone == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    alone->fd = -1;
    db_files_find(&files, location);
    memcpy(alone->path, files.list[0].path, sizeof alone->path);
    enum status status = exclude_others(alone, location, why);
    if (status == STATUS_OK)
        status = sqlite_require_unused(location, why);
    if (status != STATUS_OK) {
        db_alone_end(alone);
        return status;
    }
    *out = alone;
    return STATUS_OK;
}

void db_alone_end(struct db_alone *alone)
{
    if (alone == NULL)
        return;
    if (alone->fd >= 0)
        (void)close(alone->fd);
    free(alone);
}

const char *db_alone_path(const struct db_alone *alone)
{
    return alone->path;
}

bool db_alone_is_database(const struct db_alone *alone, const struct stat *info)
{
    return alone->fd >= 0 && file_id_equals(file_id_of(info), file_id_of(&alone->info));
}

/* As root: the owner of the database, or of the directory where it will be. */
static bool give_to_owner(const struct db_alone *alone, int fd)
{
    struct db_files files;
    struct stat directory;

    if (geteuid() != 0)
        return true;
    if (alone->fd >= 0)
        return fchown(fd, alone->info.st_uid, alone->info.st_gid) == 0;
    db_files_name(&files, alone->path);
    return stat(files.directory, &directory) == 0 &&
           fchown(fd, directory.st_uid, directory.st_gid) == 0;
}

int db_alone_make_file(const struct db_alone *alone, char *path, size_t size,
                       struct problem *why)
{
    int len = snprintf(path, size, "%s.%d.tmp", alone->path, (int)getpid());
    int fd = -1;

    if (len >= 0 && (size_t)len < size)
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, NEW_FILE_MODE);
    if (fd >= 0 && give_to_owner(alone, fd) &&
        (alone->fd < 0 || fchmod(fd, alone->info.st_mode & 0777) == 0))
        return fd;
    (void)problem_set(why, STATUS_CANT_CREATE, "cannot make %s: %s", path, strerror(errno));
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return -1;
}

/* Brings the content of the WAL, or of a hot journal, into the database file. */
static int checkpoint(const char *path)
{
    static const char read[] =
        "PRAGMA synchronous=FULL; SELECT count(*) FROM sqlite_schema";
    sqlite3 *handle = NULL;
    int code = sqlite_open_alone(&handle, path);

    (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle, read, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code =
            sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_close(handle);
    return code & 0xff;
}

/* Makes the database complete by itself, so that a -wal need not be kept together with it.
 * A damaged one is left as it is. */
static enum status complete(const struct db_alone *alone, struct problem *why)
{
    int code = alone->fd < 0 ? SQLITE_OK : checkpoint(alone->path);

    if (code == SQLITE_OK || code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return STATUS_OK;
    return problem_set(why, sqlite_status(code),
                       "cannot write the WAL of the present database %s into it: %s",
                       alone->path, sqlite3_errstr(code));
}

void db_alone_complete(const char *location)
{
    struct db_alone *alone = NULL;

    if (db_alone_begin(&alone, location, NULL) == STATUS_OK && alone != NULL)
        (void)complete(alone, NULL);
    db_alone_end(alone);
}

static enum status cannot(const char *what, const char *path, struct problem *why)
{
    return problem_set(why, STATUS_CANT_CREATE, "cannot %s %s: %s", what, path,
                       strerror(errno));
}

static void name_with(char out[DB_FILE_PATH_BYTES], const char *path, const char *ending)
{
    (void)snprintf(out, DB_FILE_PATH_BYTES, "%s%s", path, ending);
}

/* Gives the database and what belongs to it a second name. */
static enum status keep(const struct db_alone *alone, const char *kept, struct problem *why)
{
    char from[DB_FILE_PATH_BYTES], to[DB_FILE_PATH_BYTES];

    if (alone->fd >= 0 && link(alone->path, kept) != 0)
        return cannot("keep the present database as", kept, why);
    for (size_t i = 0; i < ENDINGS; i++) {
        name_with(from, alone->path, endings[i]);
        name_with(to, kept, endings[i]);
        if (file_size_bytes(from) > 0 && link(from, to) != 0)
            return cannot("keep the present database as", to, why);
    }
    return STATUS_OK;
}

static enum status remove_what_belongs_to_it(const char *path, struct problem *why)
{
    char name[DB_FILE_PATH_BYTES];

    for (size_t i = 0; i <= ENDINGS; i++) {
        name_with(name, path, i < ENDINGS ? endings[i] : "-shm");
        if (unlink(name) != 0 && errno != ENOENT)
            return cannot("remove", name, why);
    }
    return STATUS_OK;
}

static enum status sync_directory(const char *path, struct problem *why)
{
    return file_sync_directory_of(path) == STATUS_OK
               ? STATUS_OK
               : problem_set(why, STATUS_IO, "cannot sync the directory of %s: %s", path,
                             strerror(errno));
}

void db_alone_remove_file(const char *path)
{
    (void)remove_what_belongs_to_it(path, NULL);
    (void)unlink(path);
}

/* Makes sure that the new database is complete by itself and on the disk. */
static enum status finish_new(const char *path, struct problem *why)
{
    char wal[DB_FILE_PATH_BYTES];

    name_with(wal, path, endings[0]);
    if (file_size_bytes(wal) > 0)
        return problem_set(why, STATUS_INTERNAL, "the copy has a WAL");
    enum status status = remove_what_belongs_to_it(path, why);
    if (status == STATUS_OK && file_sync(path) != STATUS_OK)
        status = problem_set(why, STATUS_IO, "cannot sync %s: %s", path, strerror(errno));
    return status;
}

static enum status put_in_place(const struct db_alone *alone, const char *path,
                                struct problem *why)
{
    bool done = alone->fd >= 0 ? rename(path, alone->path) == 0
                               : file_rename_new(path, alone->path);

    return done ? sync_directory(alone->path, why)
                : cannot("put the copy in place of", alone->path, why);
}

/* The directory is synced before each step that depends on the former one: a -wal that came
 * back after a power cut would be applied to the new database. */
enum status db_alone_replace(struct db_alone *alone, const char *path, const char *kept,
                             struct problem *why)
{
    enum status status = finish_new(path, why);

    if (status == STATUS_OK)
        status = complete(alone, why);
    if (status == STATUS_OK && kept != NULL) {
        status = keep(alone, kept, why);
        if (status == STATUS_OK)
            status = sync_directory(alone->path, why);
    }
    if (status == STATUS_OK)
        status = remove_what_belongs_to_it(alone->path, why);
    if (status == STATUS_OK)
        status = sync_directory(alone->path, why);
    return status == STATUS_OK ? put_in_place(alone, path, why) : status;
}
