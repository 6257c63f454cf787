#include "lib/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

enum status db_check(struct db *db, struct problem *why)
{
    static const char integrity[] = "PRAGMA integrity_check(1)";
    static const char references[] = "PRAGMA foreign_key_check";
    struct db_rows rows;
    enum status status = db_query(db, &rows, integrity, NULL, 0);

    if (status != STATUS_OK)
        return problem_set(why, status, "cannot check the database: %s", db_message(db));
    struct span answer = db_text(&rows, 0);
    bool sound = span_equals(answer, span_of("ok"));
    if (!sound)
        (void)problem_set(why, STATUS_INVALID, "the database is damaged: %.*s",
                          (int)answer.len, answer.data);
    db_done(&rows);
    if (!sound)
        return STATUS_INVALID;
    status = db_query(db, &rows, references, NULL, 0);
    if (status == STATUS_OK) {
        struct span table = db_text(&rows, 0);
        (void)problem_set(why, STATUS_INVALID,
                          "a row of table %.*s refers to a row that does not exist",
                          (int)table.len, table.data);
        db_done(&rows);
        return STATUS_INVALID;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK
                                      : problem_set(why, status, "%s", db_message(db));
}

/* The copy that VACUUM INTO makes is not in WAL mode, and db_open would refuse it. */
static enum status finish_copy(const char *path, db_copy_check *check, struct problem *why)
{
    struct db copy = {.handle = NULL};
    enum status status = STATUS_IO;

    if (sqlite3_open_v2(path, &copy.handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite_answers(&copy, "PRAGMA journal_mode=WAL", "wal"))
        status = db_check(&copy, why);
    else
        (void)problem_set(why, status, "cannot open the copy: %s", db_message(&copy));
    if (status == STATUS_OK && check != NULL)
        status = check(&copy, why);
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(copy.statements[i].statement);
    sqlite3_close(copy.handle);
    return status;
}

static enum status cannot_make(const char *path, struct problem *why)
{
    return problem_set(why, STATUS_CANT_CREATE, "cannot make %s: %s", path,
                       strerror(errno));
}

static enum status cannot_sync(const char *path, struct problem *why)
{
    return problem_set(why, STATUS_IO, "cannot sync %s: %s", path, strerror(errno));
}

static enum status write_copy(struct db *db, const char *temporary, const char *path,
                              db_copy_check *check, struct problem *why)
{
    static const char vacuum_into[] = "VACUUM INTO ?1";

    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || close(fd) != 0)
        return cannot_make(path, why);
    enum status status = DB_RUN(db, NULL, vacuum_into, DB_TEXT(span_of(temporary)));
    if (status != STATUS_OK)
        return problem_set(why, status, "cannot write the copy %s: %s", path,
                           db_message(db));
    status = finish_copy(temporary, check, why);
    if (status != STATUS_OK)
        return status;
    if (file_sync(temporary) != STATUS_OK)
        return cannot_sync(path, why);
    if (!file_rename_new(temporary, path))
        return cannot_make(path, why);
    return file_sync_directory_of(path) == STATUS_OK ? STATUS_OK : cannot_sync(path, why);
}

enum status db_backup(struct db *db, const char *path, db_copy_check *check,
                      struct problem *why)
{
    if (access(path, F_OK) == 0)
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s exists already: choose another name", path);
    size_t size = strlen(path) + sizeof ".2147483647" DB_UNFINISHED;
    char *temporary = malloc(size);
    if (temporary == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    (void)snprintf(temporary, size, "%s.%d" DB_UNFINISHED, path, (int)getpid());
    enum status status = write_copy(db, temporary, path, check, why);
    db_alone_remove_file(temporary);
    free(temporary);
    return status;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
           bytes[3];
}

/* The head of a database file: https://sqlite.org/fileformat2.html#the_database_header */
bool db_copy_is_whole(int fd)
{
    unsigned char head[100];
    struct stat info;

    if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head, "SQLite format 3", 16) != 0 || fstat(fd, &info) != 0)
        return false;
    int64_t page_bytes = head[16] << 8 | head[17];
    if (page_bytes == 1)
        page_bytes = 65536;
    return info.st_size == page_bytes * big_endian(head + 28);
}
