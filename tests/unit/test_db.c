#include "lib/db.h"

#include <sys/stat.h>

#include "tests/unit/parents.h"

/* Opening. */

static void missing_file_is_not_made_unless_asked_for(void **state)
{
    static const enum db_mode modes[] = {DB_READ, DB_WRITE};

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct problem why = {""};
        struct db *db = (struct db *)1;
        assert_int_equal(db_open(&db, scratch_path("none"), modes[i], &why),
                         STATUS_NOT_FOUND);
        assert_null(db);
        assert_non_null(strstr(why.text, "none"));
        assert_int_equal(access(scratch_path("none"), F_OK), -1);
    }
}

static void file_that_cannot_be_made_is_named(void **state)
{
    struct problem why = {""};
    struct db *db;

    (void)state;
    assert_int_equal(db_open(&db, scratch_path("no-directory/db"), DB_CREATE, &why),
                     STATUS_CANT_CREATE);
    assert_non_null(strstr(why.text, "no-directory/db"));
}

static void file_that_is_no_database_is_refused(void **state)
{
    static const enum db_mode modes[] = {DB_READ, DB_WRITE, DB_CREATE};

    (void)state;
    scratch_write("text",
                  "This is some text, long enough to be taken for a database header, "
                  "and longer than one hundred bytes in all.\n");
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct problem why = {""};
        struct db *db;
        assert_int_equal(db_open(&db, scratch_path("text"), modes[i], &why),
                         STATUS_UNAVAILABLE);
        assert_non_null(strstr(why.text, "not an SQLite database"));
    }
}

static void database_without_wal_mode_is_refused(void **state)
{
    struct problem why = {""};
    struct db *db = must_open(DB_WRITE);

    (void)state;
    assert_int_equal(db_script(db, "PRAGMA journal_mode=DELETE"), STATUS_OK);
    db_close(db);
    assert_int_equal(db_open(&db, scratch_path("db"), DB_READ, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "WAL"));
    db_close(must_open(DB_CREATE));
    db_close(must_open(DB_READ));
}

static void new_file_is_for_owner_and_group(void **state)
{
    static const char *const names[] = {"new", "new-wal", "new-shm", "new.lock"};
    mode_t mask = umask(002);
    struct db *db = must_open_file("new", DB_CREATE);
    struct stat info;

    (void)state;
    assert_int_equal(db_script(db, make_tables), STATUS_OK);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(stat(scratch_path(names[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0660);
    }
    db_close(db);
    (void)umask(mask);
}

static void path_is_never_a_uri(void **state)
{
    struct problem why = {""};
    struct db *db;

    (void)state;
    assert_int_equal(chdir(scratch_directory), 0);
    assert_int_equal(db_open(&db, "file:new?mode=memory", DB_CREATE, &why), STATUS_OK);
    db_close(db);
    assert_int_equal(access(scratch_path("file:new?mode=memory"), F_OK), 0);
    assert_int_equal(chdir("/"), 0);
}

static void reader_changes_nothing(void **state)
{
    struct db *db = must_open(DB_READ);

    (void)state;
    assert_int_equal(add_parent(db, 1, "one"), STATUS_UNAVAILABLE);
    assert_int_not_equal(db_script(db, "CREATE TABLE more (id)"), STATUS_OK);
    assert_int_equal(parents(db), 0);
    db_close(db);
}

/* Values. */

static void values_come_back_as_they_were(void **state)
{
    static const char bytes[] = {0, 1, (char)0xff, 0, 'x'};
    const struct db_value values[] = {
        DB_NULL,
        DB_INT(0),
        DB_INT(INT64_MIN),
        DB_INT(INT64_MAX),
        DB_TEXT(span_of("Grüße, 世界")),
        DB_TEXT(span_of("")),
        DB_TEXT(((struct span){"no end here", 6})),
        DB_BLOB(bytes, sizeof bytes),
        DB_BLOB(NULL, 0),
    };
    struct db *db = must_open(DB_WRITE);
    struct db_rows rows;

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        assert_int_equal(
            DB_RUN(db, NULL, insert_child, DB_INT((int64_t)i), DB_NULL, values[i]),
            STATUS_OK);
        assert_int_equal(DB_QUERY(db, &rows, get_child, DB_INT((int64_t)i)), STATUS_OK);
        assert_int_equal(db_is_null(&rows, 0), values[i].type == DB_VALUE_NULL);
        struct span text =
            values[i].type == DB_VALUE_BLOB ? db_bytes(&rows, 0) : db_text(&rows, 0);
        if (values[i].type == DB_VALUE_INT)
            assert_int_equal(db_int(&rows, 0), values[i].number);
        else
            assert_true(span_equals(text, (struct span){values[i].data, values[i].len}));
        assert_int_equal(db_next(&rows), STATUS_NOT_FOUND);
        db_done(&rows);
        db_done(&rows);
    }
    db_close(db);
}

static void empty_text_can_stand_for_null(void **state)
{
    (void)state;
    assert_int_equal(db_text_or_null(span_of("")).type, DB_VALUE_NULL);
    assert_int_equal(db_text_or_null((struct span){NULL, 0}).type, DB_VALUE_NULL);
    assert_int_equal(db_text_or_null(span_of(" ")).type, DB_VALUE_TEXT);
}

static void blob_is_copied_only_at_its_exact_size(void **state)
{
    struct db *db = must_open(DB_WRITE);
    unsigned char out[5];
    struct db_rows rows;

    (void)state;
    assert_int_equal(DB_RUN(db, NULL, insert_child, DB_INT(1), DB_NULL, DB_BLOB("abcd", 4)),
                     STATUS_OK);
    assert_int_equal(DB_QUERY(db, &rows, get_child, DB_INT(1)), STATUS_OK);
    assert_true(db_blob(&rows, 0, out, 4));
    assert_memory_equal(out, "abcd", 4);
    assert_false(db_blob(&rows, 0, out, 5));
    assert_memory_equal(out, "\0\0\0\0", 5);
    memset(out, 1, sizeof out);
    assert_false(db_blob(&rows, 0, out, 3));
    assert_memory_equal(out, "\0\0\0\1\1", 5);
    db_done(&rows);
    db_close(db);
}

static void broken_rules_are_told_apart(void **state)
{
    struct db *db = must_open(DB_WRITE);

    (void)state;
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(add_parent(db, 1, "two"), STATUS_EXISTS);
    assert_int_equal(add_parent(db, 2, "one"), STATUS_EXISTS);
    assert_int_equal(add_parent(db, 2, "bad"), STATUS_INVALID);
    assert_int_equal(DB_RUN(db, NULL, insert_child, DB_INT(1), DB_INT(99), DB_NULL),
                     STATUS_INVALID);
    assert_int_equal(add_parent(db, 2, "two"), STATUS_OK);
    assert_int_equal(parents(db), 2);
    db_close(db);
}

static void changed_rows_are_counted(void **state)
{
    struct db *db = must_open(DB_WRITE);
    int changed = -1;

    (void)state;
    for (int64_t id = 1; id <= 5; id++) {
        char name[] = {(char)('a' + id), '\0'};
        assert_int_equal(add_parent(db, id, name), STATUS_OK);
    }
    assert_int_equal(DB_RUN(db, &changed, delete_parents, DB_INT(3)), STATUS_OK);
    assert_int_equal(changed, 3);
    assert_int_equal(DB_RUN(db, &changed, delete_parents, DB_INT(3)), STATUS_OK);
    assert_int_equal(changed, 0);
    db_close(db);
}

static void statement_runs_again_after_an_early_end(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct db_rows rows;

    (void)state;
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(add_parent(db, 2, "two"), STATUS_OK);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(db_query(db, &rows, list_parents, NULL, 0), STATUS_OK);
        assert_int_equal(db_int(&rows, 0), 1);
        assert_true(span_equals(db_text(&rows, 1), span_of("one")));
        db_done(&rows);
    }
    db_close(db);
}

/* Sums up the ids of parents, and returns the status `stop` at that id. */
struct visit {
    int64_t sum;
    int64_t stop_at;
    enum status stop_with;
};

static enum status add_id(void *arg, const struct db_rows *row)
{
    struct visit *visit = arg;

    visit->sum = visit->sum * 10 + db_int(row, 0);
    return db_int(row, 0) == visit->stop_at ? visit->stop_with : STATUS_OK;
}

static void each_row_is_visited_in_order_until_one_ends_it(void **state)
{
    static const struct {
        struct visit visit;
        enum status each;
        int64_t each_sum;
        enum status first;
    } cases[] = {
        {{.stop_at = 0}, STATUS_OK, 123, STATUS_OK},
        {{.stop_at = 2, .stop_with = STATUS_IO}, STATUS_IO, 12, STATUS_OK},
        {{.stop_at = 2, .stop_with = STATUS_NOT_FOUND}, STATUS_OK, 12, STATUS_OK},
        {{.stop_at = 1, .stop_with = STATUS_IO}, STATUS_IO, 1, STATUS_IO},
    };
    struct db *db = must_open(DB_WRITE);

    (void)state;
    assert_int_equal(add_parent(db, 2, "two"), STATUS_OK);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(add_parent(db, 3, "three"), STATUS_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct visit visit = cases[i].visit;
        assert_int_equal(db_each(db, list_parents, NULL, 0, add_id, &visit), cases[i].each);
        assert_int_equal(visit.sum, cases[i].each_sum);
        visit.sum = 0;
        assert_int_equal(db_first(db, list_parents, NULL, 0, add_id, &visit),
                         cases[i].first);
        assert_int_equal(visit.sum, 1);
    }
    db_close(db);
}

static void no_row_is_no_fault_of_each_and_nothing_found_by_first(void **state)
{
    static const char wrong[] = "SELECT some FROM nowhere";
    struct db *db = must_open(DB_READ);
    struct visit visit = {.sum = 0};

    (void)state;
    assert_int_equal(DB_EACH(db, add_id, &visit, get_child, DB_INT(1)), STATUS_OK);
    assert_int_equal(DB_FIRST(db, add_id, &visit, get_child, DB_INT(1)), STATUS_NOT_FOUND);
    assert_int_equal(db_each(db, wrong, NULL, 0, add_id, &visit), STATUS_INTERNAL);
    assert_int_equal(db_first(db, wrong, NULL, 0, add_id, &visit), STATUS_INTERNAL);
    assert_int_equal(visit.sum, 0);
    db_close(db);
}

static void wrong_sql_is_an_error_with_a_sentence(void **state)
{
    static const char wrong[] = "SELECT some FROM nowhere";
    struct db *db = must_open(DB_READ);
    struct db_rows rows;

    (void)state;
    assert_int_equal(db_query(db, &rows, wrong, NULL, 0), STATUS_INTERNAL);
    assert_non_null(strstr(db_message(db), "nowhere"));
    db_close(db);
}

static struct db_stamp stamp_of(struct db *db)
{
    struct db_stamp stamp;

    assert_int_equal(db_stamp_read(db, &stamp), STATUS_OK);
    return stamp;
}

static void a_new_database_has_no_stamp_and_no_tables(void **state)
{
    struct db *db = must_open_file("new", DB_CREATE);
    struct db_stamp stamp = stamp_of(db);

    (void)state;
    assert_int_equal(stamp.application, 0);
    assert_int_equal(stamp.version, 0);
    assert_false(stamp.has_tables);
    assert_int_equal(db_script(db, make_tables), STATUS_OK);
    assert_true(stamp_of(db).has_tables);
    db_close(db);
}

static void a_stamp_belongs_to_its_transaction(void **state)
{
    struct db *db = must_open(DB_WRITE), *reader = must_open(DB_READ);

    (void)state;
    begin(db);
    assert_int_equal(db_stamp_write(db, 0x7fffffff, 12), STATUS_OK);
    assert_int_equal(stamp_of(db).version, 12);
    assert_int_equal(stamp_of(reader).version, 0);
    db_write_rollback(db);
    assert_int_equal(stamp_of(db).version, 0);
    begin(db);
    assert_int_equal(db_stamp_write(db, 0x7fffffff, 13), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(stamp_of(reader).version, 13);
    assert_int_equal(stamp_of(reader).application, 0x7fffffff);
    db_close(reader);
    db_close(db);
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    db_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_file_is_not_made_unless_asked_for),
        TEST(file_that_cannot_be_made_is_named),
        TEST(file_that_is_no_database_is_refused),
        TEST(database_without_wal_mode_is_refused),
        TEST(new_file_is_for_owner_and_group),
        TEST(path_is_never_a_uri),
        TEST(reader_changes_nothing),
        TEST(values_come_back_as_they_were),
        TEST(empty_text_can_stand_for_null),
        TEST(blob_is_copied_only_at_its_exact_size),
        TEST(broken_rules_are_told_apart),
        TEST(changed_rows_are_counted),
        TEST(statement_runs_again_after_an_early_end),
        TEST(each_row_is_visited_in_order_until_one_ends_it),
        TEST(no_row_is_no_fault_of_each_and_nothing_found_by_first),
        TEST(wrong_sql_is_an_error_with_a_sentence),
        TEST(a_new_database_has_no_stamp_and_no_tables),
        TEST(a_stamp_belongs_to_its_transaction),
        TEST(closing_nothing_is_allowed),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
