#include "app/store/key.h"

#include "app/store/page.h"

/* The keys of one kind, with the columns that give_row() reads, in its order. */
#define SELECT_KEYS(keys, key_id, former_secrets, name, member_id, expires_at)             \
    "SELECT " key_id ", org_id, " name ", created_at, last_used_at, last_used_from,"       \
    " revoked_at, (SELECT max(good_until) FROM " former_secrets " AS former"               \
    " WHERE former." key_id " = " keys "." key_id "), " member_id ", " expires_at          \
    " FROM " keys

/* Of the keys after ?2 those that are not revoked and expire after ?3 and until ?4, or,
 * where ?4 is NULL, all. */
#define KEY_PAGE(key_id, expires_at)                                                       \
    key_id " > ?2 AND (?4 IS NULL OR (revoked_at IS NULL AND " expires_at " > ?3"          \
           " AND " expires_at " <= ?4)) ORDER BY " key_id

/*
 * The statements of one kind: its tables, the columns of its id and name, what stands for
 * the column that only the other kind has, and the column that only this kind has. Each is
 * a string constant, because lib/db.h finds a prepared statement by the address of its
 * text.
 */
#define STATEMENTS(keys, key_id, former_secrets, name, member_id, expires_at, own)         \
    {                                                                                      \
        .add = "INSERT INTO " keys " (" key_id ", org_id, hash, created_at, " name         \
               ", " own ") SELECT ?1, ?2, ?3, ?4, ?5, ?6"                                  \
               " WHERE NOT EXISTS (SELECT * FROM " former_secrets " WHERE hash = ?3)",     \
        .find = SELECT_KEYS(keys, key_id, former_secrets, name, member_id,                 \
                            expires_at) " WHERE " key_id " = ?1",                          \
        .list = SELECT_KEYS(keys, key_id, former_secrets, name, member_id,                 \
                            expires_at) " WHERE org_id = ?1 AND " KEY_PAGE(key_id,         \
                                                                           expires_at),    \
        .list_all = SELECT_KEYS(keys, key_id, former_secrets, name, member_id,             \
                                expires_at) " WHERE " KEY_PAGE(key_id, expires_at),        \
        .revoke = "UPDATE " keys " SET revoked_at = ?2"                                    \
                  " WHERE " key_id " = ?1 AND revoked_at IS NULL",                         \
        .shorten = "UPDATE " former_secrets " SET good_until = ?2"                         \
                   " WHERE " key_id " = ?1 AND good_until > ?2",                           \
        .keep = "INSERT INTO " former_secrets " (hash, " key_id ", org_id, replaced_at,"   \
                " good_until) SELECT hash, " key_id ", org_id, ?2, ?3 FROM " keys          \
                " WHERE " key_id " = ?1",                                                  \
        .replace = "UPDATE " keys " SET hash = ?2 WHERE " key_id " = ?1 AND NOT EXISTS"    \
                   " (SELECT * FROM " former_secrets " WHERE hash = ?2)",                  \
    }

static const struct {
    const char *add;      /* ?5 is the name, ?6 what only this kind has */
    const char *find;     /* ?1 is the key's id, here and in all that follow but list */
    const char *list;     /* ?1 is the organization's id */
    const char *list_all; /* of all organizations */
    const char *revoke;   /* ?2 is the time */
    const char *shorten;  /* makes former secrets end at ?2 at the latest */
    const char *keep;     /* makes the present secret a former one, good until ?3 */
    const char *replace;  /* the present secret by ?2 */
} statements[] = {
    [CREDENTIAL_API_KEY] = STATEMENTS("api_keys", "api_key_id", "former_api_keys", "label",
                                      "member_id", "NULL", "member_id"),
    [CREDENTIAL_DEVELOPER_SECRET] =
        STATEMENTS("developer_keys", "developer_key_id", "former_developer_secrets", "name",
                   "NULL", "expires_at", "expires_at"),
};

static const char update_developer_key[] =
    "UPDATE developer_keys SET name = coalesce(?2, name),"
    " expires_at = iif(?3, ?4, expires_at)"
    " WHERE developer_key_id = ?1 AND (name <> ?2 OR (?3 AND expires_at IS NOT ?4))";

/* The callback that gets the rows of a statement. */
struct reader {
    enum credential_kind kind;
    key_each *each; /* NULL: only look */
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct key key = {
        .kind = reader->kind,
        .name = db_text(rows, 2),
        .created_at_ms = db_int(rows, 3),
        .last_used_at_ms = db_int(rows, 4),
        .last_used_from = address_of_bytes(db_bytes(rows, 5)),
        .life.revoked_at_ms = db_int(rows, 6),
        .life.former_until_ms = db_int(rows, 7),
        .life.expires_at_ms = db_int(rows, 9),
    };

    (void)db_blob(rows, 0, key.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, key.org_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 8, key.member_id.bytes, UUID_BYTES);
    return reader->each != NULL ? reader->each(reader->arg, &key) : STATUS_OK;
}

static struct db_value expiry_value(int64_t expires_at_ms)
{
    return expires_at_ms == 0 ? DB_NULL : DB_INT(expires_at_ms);
}

/* The value of the column that only keys of this kind have. */
static struct db_value own_value(const struct key *key)
{
    if (key->kind == CREDENTIAL_API_KEY)
        return DB_BLOB(key->member_id.bytes, UUID_BYTES);
    return expiry_value(key->life.expires_at_ms);
}

enum status key_add(struct db *db, const struct key *key, const struct secret_hash *hash)
{
    int added = 0;
    enum status status = DB_RUN(
        db, &added, statements[key->kind].add, DB_BLOB(key->id.bytes, UUID_BYTES),
        DB_BLOB(key->org_id.bytes, UUID_BYTES), DB_BLOB(hash->bytes, SECRET_HASH_BYTES),
        DB_INT(key->created_at_ms), db_text_or_null(key->name), own_value(key));

    return status == STATUS_OK && added == 0 ? STATUS_EXISTS : status;
}

enum status key_find(struct db *db, enum credential_kind kind, const struct uuid *id,
                     key_each *each, void *arg)
{
    struct reader reader = {.kind = kind, .each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, statements[kind].find,
                    DB_BLOB(id->bytes, UUID_BYTES));
}

enum status key_list(struct db *db, enum credential_kind kind,
                     const struct key_filter *filter, const struct uuid *after,
                     key_each *each, void *arg)
{
    struct reader reader = {.kind = kind, .each = each, .arg = arg};
    const struct db_value values[] = {
        filter->org_id == NULL ? DB_NULL : DB_BLOB(filter->org_id->bytes, UUID_BYTES),
        page_after(after),
        DB_INT(filter->expires_after_ms),
        filter->expires_until_ms == 0 ? DB_NULL : DB_INT(filter->expires_until_ms),
    };

    return db_each(
        db, filter->org_id == NULL ? statements[kind].list_all : statements[kind].list,
        values, sizeof values / sizeof values[0], give_row, &reader);
}

enum status key_revoke(struct db *db, bool *changed, enum credential_kind kind,
                       const struct uuid *id, int64_t now_ms)
{
    int rows = 0;
    enum status status = DB_RUN(db, &rows, statements[kind].revoke,
                                DB_BLOB(id->bytes, UUID_BYTES), DB_INT(now_ms));

    *changed = rows > 0;
    return status;
}

enum status key_rotate(struct db *db, enum credential_kind kind, const struct uuid *id,
                       const struct secret_hash *hash, int64_t now_ms,
                       int64_t former_until_ms)
{
    const struct db_value key = DB_BLOB(id->bytes, UUID_BYTES);
    int changed = 0;
    enum status status =
        DB_RUN(db, NULL, statements[kind].shorten, key, DB_INT(former_until_ms));

    if (status == STATUS_OK)
        status = DB_RUN(db, NULL, statements[kind].keep, key, DB_INT(now_ms),
                        DB_INT(former_until_ms));
    if (status == STATUS_OK)
        status = DB_RUN(db, &changed, statements[kind].replace, key,
                        DB_BLOB(hash->bytes, SECRET_HASH_BYTES));
    return status == STATUS_OK && changed == 0 ? STATUS_EXISTS : status;
}

enum status key_update_developer(struct db *db, bool *changed, const struct uuid *id,
                                 const struct developer_key_edit *edit)
{
    const struct span none = {NULL, 0};
    const int64_t *expires = edit->expires_at_ms;
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, update_developer_key, DB_BLOB(id->bytes, UUID_BYTES),
               db_text_or_null(edit->name != NULL ? *edit->name : none),
               DB_INT(expires != NULL), expiry_value(expires != NULL ? *expires : 0));

    *changed = rows > 0;
    return status;
}
