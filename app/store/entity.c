#include "app/store/entity.h"

#include "app/rules/text_rules.h"
#include "lib/casefold.h"

static const char find[] =
    "SELECT entity_id FROM entities WHERE org_id = ?1 AND folded = ?2";
static const char add[] = "INSERT INTO entities (entity_id, org_id, name, folded, website,"
                          " created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)";
static const char set_website[] = "UPDATE entities SET website = ?2, updated_at = ?3"
                                  " WHERE entity_id = ?1 AND website IS NOT ?2";

/* A name as it is compared. */
struct folded {
    struct span text;
    char bytes[CASEFOLD_GROWTH * NAME_MAX_BYTES];
};

static enum status fold(struct folded *out, struct span name)
{
    if (name.len > NAME_MAX_BYTES)
        return STATUS_INVALID;
    size_t len = casefold(out->bytes, name);
    out->text = (struct span){out->bytes, len};
    return len != SIZE_MAX ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status keep_id(void *arg, const struct db_rows *rows)
{
    (void)db_blob(rows, 0, arg, UUID_BYTES);
    return STATUS_OK;
}

enum status entity_find(struct db *db, struct uuid *id, const struct uuid *org_id,
                        struct span name)
{
    struct folded folded;
    enum status status = fold(&folded, name);

    return status == STATUS_OK
               ? DB_FIRST(db, keep_id, id, find, DB_BLOB(org_id->bytes, UUID_BYTES),
                          DB_TEXT(folded.text))
               : status;
}

enum status entity_add(struct db *db, const struct entity *entity)
{
    struct folded folded;
    enum status status = fold(&folded, entity->name);

    return status == STATUS_OK
               ? DB_RUN(db, NULL, add, DB_BLOB(entity->id.bytes, UUID_BYTES),
                        DB_BLOB(entity->org_id.bytes, UUID_BYTES), DB_TEXT(entity->name),
                        DB_TEXT(folded.text), db_text_or_null(entity->website),
                        DB_INT(entity->updated_at_ms))
               : status;
}

enum status entity_set_website(struct db *db, const struct entity *entity)
{
    return DB_RUN(db, NULL, set_website, DB_BLOB(entity->id.bytes, UUID_BYTES),
                  db_text_or_null(entity->website), DB_INT(entity->updated_at_ms));
}
