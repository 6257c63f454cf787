/*
 * The schema of this program's database, and opening a database that has it.
 */
#ifndef APP_STORE_SCHEMA_H
#define APP_STORE_SCHEMA_H

#include "lib/db.h"
#include "lib/migrate.h"

/* The embedded migrations, made from migrations/ by the build. */
extern const struct migration schema_migrations[];
extern const size_t schema_migrations_count;

/* The argument that the functions of lib/migrate.h take. */
struct migrations schema_ours(void);

/*
 * Appends what to do about a database that is missing (version 0) or has an earlier schema.
 * While a service uses it, that is never to migrate it at once: where the schema is missing
 * altogether, a file of it was probably removed. Returns status.
 */
enum status schema_advise(struct problem *why, enum status status, const char *location,
                          int version);

/*
 * Opens the database as db_open does, after fork, and checks by migrate_check that its
 * schema is this program's. Where a migration or a database is missing, why says what
 * to do.
 */
enum status schema_open(struct db **out, const char *location, enum db_mode mode,
                        struct problem *why);

/*
 * The same, but an earlier schema of this program will do as well, which is what a backup
 * before an upgrade finds. *version is the one that the database has.
 */
enum status schema_open_earlier(struct db **out, int *version, const char *location,
                                enum db_mode mode, struct problem *why);

/*
 * Checks as schema_open does, for a connection of a service that is open: a newer program
 * may have migrated the database meanwhile. Once a second; else STATUS_OK at once.
 * *checked_ms is when it was checked last (monotonic): at first, when it was opened.
 */
enum status schema_check(struct db *db, int64_t *checked_ms, struct problem *why);

#endif
