#include "app/store/note_search.h"

#include <stdlib.h>
#include <string.h>

#include "app/store/note_row.h"
#include "lib/casefold.h"

/* ?1 contact, ?2 and ?3 the viewer, ?4 the number of the note before, ?5 organization,
 * ?6 author, ?7 request, ?8 and ?9 the time. */
#define FITS                                                                               \
    " n.number < ?4 AND n.erased_at IS NULL AND (?5 IS NULL OR n.org_id = ?5) AND (?6 IS " \
    "NULL OR n.author_id = "                                                               \
    "?6)"                                                                                  \
    " AND (?7 IS NULL OR n.request_id = ?7) AND n.created_at BETWEEN ?8 AND ?9 "           \
    "AND " NOTE_VISIBLE("n", "v", "?2", "?3")
#define JOINED_TO_NOTES                                                                    \
    "CROSS JOIN notes AS n USING (number) CROSS JOIN notes AS v USING (number)"

/* Each goes through the notes in the order of descending numbers. */
static const char search_all[] =
    NOTE_ROW_PRESENT " WHERE ?1 IS NULL AND" FITS " ORDER BY n.number DESC";
static const char search_contact[] = NOTE_ROW_CHAIN NOTE_ROW_PRESENT
    " WHERE n.number IN (SELECT number FROM chain) AND" FITS " ORDER BY n.number DESC";
/* ?10 and ?11: the ids of that time. Ids that do not hold a time are read in the index. */
static const char search_time[] =
    "SELECT " NOTE_ROW_COLUMNS " FROM (SELECT number FROM"
    " (SELECT number FROM notes WHERE note_id BETWEEN ?10 AND ?11"
    "  UNION ALL SELECT number FROM notes WHERE note_id NOT BETWEEN ?10 AND ?11"
    "  AND substr(note_id, 7, 1) NOT BETWEEN x'70' AND x'7f')"
    " WHERE number < ?4 ORDER BY number DESC LIMIT -1) " JOINED_TO_NOTES
    " WHERE ?1 IS NULL AND" FITS;

static const char find_number[] = "SELECT number FROM notes WHERE note_id = ?1";

/* A search that is under way. */
struct search {
    struct note_row_reader reader;
    size_t count; /* of words */
    struct span words[NOTE_WORDS_MAX];
    char *content; /* folded, of the note at hand */
    size_t room;   /* bytes of content */
    char bytes[NOTE_WORDS_MAX * CASEFOLD_GROWTH * NOTE_WORD_MAX_BYTES];
};

static enum status fold_words(struct search *search, const struct note_criteria *criteria)
{
    char *end = search->bytes;

    for (size_t i = 0; i < criteria->word_count; i++) {
        const size_t len = criteria->words[i].len <= NOTE_WORD_MAX_BYTES
                               ? casefold(end, criteria->words[i])
                               : SIZE_MAX;
        if (len == SIZE_MAX)
            return STATUS_NO_MEMORY;
        search->words[search->count++] = (struct span){end, len};
        end += len;
    }
    return STATUS_OK;
}

static bool make_room(struct search *search, size_t bytes)
{
    if (bytes <= search->room)
        return true;
    free(search->content);
    search->content = malloc(bytes);
    search->room = search->content != NULL ? bytes : 0;
    return search->content != NULL;
}

static enum status give_if_words_occur(void *arg, const struct note *note)
{
    struct search *search = arg;
    const struct note_row_reader *reader = &search->reader;

    if (search->count > 0) {
        if (!make_room(search, CASEFOLD_GROWTH * note->content.len + 1))
            return STATUS_NO_MEMORY;
        const size_t len = casefold(search->content, note->content);
        if (len == SIZE_MAX)
            return STATUS_NO_MEMORY;
        for (size_t i = 0; i < search->count; i++)
            if (memmem(search->content, len, search->words[i].data, search->words[i].len) ==
                NULL)
                return STATUS_OK;
    }
    return reader->each(reader->arg, note);
}

static struct db_value id_or_any(const struct uuid *id)
{
    return id != NULL ? DB_BLOB(id->bytes, UUID_BYTES) : DB_NULL;
}

static bool has_time(const struct note_criteria *criteria)
{
    return criteria->since_ms > note_search_from_ever ||
           criteria->until_ms < note_search_to_ever;
}

enum {
    TIME_MAX_MS_BITS = 48, /* of a UUID of version 7 */
};

static int64_t time_in_id(int64_t ms)
{
    const int64_t last = (INT64_C(1) << TIME_MAX_MS_BITS) - 1;

    return ms < 0 ? 0 : ms > last ? last : ms;
}

static enum status run(struct search *search, struct db *db, int64_t before,
                       const struct note_criteria *criteria,
                       const struct note_viewer *viewer)
{
    struct note_row_reader words = {.each = give_if_words_occur, .arg = search};
    const char *sql = criteria->contact_id != NULL ? search_contact
                      : has_time(criteria)         ? search_time
                                                   : search_all;
    struct uuid first, last;

    uuid_first_at(&first, time_in_id(criteria->since_ms));
    uuid_last_at(&last, time_in_id(criteria->until_ms));
    const struct db_value values[] = {
        id_or_any(criteria->contact_id),
        NOTE_VIEWER_ALL(viewer),
        NOTE_VIEWER_MEMBER(viewer),
        DB_INT(before),
        id_or_any(criteria->org_id),
        id_or_any(criteria->author_id),
        db_text_or_null(criteria->request_id),
        DB_INT(criteria->since_ms),
        DB_INT(criteria->until_ms),
        DB_BLOB(first.bytes, UUID_BYTES),
        DB_BLOB(last.bytes, UUID_BYTES),
    };
    return db_each(db, sql, values, sql == search_time ? 11 : 9, note_row_give, &words);
}

enum status note_search(struct db *db, const struct note_criteria *criteria,
                        const struct note_viewer *viewer, note_each *each, void *arg)
{
    struct search search = {.reader = {.each = each, .arg = arg}, .count = 0};
    int64_t before = INT64_MAX;
    enum status status = fold_words(&search, criteria);

    if (status == STATUS_OK && criteria->after != NULL)
        status = DB_FIRST(db, db_keep_int, &before, find_number,
                          DB_BLOB(criteria->after->bytes, UUID_BYTES));
    if (status == STATUS_OK)
        status = run(&search, db, before, criteria, viewer);
    free(search.content);
    return status;
}
