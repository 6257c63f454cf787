#include "lib/migrate.h"

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

enum status migrate_version(struct db *db, const struct migrations *ours, int *version,
                            struct problem *why)
{
    struct db_stamp stamp;
    enum status status = db_stamp_read(db, &stamp);

    *version = stamp.version;
    if (status != STATUS_OK)
        return problem_set(why, status, "cannot read the schema version: %s",
                           db_message(db));
    bool empty = stamp.application == 0 && stamp.version == 0 && !stamp.has_tables;
    if (stamp.application != ours->application_id && !empty)
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
    enum status status = db_script(db, make_table);

    if (status == STATUS_OK)
        status = db_script(db, m->sql);
    if (status != STATUS_OK)
        return status;
    secret_hash(&checksum, NULL, "migration", span_of(m->sql));
    status = DB_RUN(db, NULL, remember, DB_INT(m->number), DB_TEXT(span_of(m->name)),
                    DB_BLOB(checksum.bytes, sizeof checksum.bytes), DB_INT(clock_now_ms()),
                    DB_TEXT(span_of(ours->program_version)));
    return status == STATUS_OK ? db_stamp_write(db, ours->application_id, m->number)
                               : status;
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
