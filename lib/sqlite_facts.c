#include "lib/sqlite.h"

void db_forget(struct db *db)
{
    for (size_t i = 0; i < FACT_KINDS_MAX && db->facts[i] != NULL; i++)
        fact_cache_forget(db->facts[i]);
}

/* Of the database as the present transaction sees it. It changes with each commit, also
 * with those of this connection. False: it is not known. */
static bool get_data_version(struct db *db, unsigned *version)
{
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_DATA_VERSION, version) ==
           SQLITE_OK;
}

void sqlite_begin_facts(struct db *db)
{
    unsigned version = 0;

    db->others_wrote = !get_data_version(db, &version) || version != db->facts_version;
    if (db->others_wrote)
        db_forget(db);
}

bool db_others_wrote(const struct db *db)
{
    return db->others_wrote;
}

void sqlite_keep_facts(struct db *db)
{
    if (!get_data_version(db, &db->facts_version))
        db_forget(db);
}

void sqlite_drop_facts(struct db *db)
{
    for (size_t i = 0; i < FACT_KINDS_MAX; i++)
        fact_cache_free(db->facts[i]);
}

void db_trust_references(struct db *db)
{
    (void)sqlite_exec(db, "PRAGMA foreign_keys=OFF"); /* if it fails, they are checked */
    db->remembers = true;
}

/* NULL: this connection has none. */
static struct fact_cache *find_cache(struct db *db, const struct fact_kind *kind)
{
    for (size_t i = 0; i < FACT_KINDS_MAX && db->facts[i] != NULL; i++)
        if (fact_cache_kind(db->facts[i]) == kind)
            return db->facts[i];
    return NULL;
}

bool db_recall(struct db *db, const struct fact_kind *kind, const void *key, void *value)
{
    struct fact_cache *cache = find_cache(db, kind);

    return cache != NULL && fact_cache_find(cache, key, value);
}

static struct fact_cache *make_cache(struct db *db, const struct fact_kind *kind)
{
    for (size_t i = 0; i < FACT_KINDS_MAX; i++)
        if (db->facts[i] == NULL)
            return db->facts[i] = fact_cache_create(kind);
    return NULL;
}

void db_remember(struct db *db, const struct fact_kind *kind, const void *key,
                 const void *value)
{
    struct fact_cache *cache = find_cache(db, kind);

    if (cache == NULL && db->remembers)
        cache = make_cache(db, kind);
    if (cache != NULL)
        fact_cache_put(cache, key, value);
}
