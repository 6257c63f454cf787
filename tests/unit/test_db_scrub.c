/* db_scrub of lib/db.h: what was deleted is in no file of the database. */
#include "lib/db.h"

#include <sys/stat.h>

#include "tests/unit/parents.h"

enum {
    ROWS = 3000,
    CHANGES = 6000,
    SECOND_MS = 1000,
};

static uint32_t random_state;

/* The same numbers in each run. */
static uint32_t next_random(void)
{
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

static void run_sql(struct db *db, const char *sql)
{
    if (db_script(db, sql) != STATUS_OK)
        fail_msg("%s: %s", sql, db_message(db));
}

/* A text that says its number again and again, from some bytes to some pages. */
static struct span text_of(uint32_t number)
{
    static const unsigned times[] = {1, 1, 2, 5, 10, 40, 150, 500};
    static char text[16 * 500 + 16];
    const unsigned count = times[next_random() % COUNT(times)];

    for (unsigned i = 0; i < count; i++)
        (void)snprintf(text + 16 * i, 17, "<word %07u!> ", number);
    return (struct span){text, 16 * (size_t)count};
}

/* Texts of many lengths are added, changed and removed, in tables and in an index. Every
 * text has another number; live tells which of them are still there. */
static uint8_t live[ROWS + CHANGES];

static void write_and_delete(struct db *db)
{
    static uint32_t word_of[ROWS];
    uint32_t next = 0;

    random_state = 7;
    memset(live, 0, sizeof live);
    begin(db);
    for (uint32_t row = 0; row < ROWS; row++, next++) {
        word_of[row] = next;
        live[next] = 1;
        assert_int_equal(DB_RUN(db, NULL, "INSERT INTO texts VALUES (?1, ?2)", DB_INT(row),
                                DB_TEXT(text_of(next))),
                         STATUS_OK);
    }
    for (uint32_t i = 0; i < CHANGES; i++, next++) {
        const uint32_t row = next_random() % ROWS;
        live[word_of[row]] = 0;
        word_of[row] = next;
        live[next] = i % 3 != 0;
        assert_int_equal(DB_RUN(db, NULL, "UPDATE texts SET text = ?2 WHERE number = ?1",
                                DB_INT(row),
                                DB_TEXT(live[next] ? text_of(next) : span_of(""))),
                         STATUS_OK);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
    run_sql(db, "DELETE FROM texts WHERE number % 7 = 0");
    for (uint32_t row = 0; row < ROWS; row += 7)
        live[word_of[row]] = 0;
}

/* How many numbers of texts a file has that are not live, or, with wanted 1, that are. */
static size_t count_words(const char *ending, uint8_t wanted)
{
    static uint8_t seen[ROWS + CHANGES];
    char path[160];
    struct stat info;
    size_t count = 0;

    memset(seen, 0, sizeof seen);
    (void)snprintf(path, sizeof path, "%s%s", scratch_path("db"), ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    assert_int_equal(fstat(fileno(file), &info), 0);
    char *bytes = malloc((size_t)info.st_size + 16);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, (size_t)info.st_size, file);
    (void)fclose(file);
    memset(bytes + len, 0, 16);
    for (size_t i = 0; i + 14 < len; i++)
        if (memcmp(bytes + i, "<word ", 6) == 0 &&
            strspn(bytes + i + 6, "0123456789") == 7 && bytes[i + 13] == '!') {
            unsigned long number = strtoul(bytes + i + 6, NULL, 10);
            if (number < sizeof seen && live[number] == wanted)
                seen[number] = 1;
        }
    free(bytes);
    for (size_t i = 0; i < sizeof seen; i++)
        count += seen[i];
    return count;
}

static size_t count_remains(void)
{
    return count_words("", 0) + count_words("-wal", 0);
}

static size_t count_live(void)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof live; i++)
        count += live[i];
    return count;
}

/* secure: as the connections of this program are; else as older ones may have been. */
static struct db *make(bool secure)
{
    struct db *db = must_open(DB_CREATE);

    run_sql(db, "CREATE TABLE texts (number INTEGER PRIMARY KEY, text TEXT NOT NULL);"
                "CREATE INDEX by_text ON texts (text);");
    run_sql(db, secure ? "PRAGMA secure_delete=ON" : "PRAGMA secure_delete=OFF");
    write_and_delete(db);
    run_sql(db, "PRAGMA secure_delete=ON");
    return db;
}

static void must_scrub(struct db *db)
{
    struct problem why = {""};

    if (db_scrub(db, SECOND_MS, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    assert_int_equal(db_check(db, &why), STATUS_OK);
}

static void must_remove_all(bool secure)
{
    struct db *db = make(secure);

    assert_true(count_remains() > 0); /* else the test would show nothing */
    must_scrub(db);
    assert_int_equal(count_remains(), 0);
    assert_int_equal(count_words("", 1), count_live());
    db_close(db);
}

static void what_was_deleted_securely_is_removed_as_well(void **state)
{
    (void)state;
    must_remove_all(true);
}

static void what_was_deleted_without_being_zeroed_is_removed(void **state)
{
    (void)state;
    must_remove_all(false);
}

static enum status add_length(void *arg, const struct db_rows *rows)
{
    *(int64_t *)arg += db_int(rows, 0);
    return STATUS_OK;
}

/* A page is written as a whole, with what its unused part had when it was read. */
static void another_connection_does_not_bring_it_back(void **state)
{
    struct db *db = make(false), *other = must_open(DB_WRITE);
    int64_t length = 0;

    (void)state;
    db_finish(db);
    assert_int_equal(db_read_begin(other), STATUS_OK);
    assert_int_equal(
        db_each(other, "SELECT length(text) FROM texts", NULL, 0, add_length, &length),
        STATUS_OK);
    db_read_end(other);
    must_scrub(db);
    begin(other);
    run_sql(other, "UPDATE texts SET text = replace(text, '>', ']')");
    assert_int_equal(db_write_commit(other), STATUS_OK);
    db_finish(other);
    assert_int_equal(count_remains(), 0);
    db_close(other);
    db_close(db);
}

static void a_reader_that_does_not_end_is_waited_for_in_vain(void **state)
{
    struct db *db = make(true), *reader = must_open(DB_READ);
    struct problem why = {""};
    int64_t length = 0;

    (void)state;
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(
        db_each(reader, "SELECT length(text) FROM texts", NULL, 0, add_length, &length),
        STATUS_OK);
    begin(db);
    run_sql(db, "DELETE FROM texts");
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_scrub(db, 300, &why), STATUS_BUSY);
    assert_string_equal(why.text,
                        "others read the database all the time, such as a backup");
    db_read_end(reader);
    memset(live, 0, sizeof live);
    must_scrub(db);
    assert_int_equal(count_remains(), 0);
    db_close(reader);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_deleted_securely_is_removed_as_well),
        TEST(what_was_deleted_without_being_zeroed_is_removed),
        TEST(another_connection_does_not_bring_it_back),
        TEST(a_reader_that_does_not_end_is_waited_for_in_vain),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
