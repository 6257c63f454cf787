/*
 * Being the only user of a database, for putting another one in its place.
 *
 * A service uses its database from its start to its end, whether it has a connection or
 * not: it says so by db_use. Other programs use it while they have a connection.
 *
 * db_open with DB_ALONE opens a database for its only user.
 */
#ifndef LIB_DB_ALONE_H
#define LIB_DB_ALONE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "lib/db.h"
#include "lib/lock.h"

struct db_alone;

/*
 * Says that this process, and those that it forks from now on, use the database at
 * location. *out belongs to the caller, who keeps it to the end of the process. Failures as
 * lock_open.
 */
enum status db_use(struct lock **out, const char *location, struct problem *why);

/* Whether there is a process that has said so, which may be this one. */
bool db_is_used(const char *location);

/*
 * Becomes the only user: until db_alone_end no connection can be opened, except by DB_ALONE
 * in this process, which must have none to it at this moment. STATUS_OK also where there is
 * no database. STATUS_BUSY: it is in use; why says by which process, where that is known.
 * STATUS_UNAVAILABLE: the file cannot be opened.
 */
enum status db_alone_begin(struct db_alone **out, const char *location,
                           struct problem *why);

/* NULL is allowed. */
void db_alone_end(struct db_alone *alone);

/*
 * Makes the database complete by itself, if nothing else uses it: SQLite's WAL is emptied
 * into the database file, so that a -wal that is lost takes nothing along. This process
 * must have no connection to it.
 */
void db_alone_complete(const char *location);

/*
 * Makes an empty file beside the database, with the owner and mode of the database or,
 * where there is none, of a new one. Returns its descriptor, or -1. path gets its name,
 * for db_alone_replace or db_alone_remove_file.
 */
int db_alone_make_file(const struct db_alone *alone, char *path, size_t size,
                       struct problem *why);

/*
 * Puts the database in the file path, to which no connection is open any more, in place of
 * the present one. db_finish must have emptied its WAL. kept (NULL: it is not kept) is the
 * name that the present one gets, if there is one. Whenever this process or the machine
 * stops, either the present one or the new one is in place as a whole; only if the present
 * one is damaged, it may be incomplete then, and kept is complete.
 */
enum status db_alone_replace(struct db_alone *alone, const char *path, const char *kept,
                             struct problem *why);

/* The path of the database; where location is a symbolic link, of what it leads to. */
const char *db_alone_path(const struct db_alone *alone);

/* Whether that is the file of the database. */
bool db_alone_is_database(const struct db_alone *alone, const struct stat *info);

/* Removes a file of db_alone_make_file, with what the engine has made beside it. */
void db_alone_remove_file(const char *path);

#endif
