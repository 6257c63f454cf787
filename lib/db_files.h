/*
 * The files of a database, known before it is opened: for the sandbox, for the check of
 * permissions at the start, and for root, to give files that it made to the service's user.
 *
 * A database that is reached through a server has none: count is 0 and both directories are
 * empty texts. Nothing here opens a file.
 */
#ifndef LIB_DB_FILES_H
#define LIB_DB_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/db.h"
#include "lib/file.h"

enum {
    DB_FILES_MAX = 4,
    DB_FILE_PATH_BYTES = PATH_MAX + 8, /* a path and what the engine appends to it */
};

/* What a connection does with a file. */
enum db_file_use {
    DB_FILE_READ = 1,
    DB_FILE_WRITE = 2,
};

struct db_file {
    char path[DB_FILE_PATH_BYTES];
    unsigned reader; /* enum db_file_use of a DB_READ connection; 0: does not open it */
    unsigned writer; /* of a DB_WRITE or DB_CREATE connection */
};

struct db_files {
    struct db_file list[DB_FILES_MAX]; /* the first one holds the data */
    size_t count;
    char directory[DB_FILE_PATH_BYTES];       /* in which the data are; the engine makes and
                                               * removes files there */
    char named_directory[DB_FILE_PATH_BYTES]; /* that of location as it is written; another
                                               * one only where that is a symbolic link */
};

/* Names the files of the database at location as the engine opens them now: where location
 * is a symbolic link, by what it leads to. They need not exist. */
void db_files_find(struct db_files *out, const char *location);

/* As db_files_find, but follows no symbolic link: for changing owners, which must not
 * affect files outside. */
void db_files_name(struct db_files *out, const char *location);

/* What a connection of this mode does with the file: enum db_file_use. */
unsigned db_file_use_of(const struct db_file *file, enum db_mode mode);

/* Whether the data are there, but not all of the files that a connection of this mode
 * opens. Opening the database makes them. */
bool db_files_missing(const char *location, enum db_mode mode);

/* The files that a connection of some mode would have opened at some time. Only
 * db_files_see and db_files_replaced use the content. */
struct db_files_seen {
    char location[PATH_MAX];
    enum db_mode mode;
    size_t count;
    struct file_id files[DB_FILES_MAX];
};

/* Records the files that a connection of this mode opens now. */
void db_files_see(struct db_files_seen *out, const char *location, enum db_mode mode);

/* Whether other files have been put in their place, or some were removed or made. False
 * while there are no data at all, because they may come back, and for a struct of zeros. */
bool db_files_replaced(const struct db_files_seen *seen);

/* Writes the path of a file beside the database, with this ending, that belongs to the
 * service and not to the engine. False: there is no such place, or it does not fit. */
bool db_files_beside(char *out, size_t size, const char *location, const char *ending);

#endif
