#include "lib/migrate.h"

#include <stdio.h>

#include "lib/clock.h"
#include "lib/secret.h"

enum {
    LOCK_TIMEOUT_MS = 30000,
};

static const char make_table[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " number INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " checksum BLOB NOT NULL,"      /* BLAKE2b-256 of the SQL text */
    " applied_at INTEGER NOT NULL," /* milliseconds since 1970, UTC */
    " program_version TEXT NOT NULL"
    ") STRICT";
static const char remember[] = "INSERT INTO schema_migrations VALUES (?1, ?2, ?3, ?4, ?5)";
static const char get_application_id[] = "PRAGMA application_id";
static const char get_user_version[] = "PRAGMA user_version";
static const char count_tables[] = "SELECT count(*) FROM sqlite_schema";

static enum status get_number(struct db *db, const char *sql, int64_t *number,
                              struct problem *why)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, sql, NULL, 0);

    if (status != STATUS_OK)
        return problem_set(why, status, "cannot read the schema version: %s",
                           db_message(db));
    *number = db_int(&rows, 0);
    db_done(&rows);
    return STATUS_OK;
}

enum status migrate_version(struct db *db, const struct migrations *ours, int *version,
                            struct problem *why)
{
    int64_t application = 0, number = 0, tables = 0;
    enum status status = get_number(db, get_application_id, &application, why);

    if (status == STATUS_OK)
        status = get_number(db, get_user_version, &number, why);
    if (status == STATUS_OK)
        status = get_number(db, count_tables, &tables, why);
    if (status != STATUS_OK)
        return status;
    *version = (int)number;
    bool empty = application == 0 && number == 0 && tables == 0;
    if (application != ours->application_id && !empty)
        return problem_set(why, STATUS_SCHEMA, "the database belongs to another program");
    return STATUS_OK;
}

enum status migrate_check(struct db *db, const struct migrations *ours, struct problem *why)
{
    int version = 0;
    enum status status = migrate_version(db, ours, &version, why);

    if (status != STATUS_OK || version == (int)ours->count)
        return status;
    if (version < (int)ours->count)
        return problem_set(why, STATUS_SCHEMA,
                           "the database has schema %d, this program needs %zu", version,
                           ours->count);
    return problem_set(why, STATUS_SCHEMA,
                       "the database has schema %d, this program knows only %zu: "
                       "use a newer program",
                       version, ours->count);
}

static enum status run_one(struct db *db, const struct migration *m,
                           const struct migrations *ours)
{
    struct secret_hash checksum;
    char pragmas[128];
    enum status status = db_script(db, make_table);

    if (status == STATUS_OK)
        status = db_script(db, m->sql);
    if (status != STATUS_OK)
        return status;
    secret_hash(&checksum, NULL, "migration", span_of(m->sql));
    status = DB_RUN(db, NULL, remember, DB_INT(m->number), DB_TEXT(span_of(m->name)),
                    DB_BLOB(checksum.bytes, sizeof checksum.bytes), DB_INT(clock_now_ms()),
                    DB_TEXT(span_of(ours->program_version)));
    if (status != STATUS_OK)
        return status;
    (void)snprintf(pragmas, sizeof pragmas,
                   "PRAGMA application_id=%d; PRAGMA user_version=%d", ours->application_id,
                   m->number);
    return db_script(db, pragmas);
}

/* STATUS_NOT_FOUND: there is nothing left to do. The version is read under the lock, so
 * two programs that migrate at once do not run a migration twice. */
static enum status apply_next(struct db *db, const struct migrations *ours,
                              struct problem *why)
{
    int version = 0;
    enum status status = db_write_begin(db, LOCK_TIMEOUT_MS);

    if (status != STATUS_OK)
        return problem_set(why, status, "cannot begin to write: %s", status_name(status));
    status = migrate_version(db, ours, &version, why);
    if (status == STATUS_OK && version >= (int)ours->count)
        status =
            version == (int)ours->count ? STATUS_NOT_FOUND : migrate_check(db, ours, why);
    if (status == STATUS_OK) {
        status = run_one(db, &ours->list[version], ours);
        if (status != STATUS_OK)
            (void)problem_set(why, status, "migration %d (%s): %s", version + 1,
                              ours->list[version].name, db_message(db));
    }
    if (status != STATUS_OK) {
        db_write_rollback(db);
        return status;
    }
    status = db_write_commit(db);
    return status == STATUS_OK ? status
                               : problem_set(why, status, "cannot commit the migration: %s",
                                             db_message(db));
}

enum status migrate_apply(struct db *db, const struct migrations *ours, int *applied,
                          struct problem *why)
{
    int done = 0;
    enum status status;

    while ((status = apply_next(db, ours, why)) == STATUS_OK)
        done++;
    if (applied != NULL)
        *applied = done;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
