#include "lib/db.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "tests/unit/scratch.h"

enum {
    TIMEOUT_MS = 20000,
    SHORT_MS = 50,
};

static const char make_tables[] =
    "CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT UNIQUE CHECK (name <> 'bad'));"
    "CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents,"
    " data ANY) STRICT";
static const char insert_parent[] = "INSERT INTO parents VALUES (?1, ?2)";
static const char insert_child[] = "INSERT INTO children VALUES (?1, ?2, ?3)";
static const char get_child[] = "SELECT data FROM children WHERE id = ?1";
static const char list_parents[] = "SELECT id, name FROM parents ORDER BY id";
static const char count_parents[] = "SELECT count(*) FROM parents";
static const char delete_parents[] = "DELETE FROM parents WHERE id >= ?1";

static struct db *must_open_file(const char *name, enum db_mode mode)
{
    struct problem why = {""};
    struct db *db;

    if (db_open(&db, scratch_path(name), mode, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return db;
}

static struct db *must_open(enum db_mode mode)
{
    return must_open_file("db", mode);
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    struct db *db = must_open(DB_CREATE);
    assert_int_equal(db_script(db, make_tables), STATUS_OK);
    db_close(db);
    return 0;
}

static enum status add_parent(struct db *db, int64_t id, const char *name)
{
    return DB_RUN(db, NULL, insert_parent, DB_INT(id), DB_TEXT(span_of(name)));
}

static int64_t parents(struct db *db)
{
    struct db_rows rows;

    assert_int_equal(db_query(db, &rows, count_parents, NULL, 0), STATUS_OK);
    int64_t count = db_int(&rows, 0);
    db_done(&rows);
    return count;
}

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
    assert_int_equal(db_open(&db, scratch_path("db"), DB_READ, &why), STATUS_UNAVAILABLE);
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

/* Sums up the ids of parents, and answers with stop's status at that id. */
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

/* Transactions. */

static void begin(struct db *db)
{
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    assert_true(db_in_transaction(db));
}

static void commit_is_seen_by_others_and_rollback_by_nobody(void **state)
{
    struct db *writer = must_open(DB_WRITE), *reader = must_open(DB_READ);

    (void)state;
    begin(writer);
    assert_int_equal(add_parent(writer, 1, "one"), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    assert_false(db_in_transaction(writer));
    assert_int_equal(parents(reader), 1);
    begin(writer);
    assert_int_equal(add_parent(writer, 2, "two"), STATUS_OK);
    db_write_rollback(writer);
    assert_int_equal(parents(writer), 1);
    begin(writer);
    assert_int_equal(add_parent(writer, 3, "three"), STATUS_OK);
    db_close(writer);
    assert_int_equal(parents(reader), 1);
    db_close(reader);
}

static void reading_sees_one_state_until_it_ends(void **state)
{
    struct db *writer = must_open(DB_WRITE), *reader = must_open(DB_READ);

    (void)state;
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    begin(writer);
    assert_int_equal(add_parent(writer, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    db_read_end(reader);
    assert_int_equal(parents(reader), 1);
    db_read_end(reader);
    db_close(reader);
    db_close(writer);
}

static void only_one_writes_at_a_time(void **state)
{
    struct db *first = must_open(DB_WRITE), *second = must_open(DB_WRITE);

    (void)state;
    begin(first);
    assert_int_equal(db_write_begin(second, SHORT_MS), STATUS_BUSY);
    assert_false(db_in_transaction(second));
    assert_int_equal(add_parent(first, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(first), STATUS_OK);
    begin(second);
    assert_int_equal(db_write_begin(first, SHORT_MS), STATUS_BUSY);
    db_write_rollback(second);
    begin(first);
    db_write_rollback(first);
    db_close(first);
    db_close(second);
}

/* Opens the database, begins to write, tells so, and waits to be killed. */
static int write_until_killed(int to_parent)
{
    struct db *db = must_open(DB_WRITE);

    if (db_write_begin(db, TIMEOUT_MS) != STATUS_OK ||
        add_parent(db, 1, "one") != STATUS_OK)
        return 1;
    child_tell(to_parent);
    for (;;)
        (void)pause();
}

static void writer_that_dies_leaves_nothing_and_holds_up_nobody(void **state)
{
    struct child child = child_start(write_until_killed);

    (void)state;
    child_wait_told(&child);
    struct db *db = must_open(DB_WRITE);
    assert_int_equal(db_write_begin(db, SHORT_MS), STATUS_BUSY);
    assert_int_equal(kill(child.id, SIGKILL), 0);
    assert_int_equal(child_end(&child), 128 + SIGKILL);
    begin(db);
    assert_int_equal(parents(db), 0);
    assert_int_equal(add_parent(db, 1, "mine"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    db_close(db);
}

enum {
    WRITERS = 4,
    COMMITS = 50, /* of each writer */
};

static int64_t first_id; /* of the rows that a child makes */

static int commit_many(int to_parent)
{
    struct db *db = must_open(DB_WRITE);

    child_tell(to_parent);
    for (int64_t i = 0; i < COMMITS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%lld", (long long)(first_id + i));
        if (db_write_begin(db, TIMEOUT_MS) != STATUS_OK ||
            add_parent(db, first_id + i, name) != STATUS_OK ||
            db_write_commit(db) != STATUS_OK)
            return 1;
    }
    db_close(db);
    return 0;
}

static void writers_queue_and_none_fails(void **state)
{
    struct child children[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        first_id = 1 + i * COMMITS;
        children[i] = child_start(commit_many);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(child_end(&children[i]), 0);
    struct db *db = must_open(DB_READ);
    assert_int_equal(parents(db), WRITERS * COMMITS);
    db_close(db);
}

static void wal_is_written_back_while_it_grows(void **state)
{
    enum { ROW_BYTES = 4 << 20, ROWS = 20 };
    struct db *db = must_open(DB_WRITE);
    char *data = calloc(1, ROW_BYTES);
    struct stat info;

    (void)state;
    assert_non_null(data);
    for (int64_t i = 0; i < ROWS; i++) {
        begin(db);
        assert_int_equal(
            DB_RUN(db, NULL, insert_child, DB_INT(i), DB_NULL, DB_BLOB(data, ROW_BYTES)),
            STATUS_OK);
        assert_int_equal(db_write_commit(db), STATUS_OK);
        db_tidy(db);
        assert_int_equal(stat(scratch_path("db-wal"), &info), 0);
        assert_true(info.st_size < 32 << 20);
    }
    free(data);
    db_close(db);
}

static void a_reader_who_stays_makes_no_commit_wait_for_long(void **state)
{
    enum { ROW_BYTES = 4 << 20, ROWS_BEYOND_THE_LIMIT = 10, ROWS = 20, LIMIT_MS = 5000 };
    struct db *reader = must_open(DB_READ), *db = must_open(DB_WRITE);
    char *data = calloc(1, ROW_BYTES);
    int64_t began_ms = 0;

    (void)state;
    assert_non_null(data);
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    for (int64_t i = 0; i < ROWS; i++) {
        if (i == ROWS_BEYOND_THE_LIMIT)
            began_ms = clock_monotonic_ms();
        begin(db);
        assert_int_equal(DB_RUN(db, NULL, insert_child, DB_INT(i), DB_NULL,
                                DB_BLOB(data, i < ROWS_BEYOND_THE_LIMIT ? ROW_BYTES : 1)),
                         STATUS_OK);
        assert_int_equal(db_write_commit(db), STATUS_OK);
        db_tidy(db);
    }
    assert_true(clock_monotonic_ms() - began_ms < LIMIT_MS);
    db_read_end(reader);
    db_close(reader);
    free(data);
    db_close(db);
}

/* Commits more than the file may grow to; 0 when that fails and leaves nothing behind. */
static int commit_on_a_full_disk(int to_parent)
{
    struct rlimit limit = {1 << 20, RLIM_INFINITY};
    struct db *db = must_open(DB_WRITE);
    char *data = calloc(1, 4 << 20);

    (void)to_parent;
    if (data == NULL || signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0 || db_write_begin(db, TIMEOUT_MS) != STATUS_OK)
        return 1;
    enum status status =
        DB_RUN(db, NULL, insert_child, DB_INT(1), DB_NULL, DB_BLOB(data, 4 << 20));
    if (status == STATUS_OK)
        status = db_write_commit(db);
    else
        db_write_rollback(db);
    if (status == STATUS_OK)
        return 2;
    limit.rlim_cur = RLIM_INFINITY;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    free(data);
    db_close(db);
    return 0;
}

static void full_disk_fails_the_commit_and_spoils_nothing(void **state)
{
    struct child child = child_start(commit_on_a_full_disk);
    struct problem why = {""};

    (void)state;
    assert_int_equal(child_end(&child), 0);
    struct db *db = must_open(DB_WRITE);
    struct db_rows rows;
    assert_int_equal(DB_QUERY(db, &rows, get_child, DB_INT(1)), STATUS_NOT_FOUND);
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_check(db, &why), STATUS_OK);
    db_close(db);
}

/* Stamps. */

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

/* Checking and copying. */

static void fill(struct db *db)
{
    begin(db);
    for (int64_t id = 1; id <= 500; id++) {
        char name[32];
        (void)snprintf(name, sizeof name, "name %lld", (long long)id);
        assert_int_equal(add_parent(db, id, name), STATUS_OK);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
}

static void backup_holds_everything_and_can_take_the_databases_place(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    struct stat info;

    (void)state;
    fill(db);
    if (db_backup(db, scratch_path("copy"), &why) != STATUS_OK)
        fail_msg("%s", why.text);
    db_close(db);
    assert_int_equal(stat(scratch_path("copy"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(rename(scratch_path("copy"), scratch_path("restored")), 0);
    db = must_open_file("restored", DB_WRITE);
    assert_int_equal(parents(db), 500);
    assert_int_equal(db_check(db, &why), STATUS_OK);
    db_close(db);
}

static void backup_leaves_one_file(void **state)
{
    static const char *const wanted[] = {"copy", "db", "db-shm", "db-wal", "db.lock"};
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char command[256];

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), &why), STATUS_OK);
    (void)snprintf(command, sizeof command, "test $(ls -A %s | wc -l) = %zu",
                   scratch_directory, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_int_equal(access(scratch_path(wanted[i]), F_OK), 0);
    assert_int_equal(system(command), 0);
    db_close(db);
}

static void backup_replaces_nothing(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char text[16] = "";

    (void)state;
    scratch_write("copy", "precious");
    assert_int_equal(db_backup(db, scratch_path("copy"), &why), STATUS_CANT_CREATE);
    assert_non_null(strstr(why.text, "copy"));
    FILE *file = fopen(scratch_path("copy"), "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    assert_string_equal(text, "precious");
    assert_int_equal(db_backup(db, scratch_path("no-directory/copy"), &why),
                     STATUS_CANT_CREATE);
    db_close(db);
}

static void backup_of_a_running_transaction_waits_for_no_writer(void **state)
{
    struct db *db = must_open(DB_WRITE), *writer = must_open(DB_WRITE);
    struct problem why = {""};

    (void)state;
    fill(db);
    begin(writer);
    assert_int_equal(DB_RUN(writer, NULL, delete_parents, DB_INT(1)), STATUS_OK);
    assert_int_equal(db_backup(db, scratch_path("copy"), &why), STATUS_OK);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    db_close(writer);
    db_close(db);
    db = must_open_file("copy", DB_READ);
    assert_int_equal(parents(db), 500);
    db_close(db);
}

static void damage_is_found(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char garbage[2048];

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), &why), STATUS_OK);
    db_close(db);
    memset(garbage, 0x55, sizeof garbage);
    int fd = open(scratch_path("copy"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 4096), sizeof garbage);
    assert_int_equal(close(fd), 0);
    db = must_open_file("copy", DB_READ);
    enum status status = db_check(db, &why);
    assert_true(status == STATUS_INVALID || status == STATUS_UNAVAILABLE);
    assert_string_not_equal(why.text, "");
    db_close(db);
}

static void reference_to_nothing_is_found(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};

    (void)state;
    assert_int_equal(db_check(db, &why), STATUS_OK);
    assert_int_equal(db_script(db, "PRAGMA foreign_keys=OFF;"
                                   "INSERT INTO children VALUES (1, 99, NULL)"),
                     STATUS_OK);
    assert_int_equal(db_check(db, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "children"));
    db_close(db);
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    db_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_remove)

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
        TEST(commit_is_seen_by_others_and_rollback_by_nobody),
        TEST(reading_sees_one_state_until_it_ends),
        TEST(only_one_writes_at_a_time),
        TEST(writer_that_dies_leaves_nothing_and_holds_up_nobody),
        TEST(writers_queue_and_none_fails),
        TEST(wal_is_written_back_while_it_grows),
        TEST(a_reader_who_stays_makes_no_commit_wait_for_long),
        TEST(full_disk_fails_the_commit_and_spoils_nothing),
        TEST(a_new_database_has_no_stamp_and_no_tables),
        TEST(a_stamp_belongs_to_its_transaction),
        TEST(backup_holds_everything_and_can_take_the_databases_place),
        TEST(backup_leaves_one_file),
        TEST(backup_replaces_nothing),
        TEST(backup_of_a_running_transaction_waits_for_no_writer),
        TEST(damage_is_found),
        TEST(reference_to_nothing_is_found),
        TEST(closing_nothing_is_allowed),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
