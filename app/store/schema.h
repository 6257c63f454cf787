/*
 * The database's schema, and opening a database that has it.
 */
#ifndef APP_STORE_SCHEMA_H
#define APP_STORE_SCHEMA_H

#include "lib/db.h"
#include "lib/migrate.h"

/* The embedded migrations, made from migrations/ by the build. */
extern const struct migration schema_migrations[];
extern const size_t schema_migrations_count;

/* Everything migrate.h wants to know of this program. */
struct migrations schema_ours(void);

/*
 * Opens the database for reading or writing and makes sure that its schema is exactly this
 * program's. Where it is not, or there is no database, why says which command to run.
 * After fork only.
 */
enum status schema_open(struct db **out, const char *path, enum db_mode mode,
                        struct problem *why);

#endif
