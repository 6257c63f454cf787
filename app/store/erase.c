#include "app/store/erase.h"

#include "app/store/contact_index.h"

enum {
    NOTES_AT_ONCE = 64,
    VERSIONS_AT_ONCE = 5000, /* that are looked at for their writer */
};

#define NO_ORIGIN "address = NULL, country = NULL, city = NULL, network = NULL"
#define HAS_ORIGIN                                                                         \
    "(address IS NOT NULL OR country IS NOT NULL OR city IS NOT NULL OR network IS NOT "   \
    "NULL)"

static const char find_note[] = "SELECT number FROM notes WHERE note_id = ?1";
static const char find_last[] = "SELECT note FROM last_notes WHERE contact = ?1";
static const char find_previous[] = "SELECT previous FROM notes WHERE number = ?1";
static const char erase_present[] =
    "UPDATE notes SET content = '', " NO_ORIGIN ", erased_at = ?2"
    " WHERE number = ?1 AND erased_at IS NULL";
static const char erase_former[] =
    "WITH RECURSIVE chain (number) AS ("
    " SELECT former FROM notes WHERE former > 0 AND number = ?1 UNION ALL"
    " SELECT former FROM chain JOIN note_revisions USING (number)"
    " WHERE former BETWEEN 1 AND number - 1) "
    "UPDATE note_revisions SET content = '', " NO_ORIGIN
    " WHERE number IN (SELECT number FROM chain)";
/* An answer begins with the id of what was written. */
static const char forget_answer[] =
    "DELETE FROM idempotency_keys WHERE substr(answer, 1, 16) = ?1";
static const char forget_answers[] =
    "DELETE FROM idempotency_keys WHERE substr(answer, 1, 16) = ?1 OR EXISTS"
    " (SELECT * FROM notes WHERE note_id = substr(answer, 1, 16) AND contact_id = ?1)";
static const char erase_texts[] =
    "UPDATE contacts SET name = NULL, first_name = NULL, last_name = NULL,"
    " role_label = NULL, primary_email = NULL, secondary_email = NULL, primary_phone = "
    "NULL,"
    " secondary_phone = NULL, entity_id = NULL, place = NULL, updated_at = ?2, erased_at = "
    "?2"
    " WHERE number = ?1";
static const char remove_entities[] =
    "DELETE FROM entities WHERE org_id = ?1 AND NOT EXISTS"
    " (SELECT * FROM contacts WHERE contacts.entity_id = entities.entity_id)";
static const char find_end[] = "SELECT (SELECT ifnull(max(number), 0) FROM notes),"
                               " (SELECT ifnull(max(number), 0) FROM note_revisions)";
static const char erase_origins_of_notes[] =
    "UPDATE notes SET " NO_ORIGIN
    " WHERE number > ?2 AND number <= ?3 AND written_by = ?1 AND " HAS_ORIGIN;
static const char erase_origins_of_versions[] =
    "UPDATE note_revisions SET " NO_ORIGIN
    " WHERE number > ?2 AND number <= ?3 AND written_by = ?1 AND " HAS_ORIGIN;
static const char erase_keys[] =
    "UPDATE api_keys SET label = NULL, last_used_from = NULL WHERE member_id = ?1";
static const char erase_name[] =
    "UPDATE members SET name = 'erased', email = NULL, active = 0, erased_at = ?2"
    " WHERE member_id = ?1 AND erased_at IS NULL";

#define UUID(id) DB_BLOB((id)->bytes, UUID_BYTES)

/* Adds the number of rows that a statement has changed. */
static enum status counted(int64_t *count, enum status status, int rows)
{
    *count += rows;
    return status;
}

static enum status erase_number(struct db *db, struct erased *out, int64_t number,
                                int64_t now_ms)
{
    int present = 0, former = 0;
    enum status status =
        DB_RUN(db, &present, erase_present, DB_INT(number), DB_INT(now_ms));

    if (status == STATUS_OK && present > 0)
        status = DB_RUN(db, &former, erase_former, DB_INT(number));
    out->notes += present;
    return counted(&out->versions, status, former);
}

enum status erase_note(struct db *db, struct erased *out, const struct uuid *id,
                       int64_t now_ms)
{
    int64_t number;
    int answers = 0;
    enum status status = DB_FIRST(db, db_keep_int, &number, find_note, UUID(id));

    if (status == STATUS_OK)
        status = erase_number(db, out, number, now_ms);
    if (status == STATUS_OK)
        status = DB_RUN(db, &answers, forget_answer, UUID(id));
    return counted(&out->answers, status, answers);
}

/* The number of the last note of a contact; -1: it has none. */
static enum status read_last(int64_t *number, struct db *db, int64_t contact)
{
    enum status status = DB_FIRST(db, db_keep_int, number, find_last, DB_INT(contact));

    if (status != STATUS_NOT_FOUND)
        return status;
    *number = -1;
    return STATUS_OK;
}

static enum status read_previous(int64_t *number, struct db *db)
{
    int64_t previous = 0;
    enum status status =
        DB_FIRST(db, db_keep_int, &previous, find_previous, DB_INT(*number));

    *number = previous > 0 && previous < *number ? previous : -1;
    return status;
}

enum status erase_notes(struct db *db, struct erased *out, int64_t contact, int64_t *number,
                        int64_t now_ms)
{
    enum status status = *number == 0 ? read_last(number, db, contact) : STATUS_OK;

    for (int i = 0; i < NOTES_AT_ONCE && status == STATUS_OK && *number > 0; i++) {
        status = erase_number(db, out, *number, now_ms);
        if (status == STATUS_OK)
            status = read_previous(number, db);
    }
    return status;
}

enum status erase_contact(struct db *db, struct erased *out, const struct contact *contact,
                          int64_t now_ms)
{
    int people = 0, answers = 0;
    enum status status = DB_RUN(db, &answers, forget_answers, UUID(&contact->id));

    if (status == STATUS_OK && contact->erased_at_ms == 0) {
        status = contact_index_remove(db, contact);
        if (status == STATUS_OK)
            status =
                DB_RUN(db, &people, erase_texts, DB_INT(contact->number), DB_INT(now_ms));
        if (status == STATUS_OK)
            status = DB_RUN(db, NULL, remove_entities, UUID(&contact->org_id));
    }
    out->people += people;
    return counted(&out->answers, status, answers);
}

static enum status keep_end(void *arg, const struct db_rows *rows)
{
    struct erase_place *end = arg;

    end->note = db_int(rows, 0);
    end->version = db_int(rows, 1);
    return STATUS_OK;
}

/* Looks at some rows of a table, up to the number end. */
static enum status erase_some(struct db *db, struct erased *out, const char *sql,
                              const struct uuid *member_id, int64_t *number, int64_t end)
{
    const int64_t last =
        end - *number > VERSIONS_AT_ONCE ? *number + VERSIONS_AT_ONCE : end;
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, sql, UUID(member_id), DB_INT(*number), DB_INT(last));

    *number = last;
    return counted(&out->origins, status, rows);
}

enum status erase_origins(struct db *db, struct erased *out, const struct uuid *member_id,
                          struct erase_place *place)
{
    struct erase_place end = {.note = 0};
    enum status status = db_first(db, find_end, NULL, 0, keep_end, &end);

    if (status == STATUS_OK)
        status =
            erase_some(db, out, erase_origins_of_notes, member_id, &place->note, end.note);
    if (status == STATUS_OK)
        status = erase_some(db, out, erase_origins_of_versions, member_id, &place->version,
                            end.version);
    place->done = place->note >= end.note && place->version >= end.version;
    return status;
}

enum status erase_member(struct db *db, struct erased *out, const struct uuid *id,
                         int64_t now_ms)
{
    int people = 0;
    enum status status = DB_RUN(db, NULL, erase_keys, UUID(id));

    if (status == STATUS_OK)
        status = DB_RUN(db, &people, erase_name, UUID(id), DB_INT(now_ms));
    return counted(&out->people, status, people);
}
