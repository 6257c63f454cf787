/*
 * How a commit is written to the WAL: in one piece, and whole also when it is large.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "lib/db.h"
#include "tests/unit/scratch.h"

static struct {
    int count;    /* of writes */
    int fails_at; /* this one fails with error; 0: none does */
    int error;
} writes;

/* Stands in for the function of libc, which SQLite calls. */
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
    if (++writes.count == writes.fails_at) {
        errno = writes.error;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, len, offset);
}

static const char *path;
static struct db *db;

static int make(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    path = scratch_path("db");
    memset(&writes, 0, sizeof writes);
    return db_open(&db, path, DB_CREATE, NULL) == STATUS_OK &&
                   db_script(db, "CREATE TABLE t (n INTEGER, x BLOB)") == STATUS_OK
               ? 0
               : -1;
}

static int unmake(void **state)
{
    memset(&writes, 0, sizeof writes);
    db_close(db);
    return scratch_remove(state);
}

/* A row with a blob whose bytes depend on n. */
static void insert(int64_t n, size_t len)
{
    static const char sql[] = "INSERT INTO t VALUES (?1, ?2)";
    char *bytes = malloc(len + 1);

    assert_non_null(bytes);
    memset(bytes, (int)n, len);
    assert_int_equal(DB_RUN(db, NULL, sql, DB_INT(n), DB_BLOB(bytes, len)), STATUS_OK);
    free(bytes);
}

static void begin(void)
{
    assert_int_equal(db_write_begin(db, 1000), STATUS_OK);
}

static void commit(void)
{
    assert_int_equal(db_write_commit(db), STATUS_OK);
}

static enum status count_row(void *arg, const struct db_rows *rows)
{
    struct span bytes = db_bytes(rows, 1);
    int *count = arg;

    for (size_t i = 0; i < bytes.len; i++)
        assert_int_equal((unsigned char)bytes.data[i], (unsigned char)db_int(rows, 0));
    ++*count;
    return STATUS_OK;
}

/* How many rows a connection sees; each must be whole. */
static int rows_seen_by(struct db *reader)
{
    int count = 0;

    assert_int_equal(
        DB_EACH(reader, count_row, &count, "SELECT n, x FROM t WHERE n >= ?1", DB_INT(0)),
        STATUS_OK);
    return count;
}

static int rows(void)
{
    struct db *reader;

    assert_int_equal(db_open(&reader, path, DB_READ, NULL), STATUS_OK);
    int count = rows_seen_by(reader);
    db_close(reader);
    return count;
}

static void a_commit_is_one_write(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 5; n++) {
        begin();
        insert(10 * n, 100);
        insert(10 * n + 1, 5000);
        writes.count = 0;
        commit();
        assert_int_equal(writes.count, 1);
    }
    assert_int_equal(rows(), 10);
}

static void a_large_commit_is_whole(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 3; n++) {
        begin();
        insert(n, 3 << 20);
        commit();
    }
    assert_int_equal(rows(), 3);
}

/* Also with more than the cache holds: what was written early could be written again when
 * another process has committed in its place. */
static void nothing_is_written_before_the_commit(void **state)
{
    (void)state;
    writes.count = 0;
    begin();
    for (int64_t n = 0; n < 200; n++)
        insert(n, 100000);
    assert_int_equal(rows_seen_by(db), 200);
    assert_int_equal(writes.count, 0);
    assert_int_equal(rows(), 0);
    commit();
    assert_int_equal(rows(), 200);
}

static void nothing_is_left_of_a_rollback(void **state)
{
    (void)state;
    writes.count = 0;
    begin();
    for (int64_t n = 0; n < 200; n++)
        insert(n, 100000);
    db_write_rollback(db);
    assert_int_equal(writes.count, 0);
    begin();
    insert(1, 10);
    commit();
    assert_int_equal(rows(), 1);
}

static void the_end_of_a_connection_writes_nothing(void **state)
{
    (void)state;
    begin();
    insert(1, 10);
    writes.count = 0;
    db_close(db);
    db = NULL;
    assert_int_equal(writes.count, 0);
    assert_int_equal(rows(), 0);
}

/* Whichever write fails: the commit is not stored, and the next one is whole. */
static void assert_failure(int error, enum status expected)
{
    for (int at = 1; at <= 3; at++) {
        begin();
        insert(at, 300000);
        writes.count = 0;
        writes.fails_at = at;
        writes.error = error;
        assert_int_equal(db_write_commit(db), expected);
        writes.fails_at = 0;
        assert_int_equal(rows(), at - 1);
        begin();
        insert(100 + at, 10);
        commit();
        assert_int_equal(rows(), at);
    }
}

static void a_full_disk_fails_the_commit_only(void **state)
{
    (void)state;
    assert_failure(ENOSPC, STATUS_UNAVAILABLE);
}

static void a_broken_disk_fails_the_commit_only(void **state)
{
    (void)state;
    assert_failure(EIO, STATUS_UNKNOWN);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_is_one_write),
        TEST(a_large_commit_is_whole),
        TEST(nothing_is_written_before_the_commit),
        TEST(nothing_is_left_of_a_rollback),
        TEST(the_end_of_a_connection_writes_nothing),
        TEST(a_full_disk_fails_the_commit_only),
        TEST(a_broken_disk_fails_the_commit_only),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
