/*
 * A small database for the tests of lib/db.h, new for each test: parents and children.
 */
#ifndef TESTS_UNIT_PARENTS_H
#define TESTS_UNIT_PARENTS_H

#include "lib/db.h"
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

static inline struct db *must_open_file(const char *name, enum db_mode mode)
{
    struct problem why = {""};
    struct db *db;

    if (db_open(&db, scratch_path(name), mode, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return db;
}

static inline struct db *must_open(enum db_mode mode)
{
    return must_open_file("db", mode);
}

static inline int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    struct db *db = must_open(DB_CREATE);
    assert_int_equal(db_script(db, make_tables), STATUS_OK);
    db_close(db);
    return 0;
}

static inline enum status add_parent(struct db *db, int64_t id, const char *name)
{
    return DB_RUN(db, NULL, insert_parent, DB_INT(id), DB_TEXT(span_of(name)));
}

static inline int64_t parents(struct db *db)
{
    struct db_rows rows;

    assert_int_equal(db_query(db, &rows, count_parents, NULL, 0), STATUS_OK);
    int64_t count = db_int(&rows, 0);
    db_done(&rows);
    return count;
}

static inline void begin(struct db *db)
{
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    assert_true(db_in_transaction(db));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_remove)

#endif
