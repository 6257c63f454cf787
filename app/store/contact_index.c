#include "app/store/contact_index.h"

#include <string.h>

#include "lib/utf8.h"

enum {
    PLACE_BITS = 40, /* of a place, below the number of its range */
    BLOCK_BITS = 10, /* of a place, below the number of its block */
    BLOCK_ROWS = 1 << BLOCK_BITS,
    INDEX_TRIGRAMS = 3, /* that are looked for; which contacts fit is compared later */
    TRIGRAM_BYTES = 3 * 8 + 8, /* three characters of at most 4 bytes, quoted, and AND */
    EXPRESSION_BYTES = 3 * INDEX_TRIGRAMS * TRIGRAM_BYTES + 16,
};

/*
 * FTS5 reads rows twice as fast in ascending order as in descending order, but writes rows
 * in descending order one by one, each as a part of the index that is merged later. So the
 * index has the blocks of an organization's places in descending order, and in each block
 * the places in ascending order: a row of the index is the place with these bits inverted.
 */
static const int64_t block_number = (INT64_C(1) << PLACE_BITS) - (INT64_C(1) << BLOCK_BITS);

static const char find_range[] = "SELECT number FROM contact_ranges WHERE org_id = ?1";
static const char add_range[] =
    "INSERT INTO contact_ranges SELECT ?1, ifnull(max(number), 0) + 1"
    " FROM contact_ranges";
static const char find_last[] =
    "SELECT max(place) FROM contact_words WHERE place BETWEEN ?1 AND ?2";
static const char add_words[] = "INSERT INTO contact_words VALUES (?1, ?2, ?3)";
static const char add_trigrams[] =
    "INSERT INTO contact_index (rowid, words) VALUES (?1, ?2)";
static const char add_key[] =
    "INSERT INTO contact_keys VALUES (?1, ?2) ON CONFLICT DO NOTHING";
static const char find_words[] = "SELECT words FROM contact_words WHERE place = ?1";
static const char remove_words[] = "DELETE FROM contact_words WHERE place = ?1";
static const char remove_trigrams[] =
    "INSERT INTO contact_index (contact_index, rowid, words) VALUES ('delete', ?1, ?2)";
static const char remove_key[] = "DELETE FROM contact_keys WHERE key = ?1 AND place = ?2";
/* A number below 0 makes all parts of the index one level, which is then merged. */
static const char merge[] =
    "INSERT INTO contact_index (contact_index, rank) VALUES ('merge', ?1)";
static const char count_changes[] = "SELECT total_changes()";
static const char search_whole[] =
    "SELECT place, words FROM contact_keys JOIN contact_words USING (place)"
    " WHERE key = ?1 AND place BETWEEN ?2 AND ?3 ORDER BY place DESC";
static const char search_part[] =
    "SELECT rowid FROM contact_index"
    " WHERE contact_index MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid";

/* The places of an organization's contacts. */
struct range {
    int64_t first, last;
};

/* STATUS_NOT_FOUND: the organization has none. */
static enum status read_range(struct range *out, struct db *db, const struct uuid *org_id)
{
    int64_t number = 0;
    enum status status =
        DB_FIRST(db, db_keep_int, &number, find_range, DB_BLOB(org_id->bytes, UUID_BYTES));

    out->first = (number << PLACE_BITS) + 1;
    out->last = ((number + 1) << PLACE_BITS) - 1;
    return status;
}

enum status contact_index_range(int64_t *first, int64_t *last, struct db *db,
                                const struct uuid *org_id)
{
    struct range range = {0, 0};
    enum status status = read_range(&range, db, org_id);

    *first = range.first;
    *last = range.last;
    return status;
}

static enum status make_range(struct range *out, struct db *db, const struct uuid *org_id)
{
    enum status status = read_range(out, db, org_id);

    if (status != STATUS_NOT_FOUND)
        return status;
    status = DB_RUN(db, NULL, add_range, DB_BLOB(org_id->bytes, UUID_BYTES));
    return status == STATUS_OK ? read_range(out, db, org_id) : status;
}

/* The last place of an organization's contacts, by its id. */
static const struct fact_kind last_places = {
    .key_bytes = UUID_BYTES,
    .value_bytes = sizeof(int64_t),
    .count = 256,
};

/* 0: it has no contacts. */
static enum status read_last(int64_t *last, struct db *db, const struct range *range)
{
    *last = 0;
    return DB_FIRST(db, db_keep_int, last, find_last, DB_INT(range->first),
                    DB_INT(range->last));
}

enum status contact_index_place(struct db *db, struct contact *contact)
{
    struct range range;
    int64_t last = 0;
    enum status status = STATUS_OK;

    if (!db_recall(db, &last_places, &contact->org_id, &last)) {
        status = make_range(&range, db, &contact->org_id);
        if (status == STATUS_OK)
            status = read_last(&last, db, &range);
        if (status == STATUS_OK && last == 0)
            last = range.first - 1;
    }
    contact->place = last + 1;
    if (status == STATUS_OK)
        db_remember(db, &last_places, &contact->org_id, &contact->place);
    return status;
}

/* The row in contact_index of a place in contact_words, and the place of such a row. */
static int64_t index_row(int64_t place)
{
    return place ^ block_number;
}

/* Runs a statement for each key of a contact. */
struct key_writer {
    struct db *db;
    const char *sql;
    int64_t place;
    enum status status;
};

static void write_key(void *arg, int64_t key)
{
    struct key_writer *writer = arg;

    if (writer->status == STATUS_OK)
        writer->status =
            DB_RUN(writer->db, NULL, writer->sql, DB_INT(key), DB_INT(writer->place));
}

static enum status write_keys(struct db *db, const char *sql, int64_t place,
                              struct span words, const struct uuid *org_id)
{
    struct key_writer writer = {.db = db, .sql = sql, .place = place, .status = STATUS_OK};

    contact_words_keys(words, org_id, write_key, &writer);
    return writer.status;
}

enum status contact_index_add(struct db *db, const struct contact *contact)
{
    struct contact_words words;

    if (!contact_words_make(&words, contact->texts, contact->entity_name))
        return STATUS_NO_MEMORY;
    const struct span text = {words.bytes, words.len};
    enum status status = DB_RUN(db, NULL, add_words, DB_INT(contact->place),
                                DB_INT(contact->number), DB_TEXT(text));
    if (status == STATUS_OK)
        status = DB_RUN(db, NULL, add_trigrams, DB_INT(index_row(contact->place)),
                        DB_TEXT(text));
    return status == STATUS_OK
               ? write_keys(db, add_key, contact->place, text, &contact->org_id)
               : status;
}

static enum status keep_words(void *arg, const struct db_rows *rows)
{
    struct contact_words *words = arg;
    const struct span text = db_text(rows, 0);

    if (text.len > sizeof words->bytes)
        return STATUS_INTERNAL;
    memcpy(words->bytes, text.data, text.len);
    words->len = text.len;
    return STATUS_OK;
}

/* Everything is removed as it was stored, which a library of another version might have
 * folded otherwise. */
static enum status remove_all(struct db *db, const struct contact *contact,
                              struct span words)
{
    const int64_t place = contact->place;
    enum status status = write_keys(db, remove_key, place, words, &contact->org_id);

    if (status == STATUS_OK)
        status =
            DB_RUN(db, NULL, remove_trigrams, DB_INT(index_row(place)), DB_TEXT(words));
    return status == STATUS_OK ? DB_RUN(db, NULL, remove_words, DB_INT(place)) : status;
}

enum status contact_index_remove(struct db *db, const struct contact *contact)
{
    struct contact_words words;
    enum status status =
        DB_FIRST(db, keep_words, &words, find_words, DB_INT(contact->place));

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return status == STATUS_OK
               ? remove_all(db, contact, (struct span){words.bytes, words.len})
               : status;
}

enum {
    MERGE_PAGES = 500, /* of the index, which are written at once */
};

/* The statement itself counts as a change; FTS5 says by more that there was work. */
enum status contact_index_merge(struct db *db, bool first, bool *done)
{
    int64_t before = 0, after = 0;
    enum status status = db_first(db, count_changes, NULL, 0, db_keep_int, &before);

    if (status == STATUS_OK)
        status = DB_RUN(db, NULL, merge, DB_INT(first ? -MERGE_PAGES : MERGE_PAGES));
    if (status == STATUS_OK)
        status = db_first(db, count_changes, NULL, 0, db_keep_int, &after);
    *done = after - before < 2;
    return status;
}

/* A search that is under way. */
struct search {
    struct db *db;
    const struct contact_query *query;
    struct range range;
    enum contact_match wanted; /* what contacts of this stage must have */
    contact_each *each;
    void *arg;
    bool ended; /* each wants no more */
};

/* The places of a block that the index has found: those changed last are the last ones. */
struct block {
    struct search *search;
    int64_t number;
    int count;
    int64_t places[BLOCK_ROWS];
};

/* Gives a contact that fits as this stage demands: those that fit better were given by
 * another one. */
static enum status give_place(struct search *search, int64_t place, struct span words)
{
    if (contact_words_match(words, search->query) != search->wanted)
        return STATUS_OK;
    enum status status = contact_at(search->db, place, search->each, search->arg);
    search->ended = status != STATUS_OK;
    return status;
}

static enum status give_row(void *arg, const struct db_rows *rows)
{
    return give_place(arg, db_int(rows, 0), db_text(rows, 1));
}

static enum status run_whole(struct search *search, const struct uuid *org_id,
                             enum contact_match kind, struct span text)
{
    search->wanted = kind;
    if (text.len == 0)
        return STATUS_OK;
    return DB_EACH(search->db, give_row, search, search_whole,
                   DB_INT(contact_key(org_id, kind, text)), DB_INT(search->range.first),
                   DB_INT(search->range.last));
}

/* An expression of FTS5 that is being written: some trigrams of a text, which must all
 * occur. */
struct expression {
    size_t len;
    char bytes[EXPRESSION_BYTES];
};

static void put(struct expression *out, const char *bytes, size_t len)
{
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static size_t character_bytes(struct span text)
{
    size_t len = utf8_decode(text, NULL);

    return len > 0 ? len : 1;
}

/* Writes three characters in quotes; a quote among them is doubled. */
static void put_trigram(struct expression *out, struct span text)
{
    put(out, "\"", 1);
    for (int i = 0; i < 3; i++) {
        size_t len = character_bytes(text);

        if (text.data[0] == '"')
            put(out, "\"", 1);
        put(out, text.data, len);
        text = (struct span){text.data + len, text.len - len};
    }
    put(out, "\"", 1);
}

/* Writes at most INDEX_TRIGRAMS trigrams of a text of at least three characters, evenly
 * spread, the first and the last one among them. */
static void put_trigrams(struct expression *out, struct span text)
{
    const size_t count = utf8_count(text) - 2;
    const size_t wanted = count < INDEX_TRIGRAMS ? count : INDEX_TRIGRAMS;
    size_t at = 0;

    put(out, "(", 1);
    for (size_t i = 0; i < wanted; i++) {
        const size_t next = wanted == 1 ? 0 : i * (count - 1) / (wanted - 1);
        for (; at < next; at++) {
            size_t len = character_bytes(text);
            text = (struct span){text.data + len, text.len - len};
        }
        if (i > 0)
            put(out, " AND ", 5);
        put_trigram(out, text);
    }
    put(out, ")", 1);
}

/* What the index is asked for: a part of a text, or a whole one between marks. */
static void put_text(struct expression *out, struct span text, bool is_part, char mark)
{
    char marked[CASEFOLD_GROWTH * CONTACT_QUERY_MAX_BYTES + 2];

    if (text.len == 0)
        return;
    if (out->len > 0)
        put(out, " OR ", 4);
    if (is_part) {
        put_trigrams(out, text);
        return;
    }
    marked[0] = mark;
    memcpy(marked + 1, text.data, text.len);
    marked[text.len + 1] = mark;
    put_trigrams(out, (struct span){marked, text.len + 2});
}

static enum status give_block(struct block *block)
{
    struct search *search = block->search;
    struct contact_words words;
    enum status status = STATUS_OK;

    while (block->count > 0 && status == STATUS_OK) {
        int64_t place = block->places[--block->count];
        status = DB_FIRST(search->db, keep_words, &words, find_words, DB_INT(place));
        if (status == STATUS_OK)
            status = give_place(search, place, (struct span){words.bytes, words.len});
        else if (status == STATUS_NOT_FOUND)
            status = STATUS_OK; /* without words no text finds it */
    }
    return status;
}

static enum status keep_place(void *arg, const struct db_rows *rows)
{
    struct block *block = arg;
    int64_t place = index_row(db_int(rows, 0));
    enum status status = STATUS_OK;

    if (place >> BLOCK_BITS != block->number)
        status = give_block(block);
    block->number = place >> BLOCK_BITS;
    if (status == STATUS_OK)
        block->places[block->count++] = place;
    return status;
}

static enum status search_index(struct search *search, struct span expression)
{
    struct block block = {.search = search, .count = 0};
    enum status status =
        DB_EACH(search->db, keep_place, &block, search_part, DB_TEXT(expression),
                DB_INT(search->range.first), DB_INT(search->range.last));

    return status == STATUS_OK ? give_block(&block) : status;
}

static enum status run_part(struct search *search)
{
    const struct contact_query *query = search->query;
    struct expression expression = {.len = 0};

    search->wanted = MATCH_PART;
    put_text(&expression, query->part, true, '\1');
    if (query->whole.len != query->part.len)
        put_text(&expression, query->whole, false, '\1');
    put_text(&expression, query->digits, query->digits.len >= CONTACT_PART_CHARACTERS,
             '\2');
    if (expression.len == 0)
        return STATUS_OK;
    return search_index(search, (struct span){expression.bytes, expression.len});
}

static enum status begin(struct search *search, struct contact_query *query, struct db *db,
                         const struct uuid *org_id, struct span text)
{
    search->db = db;
    search->query = query;
    if (!contact_query_make(query, text))
        return STATUS_NO_MEMORY;
    return read_range(&search->range, db, org_id);
}

/* Passes contacts on, except the one that was found by its id already. */
struct others {
    const struct uuid *org_id, *id;
    bool found;
    contact_each *each;
    void *arg;
};

static enum status give_that_one(void *arg, const struct contact *contact)
{
    struct others *others = arg;

    if (!uuid_equals(&contact->org_id, others->org_id) || contact->erased_at_ms != 0)
        return STATUS_OK;
    others->found = true;
    return others->each(others->arg, contact);
}

static enum status give_another(void *arg, const struct contact *contact)
{
    struct others *others = arg;

    return others->found && uuid_equals(&contact->id, others->id)
               ? STATUS_OK
               : others->each(others->arg, contact);
}

/* The stages after the one by id. */
static enum status run_stages(struct search *search, const struct uuid *org_id)
{
    const struct contact_query *query = search->query;
    enum status status = run_whole(search, org_id, MATCH_EMAIL, query->whole);

    if (status == STATUS_OK && !search->ended)
        status = run_whole(search, org_id, MATCH_PHONE, query->digits);
    if (status == STATUS_OK && !search->ended)
        status = run_whole(search, org_id, MATCH_NAME, query->whole);
    if (status == STATUS_OK && !search->ended)
        status = run_part(search);
    return status;
}

enum status contact_index_search(struct db *db, const struct uuid *org_id, struct span text,
                                 contact_each *each, void *arg)
{
    struct uuid id;
    struct contact_query query;
    struct others others = {.org_id = org_id, .id = &id, .each = each, .arg = arg};
    struct search search = {.each = give_another, .arg = &others};
    enum status status =
        uuid_parse(&id, text) ? contact_find(db, &id, give_that_one, &others) : STATUS_OK;

    if (status == STATUS_NOT_FOUND && others.found)
        return STATUS_OK; /* each wants no more */
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = begin(&search, &query, db, org_id, text);
    if (status == STATUS_OK)
        status = run_stages(&search, org_id);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status contact_index_whole(struct db *db, const struct uuid *org_id,
                                enum contact_match kind, struct span text,
                                contact_each *each, void *arg)
{
    struct contact_query query;
    struct search search = {.each = each, .arg = arg};
    enum status status = begin(&search, &query, db, org_id, text);

    if (status == STATUS_OK)
        status = run_whole(&search, org_id, kind,
                           kind == MATCH_PHONE ? query.digits : query.whole);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
