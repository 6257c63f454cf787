#include "lib/migrate.h"

#include "app/store/schema.h"
#include "lib/secret.h"
#include "tests/unit/scratch.h"

enum {
    APPLICATION_ID = 0x54455354,
    CHILDREN = 4,
};

#define FIRST_SQL                                                                          \
    "CREATE TABLE one (id INTEGER PRIMARY KEY) STRICT;\n"                                  \
    "-- with a comment; and a semicolon in it\n"                                           \
    "INSERT INTO one VALUES (1);\n"

static const struct migration list[] = {
    {1, "first", FIRST_SQL},
    {2, "second", "INSERT INTO one VALUES (2); CREATE TABLE two (id INTEGER) STRICT;"},
    {3, "third", "INSERT INTO one VALUES (3);"},
};

static const struct migration broken_list[] = {
    {1, "first", FIRST_SQL},
    {2, "broken", "CREATE TABLE two (id INTEGER) STRICT; INSERT INTO three VALUES (1);"},
};

/* As list, but for the text of the second, as if it had been edited after its release. */
static const struct migration edited_list[] = {
    {1, "first", FIRST_SQL},
    {2, "second", "INSERT INTO one VALUES (2); CREATE TABLE two (id TEXT) STRICT;"},
    {3, "third", "INSERT INTO one VALUES (3);"},
};

static const char list_rows[] = "SELECT number, name, length(checksum), applied_at > 0,"
                                " program_version FROM schema_migrations ORDER BY number";
static const char count_rows[] = "SELECT count(*), max(number) FROM schema_migrations";
static const char count_ones[] = "SELECT count(*) FROM one";
static const char count_twos[] = "SELECT count(*) FROM sqlite_schema WHERE name = 'two'";

static struct migrations first(size_t count)
{
    return (struct migrations){list, count, APPLICATION_ID, "1.2.3", NULL};
}

static struct db *must_open(void)
{
    struct problem why = {""};
    struct db *db;

    if (db_open(&db, scratch_path("db"), DB_CREATE, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return db;
}

static int apply(struct db *db, size_t count)
{
    struct migrations ours = first(count);
    struct problem why = {""};
    int applied = -1;

    if (migrate_apply(db, &ours, &applied, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return applied;
}

static int version(struct db *db)
{
    struct migrations ours = first(1);
    int number = -1;

    assert_int_equal(migrate_version(db, &ours, &number, NULL), STATUS_OK);
    return number;
}

static int64_t number_of(struct db *db, const char *sql)
{
    struct db_rows rows;

    assert_int_equal(db_query(db, &rows, sql, NULL, 0), STATUS_OK);
    int64_t number = db_int(&rows, 0);
    db_done(&rows);
    return number;
}

static void new_database_has_version_0_and_is_told_apart(void **state)
{
    struct migrations ours = first(2);
    struct problem why = {""};
    struct db *db = must_open();

    (void)state;
    assert_int_equal(version(db), 0);
    assert_int_equal(migrate_check(db, &ours, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "schema 0"));
    db_close(db);
}

static void each_migration_runs_once(void **state)
{
    struct migrations ours = first(3);
    struct db *db = must_open();

    (void)state;
    assert_int_equal(apply(db, 1), 1);
    assert_int_equal(version(db), 1);
    assert_int_equal(apply(db, 3), 2);
    assert_int_equal(apply(db, 3), 0);
    assert_int_equal(version(db), 3);
    assert_int_equal(migrate_check(db, &ours, NULL), STATUS_OK);
    assert_int_equal(number_of(db, count_ones), 3);
    db_close(db);
    db = must_open();
    assert_int_equal(apply(db, 3), 0);
    assert_int_equal(version(db), 3);
    db_close(db);
}

static void what_ran_is_written_down(void **state)
{
    struct db *db = must_open();
    struct db_rows rows;

    (void)state;
    assert_int_equal(apply(db, 3), 3);
    assert_int_equal(db_query(db, &rows, list_rows, NULL, 0), STATUS_OK);
    for (size_t i = 0; i < COUNT(list); i++) {
        assert_int_equal(db_int(&rows, 0), list[i].number);
        assert_true(span_equals(db_text(&rows, 1), span_of(list[i].name)));
        assert_int_equal(db_int(&rows, 2), SECRET_HASH_BYTES);
        assert_int_equal(db_int(&rows, 3), 1);
        assert_true(span_equals(db_text(&rows, 4), span_of("1.2.3")));
        assert_int_equal(db_next(&rows),
                         i + 1 < COUNT(list) ? STATUS_OK : STATUS_NOT_FOUND);
    }
    db_close(db);
}

static void older_database_says_what_it_has_and_what_is_needed(void **state)
{
    struct migrations ours = first(3);
    struct problem why = {""};
    struct db *db = must_open();

    (void)state;
    assert_int_equal(apply(db, 2), 2);
    assert_int_equal(migrate_check(db, &ours, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "schema 2"));
    assert_non_null(strstr(why.text, "needs 3"));
    db_close(db);
}

static void newer_database_is_left_alone(void **state)
{
    struct migrations ours = first(2);
    struct problem why = {""};
    struct db *db = must_open();

    (void)state;
    assert_int_equal(apply(db, 3), 3);
    assert_int_equal(migrate_check(db, &ours, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "newer program"));
    assert_int_equal(migrate_apply(db, &ours, NULL, &why), STATUS_SCHEMA);
    assert_int_equal(version(db), 3);
    db_close(db);
}

static void database_of_another_program_is_left_alone(void **state)
{
    static const char *const others[] = {
        "CREATE TABLE theirs (id)",
        "PRAGMA user_version=1",
        "PRAGMA application_id=1",
        "CREATE TABLE theirs (id); PRAGMA application_id=1; PRAGMA user_version=3",
    };
    struct migrations ours = first(3);

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        struct problem why = {""};
        struct db *db = must_open();
        int number, applied = -1;
        assert_int_equal(db_script(db, others[i]), STATUS_OK);
        assert_int_equal(migrate_version(db, &ours, &number, &why), STATUS_SCHEMA);
        assert_non_null(strstr(why.text, "another program"));
        assert_int_equal(migrate_check(db, &ours, NULL), STATUS_SCHEMA);
        assert_int_equal(migrate_apply(db, &ours, &applied, NULL), STATUS_SCHEMA);
        assert_int_equal(applied, 0);
        db_close(db);
        assert_int_equal(remove(scratch_path("db")), 0);
        (void)remove(scratch_path("db-wal"));
        (void)remove(scratch_path("db-shm"));
    }
}

static void edited_migration_is_found_and_named(void **state)
{
    struct db *db = must_open();

    (void)state;
    assert_int_equal(apply(db, 3), 3);
    for (size_t count = 1; count <= COUNT(edited_list); count++) {
        struct migrations ours = {edited_list, count, APPLICATION_ID, "1.2.4", NULL};
        struct problem why = {""};
        assert_int_equal(migrate_check(db, &ours, &why), STATUS_SCHEMA);
        assert_int_equal(strstr(why.text, "migration 2 (second)") != NULL, count == 3);
        assert_int_equal(strstr(why.text, "version 1.2.3") != NULL, count == 3);
    }
    db_close(db);
}

static void nothing_is_applied_on_top_of_an_edited_migration(void **state)
{
    struct migrations ours = {edited_list, COUNT(edited_list), APPLICATION_ID, "1.2.4",
                              NULL};
    struct problem why = {""};
    struct db *db = must_open();
    int applied = -1;

    (void)state;
    assert_int_equal(apply(db, 2), 2);
    assert_int_equal(migrate_apply(db, &ours, &applied, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "migration 2 (second)"));
    assert_int_equal(applied, 0);
    assert_int_equal(version(db), 2);
    assert_false(db_in_transaction(db));
    assert_int_equal(apply(db, 3), 1);
    db_close(db);
}

static void migration_without_a_record_is_named(void **state)
{
    struct migrations ours = first(3);
    struct problem why = {""};
    struct db *db = must_open();

    (void)state;
    assert_int_equal(apply(db, 3), 3);
    assert_int_equal(db_script(db, "DELETE FROM schema_migrations WHERE number = 2"),
                     STATUS_OK);
    assert_int_equal(migrate_check(db, &ours, &why), STATUS_SCHEMA);
    assert_non_null(strstr(why.text, "migration 2 (second)"));
    assert_int_equal(migrate_apply(db, &ours, NULL, NULL), STATUS_SCHEMA);
    db_close(db);
}

static enum status fill_second(struct db *db, int number)
{
    return number == 2 ? db_script(db, "INSERT INTO two VALUES (22)") : STATUS_OK;
}

static enum status fail_second(struct db *db, int number)
{
    return number == 2 ? db_script(db, "INSERT INTO none VALUES (22)") : STATUS_OK;
}

static void what_follows_a_migration_belongs_to_it(void **state)
{
    struct migrations ours = first(3);
    struct db *db = must_open();
    int applied = -1;

    (void)state;
    ours.after = fail_second;
    assert_int_not_equal(migrate_apply(db, &ours, &applied, NULL), STATUS_OK);
    assert_int_equal(applied, 1);
    assert_int_equal(number_of(db, count_twos), 0);
    ours.after = fill_second;
    assert_int_equal(migrate_apply(db, &ours, &applied, NULL), STATUS_OK);
    assert_int_equal(applied, 2);
    assert_int_equal(number_of(db, "SELECT count(*) FROM two"), 1);
    db_close(db);
}

static void migration_that_fails_leaves_nothing_of_itself(void **state)
{
    struct migrations ours = {broken_list, COUNT(broken_list), APPLICATION_ID, "1", NULL};
    struct problem why = {""};
    struct db *db = must_open();
    int applied = -1;

    (void)state;
    assert_int_not_equal(migrate_apply(db, &ours, &applied, &why), STATUS_OK);
    assert_int_equal(applied, 1);
    assert_non_null(strstr(why.text, "migration 2 (broken)"));
    assert_non_null(strstr(why.text, "three"));
    assert_int_equal(version(db), 1);
    assert_int_equal(number_of(db, count_rows), 1);
    assert_int_equal(number_of(db, count_twos), 0);
    assert_false(db_in_transaction(db));
    assert_int_equal(apply(db, 3), 2);
    db_close(db);
}

static int apply_in_child(int to_parent)
{
    struct migrations ours = first(3);
    struct db *db;

    (void)to_parent;
    if (db_open(&db, scratch_path("db"), DB_CREATE, NULL) != STATUS_OK)
        return 1;
    enum status status = migrate_apply(db, &ours, NULL, NULL);
    db_close(db);
    return status == STATUS_OK ? 0 : 2;
}

static void several_programs_at_once_run_each_migration_once(void **state)
{
    struct child children[CHILDREN];

    (void)state;
    for (int i = 0; i < CHILDREN; i++)
        children[i] = child_start(apply_in_child);
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(child_end(&children[i]), 0);
    struct db *db = must_open();
    assert_int_equal(version(db), 3);
    assert_int_equal(number_of(db, count_rows), 3);
    assert_int_equal(number_of(db, count_ones), 3);
    db_close(db);
}

static void schema_of_this_program_is_sound_and_numbered_without_gaps(void **state)
{
    struct migrations ours = schema_ours();
    struct problem why = {""};
    struct db *db = must_open();
    int applied = 0;

    (void)state;
    for (size_t i = 0; i < ours.count; i++)
        assert_int_equal(ours.list[i].number, (int)i + 1);
    assert_int_equal(migrate_apply(db, &ours, &applied, &why), STATUS_OK);
    assert_int_equal(applied, ours.count);
    assert_int_equal(db_check(db, &why), STATUS_OK);
    db_close(db);
    assert_int_equal(schema_open(&db, scratch_path("db"), DB_READ, &why), STATUS_OK);
    db_close(db);
}

static void opening_names_the_command_that_helps(void **state)
{
    struct problem why = {""};
    struct db *db;

    (void)state;
    assert_int_equal(schema_open(&db, scratch_path("db"), DB_READ, &why), STATUS_NOT_FOUND);
    assert_non_null(strstr(why.text, "crmnotesctl db migrate"));
    db_close(must_open());
    assert_int_equal(schema_open(&db, scratch_path("db"), DB_WRITE, &why), STATUS_SCHEMA);
    assert_null(db);
    assert_non_null(strstr(why.text, "crmnotesctl db migrate"));
    db = must_open();
    assert_int_equal(apply(db, 1), 1); /* another program's */
    db_close(db);
    assert_int_equal(schema_open(&db, scratch_path("db"), DB_WRITE, &why), STATUS_SCHEMA);
    assert_null(strstr(why.text, "crmnotesctl db migrate"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_database_has_version_0_and_is_told_apart),
        TEST(each_migration_runs_once),
        TEST(what_ran_is_written_down),
        TEST(older_database_says_what_it_has_and_what_is_needed),
        TEST(newer_database_is_left_alone),
        TEST(database_of_another_program_is_left_alone),
        TEST(edited_migration_is_found_and_named),
        TEST(nothing_is_applied_on_top_of_an_edited_migration),
        TEST(migration_without_a_record_is_named),
        TEST(what_follows_a_migration_belongs_to_it),
        TEST(migration_that_fails_leaves_nothing_of_itself),
        TEST(several_programs_at_once_run_each_migration_once),
        TEST(schema_of_this_program_is_sound_and_numbered_without_gaps),
        TEST(opening_names_the_command_that_helps),
    };

    if (secret_init() != STATUS_OK || db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
