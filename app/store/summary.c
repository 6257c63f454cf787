#include "app/store/summary.h"

static const char count[] =
    "SELECT (SELECT count(*) FROM orgs), (SELECT count(*) FROM members),"
    " (SELECT count(*) FROM api_keys), (SELECT count(*) FROM developer_keys),"
    " (SELECT count(*) FROM contacts), (SELECT count(*) FROM notes)";
static const char has_orgs_sql[] = "SELECT EXISTS (SELECT * FROM orgs)";
static const char has_keys_sql[] =
    "SELECT EXISTS (SELECT * FROM api_keys WHERE revoked_at IS NULL)"
    " OR EXISTS (SELECT * FROM developer_keys WHERE revoked_at IS NULL)";

static const char expiring[] = "SELECT count(*) FROM developer_keys"
                               " WHERE revoked_at IS NULL AND expires_at > ?1"
                               " AND expires_at <= ?2";

enum status summary_get(struct db *db, struct summary *out)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, count, NULL, 0);

    if (status == STATUS_OK)
        *out = (struct summary){
            .orgs = db_int(&rows, 0),
            .members = db_int(&rows, 1),
            .api_keys = db_int(&rows, 2),
            .developer_keys = db_int(&rows, 3),
            .contacts = db_int(&rows, 4),
            .notes = db_int(&rows, 5),
        };
    db_done(&rows);
    return status;
}

enum status summary_expiring(struct db *db, int64_t after_ms, int64_t until_ms,
                             int64_t *number)
{
    const struct db_value values[] = {DB_INT(after_ms), DB_INT(until_ms)};
    struct db_rows rows;
    enum status status = db_query(db, &rows, expiring, values, 2);

    *number = status == STATUS_OK ? db_int(&rows, 0) : -1;
    db_done(&rows);
    return status;
}

static enum status ask(struct db *db, bool *answer, const char *sql)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, sql, NULL, 0);

    *answer = status == STATUS_OK && db_int(&rows, 0) != 0;
    db_done(&rows);
    return status;
}

enum status summary_has_orgs(struct db *db, bool *has_orgs)
{
    return ask(db, has_orgs, has_orgs_sql);
}

enum status summary_has_keys(struct db *db, bool *has_keys)
{
    return ask(db, has_keys, has_keys_sql);
}
