#include "app/manage/manage_migrate.h"

#include <errno.h>
#include <sys/stat.h>

#include "app/manage/key_secret.h"
#include "app/store/key_mark.h"
#include "app/store/schema.h"
#include "app/store/summary.h"
#include "lib/acting.h"

static bool exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0 || errno != ENOENT;
}

/* On failure why says what is wrong with the key file. */
static enum status read_mark(struct key_mark *mark, const struct migration_run *run,
                             struct problem *why)
{
    struct key_source source;
    enum status status = key_source_open(&source, run->key_file, run->database, why);

    if (status == STATUS_OK)
        *mark = source.mark;
    key_source_close(&source);
    return status;
}

static enum status find_empty(struct migration_run *run, struct db *db)
{
    bool has_orgs = false;
    enum status status = summary_has_orgs(db, &has_orgs);

    run->empty_beside_key = status == STATUS_OK && !has_orgs;
    return status;
}

/* Whether the database has our schema and a key file that fits. What else is the matter
 * with it is for db_open with DB_ALONE to say. */
static bool is_in_order(struct migration_run *run)
{
    struct db *db = NULL;
    struct key_mark mark;
    enum status status = schema_open(&db, run->database, DB_READ, NULL);

    if (status == STATUS_OK)
        status = read_mark(&mark, run, NULL);
    if (status == STATUS_OK)
        status = key_mark_check(db, &mark, NULL);
    if (status == STATUS_OK)
        status = find_empty(run, db);
    db_close(db);
    return status == STATUS_OK;
}

enum status manage_migrate_begin(struct migration_run *run, struct problem *why)
{
    struct migrations ours = schema_ours();

    run->db = NULL;
    if (is_in_order(run))
        return STATUS_OK;
    enum status status = db_open(&run->db, run->database, DB_ALONE, why);
    return status == STATUS_OK ? migrate_apply(run->db, &ours, &run->applied, why) : status;
}

/* It belongs to the user of the database, also in a directory of root. */
static enum status create_key_file(struct migration_run *run, struct problem *why)
{
    struct acting maker, user;

    acting_find(&maker, run->key_file);
    acting_find(&user, run->database);
    enum status status = acting_as(&maker, why);
    if (status == STATUS_OK)
        status = secret_key_create(run->key_file, &user, why);
    run->key_created = status == STATUS_OK;
    return acting_as(&user, why) == STATUS_OK ? status : STATUS_INTERNAL;
}

/* Refuses to make a new key file where the database has API or developer keys: none of them
 * would be found any more, because they are hashed with the former key file. */
static enum status make_key_file(struct migration_run *run, struct problem *why)
{
    bool has_keys = false;

    if (exists(run->key_file))
        return find_empty(run, run->db);
    enum status status = summary_has_keys(run->db, &has_keys);
    if (status != STATUS_OK)
        return status;
    if (has_keys)
        return problem_set(
            why, STATUS_CONFIG,
            "the database holds keys, but the key file %s that they were made "
            "with is missing: restore it from a backup, or, if it is lost, revoke all keys",
            run->key_file);
    return create_key_file(run, why);
}

enum status manage_migrate_settle(struct change *change, struct migration_run *run,
                                  struct problem *why)
{
    struct key_mark mark;
    bool marked = false;
    enum status status = make_key_file(run, why);

    if (status == STATUS_OK) {
        status = read_mark(&mark, run, why);
        if (status == STATUS_INVALID)
            status = STATUS_CONFIG;
    }
    if (status == STATUS_OK)
        status = key_mark_settle(run->db, &marked, &mark, change->now_ms, why);
    if (run->applied > 0 || run->key_created || marked)
        change_made(change, "db migrate", NULL, NULL);
    return status;
}

void manage_migrate_end(struct migration_run *run)
{
    if (run->db == NULL)
        return;
    db_finish(run->db);
    db_close(run->db);
    run->db = NULL;
    if (schema_open(&run->db, run->database, DB_WRITE, NULL) == STATUS_OK)
        db_close(run->db);
    run->db = NULL;
}
