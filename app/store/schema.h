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
 * Opens the database as db_open does, after fork, and checks by migrate_check that its
 * schema is this program's. Where a migration or a database is missing, why names the
 * command that makes it.
 */
enum status schema_open(struct db **out, const char *location, enum db_mode mode,
                        struct problem *why);

enum {
    SCHEMA_CHECK_MS = 1000, /* how often a process that serves checks the schema again */
};

/* Checks as schema_open does, for a connection that is open: a newer program may have
 * migrated the database meanwhile. */
enum status schema_check(struct db *db, struct problem *why);

#endif
