#include "lib/migrate.h"

#include <string.h>

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
static const char get_record[] =
    "SELECT checksum, program_version FROM schema_migrations WHERE number = ?1";
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

static void make_checksum(struct secret_hash *out, const struct migration *m)
{
    secret_hash(out, NULL, "migration", span_of(m->sql));
}

/* The result of looking up a migration's record. */
struct record {
    const struct migration *ours;
    struct problem *why;
};

static enum status compare(void *arg, const struct db_rows *row)
{
    const struct record *record = arg;
    struct secret_hash ours, theirs;
    struct span by = db_text(row, 1);

    make_checksum(&ours, record->ours);
    if (db_blob(row, 0, &theirs, sizeof theirs) && memcmp(&ours, &theirs, sizeof ours) == 0)
        return STATUS_OK;
    return problem_set(record->why, STATUS_SCHEMA,
                       "migration %d (%s) had another text when version %.*s applied it to "
                       "the database: use that version",
                       record->ours->number, record->ours->name, (int)by.len, by.data);
}

/* Compares the first count migrations with those that the database records. */
static enum status check_records(struct db *db, const struct migrations *ours, int count,
                                 struct problem *why)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < count && status == STATUS_OK; i++) {
        const struct migration *m = &ours->list[i];
        struct record record = {.ours = m, .why = why};

        status = DB_FIRST(db, compare, &record, get_record, DB_INT(m->number));
        if (status == STATUS_NOT_FOUND)
            status = problem_set(why, STATUS_SCHEMA,
                                 "the database has no record of migration %d (%s): restore "
                                 "it from a backup",
                                 m->number, m->name);
        else if (status != STATUS_OK && status != STATUS_SCHEMA)
            (void)problem_set(why, status, "cannot read the record of migration %d: %s",
                              m->number, db_message(db));
    }
    return status;
}

/* Compares the version of the database with ours; STATUS_OK when they are the same. */
static enum status compare_version(int version, const struct migrations *ours,
                                   struct problem *why)
{
    if (version < (int)ours->count)
        return problem_set(why, STATUS_SCHEMA,
                           "the database has schema %d, this program needs %zu", version,
                           ours->count);
    if (version > (int)ours->count)
        return problem_set(why, STATUS_SCHEMA,
                           "the database has schema %d, this program knows only %zu: "
                           "use a newer program",
                           version, ours->count);
    return STATUS_OK;
}

enum status migrate_check(struct db *db, const struct migrations *ours, struct problem *why)
{
    int version = 0;
    enum status status = migrate_version(db, ours, &version, why);

    if (status == STATUS_OK)
        status = compare_version(version, ours, why);
    if (status == STATUS_OK)
        status = check_records(db, ours, version, why);
    return status;
}

enum status migrate_known(struct db *db, const struct migrations *ours, int *version,
                          struct problem *why)
{
    enum status status = migrate_version(db, ours, version, why);

    if (status != STATUS_OK)
        return status;
    if (*version == 0)
        return problem_set(why, STATUS_SCHEMA, "the database is empty");
    if (*version > (int)ours->count)
        return compare_version(*version, ours, why);
    return check_records(db, ours, *version, why);
}

static enum status run_one(struct db *db, const struct migration *m,
                           const struct migrations *ours)
{
    struct secret_hash checksum;
    enum status status = db_script(db, make_table);

    if (status == STATUS_OK)
        status = db_script(db, m->sql);
    if (status == STATUS_OK && ours->after != NULL)
        status = ours->after(db, m->number);
    if (status != STATUS_OK)
        return status;
    make_checksum(&checksum, m);
    status = DB_RUN(db, NULL, remember, DB_INT(m->number), DB_TEXT(span_of(m->name)),
                    DB_BLOB(checksum.bytes, sizeof checksum.bytes), DB_INT(clock_now_ms()),
                    DB_TEXT(span_of(ours->program_version)));
    return status == STATUS_OK ? db_stamp_write(db, ours->application_id, m->number)
                               : status;
}

/* Runs the first migration that the database lacks. STATUS_NOT_FOUND: it lacks none. */
static enum status run_next(struct db *db, const struct migrations *ours,
                            struct problem *why)
{
    int version = 0;
    enum status status = migrate_version(db, ours, &version, why);

    if (status == STATUS_OK && version > 0)
        status = migrate_known(db, ours, &version, why);
    if (status != STATUS_OK)
        return status;
    if (version == (int)ours->count)
        return STATUS_NOT_FOUND;
    status = run_one(db, &ours->list[version], ours);
    if (status != STATUS_OK)
        (void)problem_set(why, status, "migration %d (%s): %s", version + 1,
                          ours->list[version].name, db_message(db));
    return status;
}

/* As run_next, in a transaction. Two programs that migrate at once do not run a migration
 * twice, because the version is read under the write lock. */
static enum status apply_next(struct db *db, const struct migrations *ours,
                              struct problem *why)
{
    enum status status = db_write_begin(db, LOCK_TIMEOUT_MS);

    if (status != STATUS_OK)
        return problem_set(why, status, "cannot begin to write: %s", status_name(status));
    status = run_next(db, ours, why);
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
