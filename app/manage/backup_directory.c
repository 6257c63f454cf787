#include "app/manage/backup_directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/acting.h"
#include "lib/clock.h"
#include "lib/db.h"

enum {
    STAMP_LEN = BACKUP_STAMP_BYTES - 1,
    WAITS_MAX = 10, /* for a second that no copy has yet */
};

static const char ending[] = ".db";

/* The copies of a directory. */
struct copies {
    char (*stamps)[BACKUP_STAMP_BYTES];
    size_t count, room;
};

static int compare_newest_first(const void *a, const void *b)
{
    return strcmp(b, a);
}

/* "20260131T120000Z" */
static bool is_stamp(const char *text)
{
    for (size_t i = 0; i < STAMP_LEN; i++) {
        char wanted = i == 8 ? 'T' : i == STAMP_LEN - 1 ? 'Z' : '\0';
        if (wanted != '\0' ? text[i] != wanted : !isdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static void stamp_of(char out[BACKUP_STAMP_BYTES], int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];
    size_t len = 0;

    clock_format(ms, text);
    for (const char *c = text; *c != '.'; c++)
        if (*c != '-' && *c != ':')
            out[len++] = *c;
    (void)snprintf(out + len, BACKUP_STAMP_BYTES - len, "Z");
}

/* What follows the name of a copy of this stem in name, whose time goes to stamp. NULL:
 * name does not begin with one. */
static const char *after_copy(const struct backup_directory *directory, const char *name,
                              char stamp[BACKUP_STAMP_BYTES])
{
    size_t stem = strlen(directory->stem);

    if (strncmp(name, directory->stem, stem) != 0 || name[stem] != '-' ||
        !is_stamp(name + stem + 1))
        return NULL;
    memcpy(stamp, name + stem + 1, STAMP_LEN);
    stamp[STAMP_LEN] = '\0';
    name += stem + 1 + STAMP_LEN;
    return strncmp(name, ending, strlen(ending)) == 0 ? name + strlen(ending) : NULL;
}

/* Whether what follows the name of a copy is that of an unfinished one, or of a file that
 * the database engine makes beside it: ".4711.partial-wal" */
static bool is_unfinished(const char *after)
{
    static const char *const more[] = {"", "-journal", "-wal", "-shm"};
    size_t digits = after[0] == '.' ? strspn(after + 1, "0123456789") : 0;
    const char *rest = after + 1 + digits;

    if (digits == 0 || strncmp(rest, DB_UNFINISHED, strlen(DB_UNFINISHED)) != 0)
        return false;
    rest += strlen(DB_UNFINISHED);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (strcmp(rest, more[i]) == 0)
            return true;
    return false;
}

static bool is_regular(const struct backup_directory *directory, const char *name)
{
    struct stat info;

    return fstatat(directory->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(info.st_mode);
}

static bool is_whole(const struct backup_directory *directory, const char *name)
{
    int fd = openat(directory->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool whole = fd >= 0 && db_copy_is_whole(fd);

    if (fd >= 0)
        (void)close(fd);
    return whole;
}

static enum status cannot(const char *what, const struct backup_directory *directory,
                          const char *name, struct problem *why)
{
    return problem_set(why, STATUS_IO, "cannot %s %s/%s: %s", what, directory->path, name,
                       strerror(errno));
}

/* Calls function for each entry, until one does not return STATUS_OK. */
static enum status each_entry(struct backup_directory *directory,
                              enum status (*function)(struct backup_directory *directory,
                                                      const char *name, void *arg,
                                                      struct problem *why),
                              void *arg, struct problem *why)
{
    int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    enum status status = STATUS_OK;
    struct dirent *entry;

    if (entries == NULL) {
        status = cannot("read", directory, "", why);
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    while (status == STATUS_OK && (errno = 0, entry = readdir(entries)) != NULL)
        status = function(directory, entry->d_name, arg, why);
    if (status == STATUS_OK && errno != 0)
        status = cannot("read", directory, "", why);
    (void)closedir(entries);
    return status;
}

static enum status remove_leftover(struct backup_directory *directory, const char *name,
                                   void *unused, struct problem *why)
{
    char stamp[BACKUP_STAMP_BYTES];
    const char *after = after_copy(directory, name, stamp);

    (void)unused;
    if (after == NULL || !is_unfinished(after) || !is_regular(directory, name))
        return STATUS_OK;
    return unlinkat(directory->fd, name, 0) == 0 || errno == ENOENT
               ? STATUS_OK
               : cannot("remove", directory, name, why);
}

/* crmnotes of /var/lib/crmnotes/crmnotes.db */
static void find_stem(struct backup_directory *directory, const char *database)
{
    char copy[PATH_MAX]; /* basename writes into it */

    (void)snprintf(copy, sizeof copy, "%s", database);
    (void)snprintf(directory->stem, sizeof directory->stem, "%s", basename(copy));
    size_t len = strlen(directory->stem);
    if (len > strlen(ending) && strcmp(directory->stem + len - strlen(ending), ending) == 0)
        directory->stem[len - strlen(ending)] = '\0';
}

static enum status take_lock(struct backup_directory *directory, struct problem *why)
{
    char path[PATH_MAX + NAME_MAX + 16];

    (void)snprintf(path, sizeof path, "%s/.%s.lock", directory->path, directory->stem);
    enum status status = lock_open(&directory->lock, path, directory->path, why);
    if (status != STATUS_OK)
        return status == STATUS_UNAVAILABLE ? STATUS_CANT_CREATE : status;
    status = lock_take(directory->lock, 0);
    if (status == STATUS_BUSY)
        return problem_set(why, status,
                           "another backup is being written to %s: try again when it is "
                           "done",
                           directory->path);
    return status == STATUS_OK
               ? status
               : problem_set(why, STATUS_IO, "cannot lock %s: %s", path, strerror(errno));
}

enum status backup_directory_open(struct backup_directory *out, const char *path,
                                  const char *database, struct problem *why)
{
    *out = (struct backup_directory){.fd = -1};
    find_stem(out, database);
    if (realpath(path, out->path) != NULL)
        out->fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->fd < 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot open the directory %s: %s%s",
                           path, strerror(errno),
                           errno == ENOENT   ? ": make it first"
                           : errno == EACCES ? ACTING_ADVICE
                                             : "");
    enum status status = take_lock(out, why);
    return status == STATUS_OK ? each_entry(out, remove_leftover, NULL, why) : status;
}

/* 2026-01-31T12:00:00.250Z: 750 ms. */
static void wait_for_next_second(int64_t now_ms)
{
    const struct timespec rest = {.tv_nsec = (1000 - now_ms % 1000) * 1000000 - 1};

    (void)nanosleep(&rest, NULL);
}

static bool name_copy(struct backup_directory *directory, char *out, size_t size,
                      int64_t now_ms)
{
    stamp_of(directory->newest, now_ms);
    int len = snprintf(out, size, "%s/%s-%s%s", directory->path, directory->stem,
                       directory->newest, ending);
    return len >= 0 && (size_t)len < size;
}

enum status backup_directory_name(struct backup_directory *directory, char *out,
                                  size_t size, int64_t *now_ms, struct problem *why)
{
    for (int i = 0; i < WAITS_MAX; i++) {
        if (!name_copy(directory, out, size, *now_ms))
            return problem_set(why, STATUS_CANT_CREATE, "the path of %s is too long",
                               directory->path);
        if (access(out, F_OK) != 0)
            break;
        wait_for_next_second(*now_ms);
        *now_ms = clock_now_ms();
    }
    return STATUS_OK; /* a name that is taken still is refused by db_backup */
}

static bool add_stamp(struct copies *copies, const char *stamp)
{
    if (copies->count == copies->room) {
        size_t room = copies->room == 0 ? 64 : 2 * copies->room;
        void *more = realloc(copies->stamps, room * sizeof copies->stamps[0]);
        if (more == NULL)
            return false;
        copies->stamps = more;
        copies->room = room;
    }
    memcpy(copies->stamps[copies->count++], stamp, BACKUP_STAMP_BYTES);
    return true;
}

struct search {
    struct copies copies; /* but the newest */
    struct backup_removal *found;
};

static enum status take_entry(struct backup_directory *directory, const char *name,
                              void *arg, struct problem *why)
{
    struct search *search = arg;
    char stamp[BACKUP_STAMP_BYTES];
    const char *after = after_copy(directory, name, stamp);

    if (after == NULL || after[0] != '\0' || !is_regular(directory, name) ||
        strcmp(stamp, directory->newest) == 0)
        return STATUS_OK;
    if (!is_whole(directory, name)) {
        search->found->incomplete++;
        (void)snprintf(search->found->example, sizeof search->found->example, "%s", name);
        return STATUS_OK;
    }
    return add_stamp(&search->copies, stamp)
               ? STATUS_OK
               : problem_set(why, STATUS_NO_MEMORY, "out of memory");
}

static enum status remove_copy(struct backup_directory *directory, const char *stamp,
                               struct problem *why)
{
    char name[NAME_MAX + 1 + STAMP_LEN + sizeof "-" + sizeof ending];

    (void)snprintf(name, sizeof name, "%s-%s%s", directory->stem, stamp, ending);
    return unlinkat(directory->fd, name, 0) == 0 || errno == ENOENT
               ? STATUS_OK
               : cannot("remove", directory, name, why);
}

enum status backup_directory_keep(struct backup_directory *directory, int64_t keep,
                                  struct backup_removal *out, struct problem *why)
{
    struct search search = {.found = out};
    struct copies *copies = &search.copies;

    *out = (struct backup_removal){.example = ""};
    enum status status = each_entry(directory, take_entry, &search, why);
    if (status == STATUS_OK && copies->count > 0)
        qsort(copies->stamps, copies->count, sizeof copies->stamps[0],
              compare_newest_first);
    for (size_t i = (size_t)keep - 1; status == STATUS_OK && i < copies->count; i++) {
        status = remove_copy(directory, copies->stamps[i], why);
        out->removed += status == STATUS_OK;
    }
    free(copies->stamps);
    return status;
}

void backup_directory_close(struct backup_directory *directory)
{
    lock_close(directory->lock);
    directory->lock = NULL;
    if (directory->fd >= 0)
        (void)close(directory->fd);
    directory->fd = -1;
}
