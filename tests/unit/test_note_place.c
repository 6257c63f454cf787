#include "app/store/note_place.h"

#include "app/store/note_check.h"
#include "tests/unit/stage.h"

static struct note_place place;

static struct note note_of(const char *id, int64_t created_at_ms)
{
    return (struct note){
        .id = stage_id(id),
        .contact_id = stage_id("carl"),
        .author_id = stage_id("ann"),
        .content = span_of(id),
        .created_at_ms = created_at_ms,
        .written_at_ms = created_at_ms,
        .written_by = stage_id("ann"),
        .version = 1,
        .origin = {.developer_key_id = stage_id("dev"), .request_id = span_of("r")},
    };
}

static void add(const char *id, int64_t created_at_ms)
{
    const struct uuid carl = stage_id("carl");
    const struct note note = note_of(id, created_at_ms);
    int64_t contact;
    struct uuid org_id;
    struct problem why;

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(note_place_find_contact(&contact, &org_id, stage_db, &carl),
                     STATUS_OK);
    assert_int_equal(note_place_add(&place, stage_db, contact, &org_id, &note), STATUS_OK);
    assert_int_equal(note_check(stage_db, &why), STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

/* The contents of Carl's notes along the chain, the newest first. */
static const char *chain(void)
{
    return stage_ask(
        "WITH RECURSIVE chain (number, depth) AS (SELECT note, 0 FROM last_notes UNION ALL"
        " SELECT previous, depth + 1 FROM chain JOIN notes USING (number)"
        " WHERE previous > 0 LIMIT 100)"
        " SELECT group_concat(content, ' ') FROM (SELECT content FROM chain"
        " JOIN notes USING (number) ORDER BY depth)");
}

static void notes_get_their_places_by_time_and_id(void **state)
{
    (void)state;
    place = (struct note_place){.contact = 0};
    add("c", 30);
    assert_string_equal(chain(), "c");
    add("a", 10);
    assert_string_equal(chain(), "c a");
    add("b", 20);
    assert_string_equal(chain(), "c b a");
    add("d", 30);
    assert_string_equal(chain(), "d c b a");
    add("bb", 20);
    assert_string_equal(chain(), "d c bb b a");
    add("0", 5);
    assert_string_equal(chain(), "d c bb b a 0");
    add("e", 40);
    assert_string_equal(chain(), "e d c bb b a 0");
}

/* The last place is used again only while nothing has come between. */
static void others_may_add_notes_meanwhile(void **state)
{
    struct note_place before;

    (void)state;
    place = (struct note_place){.contact = 0};
    add("z", 90);
    add("a", 10);
    before = place;
    add("c", 30);
    place = before;
    add("b", 20);
    add("d", 40);
    assert_string_equal(chain(), "z d c b a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(notes_get_their_places_by_time_and_id),
        on_stage(others_may_add_notes_meanwhile),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
