/*
 * A database of its own for each test, with two organizations in it.
 *
 * acme: members ann and bob, contacts carl (of ann) and cleo (of bob), API keys of both.
 * Its developer keys: dev (192.0.2.0/24 and 2001:db8::/32), far (198.51.100.0/24) and
 * bare (no networks). other: member eve, contact chad, one key of each kind.
 *
 * SQL text may name ids as {ann} and hashes as [ann-key].
 */
#ifndef TESTS_UNIT_STAGE_H
#define TESTS_UNIT_STAGE_H

#include "tests/unit/scratch.h"

#include "app/api/add_note.h"
#include "app/api/error.h"
#include "app/rules/note_rules.h"
#include "app/store/key_facts.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/secret.h"

enum {
    STAGE_NOW_MS = 1000000,
    STAGE_LOCK_MS = 10000,
    STAGE_SQL_BYTES = 16384,
};

static char stage_path[96];
static struct db *stage_db; /* for writing */

static inline struct uuid stage_id(const char *name)
{
    struct uuid id = {{0}};

    assert_true(strlen(name) <= sizeof id.bytes);
    memcpy(id.bytes, name, strlen(name));
    return id;
}

/* A substitute for the hash of a key; the texts of keys do not matter here. */
static inline struct secret_hash stage_hash(const char *name)
{
    struct secret_hash hash = {{0}};

    assert_true(strlen(name) <= sizeof hash.bytes);
    memcpy(hash.bytes, name, strlen(name));
    return hash;
}

static inline size_t stage_put_hex(char *out, const char *name, size_t len, size_t bytes)
{
    size_t used = 2;

    memcpy(out, "x'", used);
    for (size_t i = 0; i < bytes; i++)
        used +=
            (size_t)snprintf(out + used, 3, "%02x", i < len ? (unsigned char)name[i] : 0);
    out[used++] = '\'';
    return used;
}

/* A copy with names of ids and hashes replaced by their bytes. */
static inline char *stage_expand(const char *text)
{
    char *out = malloc(STAGE_SQL_BYTES);
    size_t used = 0;

    assert_non_null(out);
    for (; *text != '\0'; text++) {
        assert_true(used + 128 < STAGE_SQL_BYTES);
        if (*text != '{' && *text != '[') {
            out[used++] = *text;
            continue;
        }
        size_t len = strcspn(text + 1, "}]");
        used += stage_put_hex(out + used, text + 1, len, *text == '{' ? 16 : 32);
        text += len + 1;
    }
    out[used] = '\0';
    return out;
}

/* Changes the database without the code that is tested. */
static inline void stage_sql(const char *text)
{
    char *sql = stage_expand(text);

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    if (db_script(stage_db, sql) != STATUS_OK)
        fail_msg("%s: %s", sql, db_message(stage_db));
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
    free(sql);
}

/* The first column of the first row as text, "NULL" or "no row", by a connection of its
 * own. Good until the next call. */
static inline const char *stage_ask(const char *text)
{
    static char answer[512];
    char *sql = stage_expand(text);
    struct db *db = NULL;
    struct db_rows rows;

    assert_int_equal(db_open(&db, stage_path, DB_READ, NULL), STATUS_OK);
    enum status status = db_query(db, &rows, sql, NULL, 0);
    if (status == STATUS_NOT_FOUND) {
        (void)snprintf(answer, sizeof answer, "no row");
    } else if (status != STATUS_OK) {
        fail_msg("%s: %s", sql, db_message(db));
    } else {
        struct span value = db_text(&rows, 0);
        (void)snprintf(answer, sizeof answer, "%.*s", (int)value.len,
                       db_is_null(&rows, 0) ? "NULL" : value.data);
        if (db_is_null(&rows, 0))
            (void)snprintf(answer, sizeof answer, "NULL");
    }
    db_done(&rows);
    db_close(db);
    free(sql);
    return answer;
}

static inline void stage_fill(void)
{
    stage_sql(
        "INSERT INTO orgs VALUES ({acme}, 'Acme', 1), ({other}, 'Other', 1);"
        "INSERT INTO members (member_id, org_id, name, created_at) VALUES"
        " ({ann}, {acme}, 'Ann', 1), ({bob}, {acme}, 'Bob', 1),"
        " ({eve}, {other}, 'Eve', 1);"
        "INSERT INTO api_keys (api_key_id, org_id, member_id, hash, created_at) VALUES"
        " ({ann-key}, {acme}, {ann}, [ann-key], 1),"
        " ({bob-key}, {acme}, {bob}, [bob-key], 1),"
        " ({eve-key}, {other}, {eve}, [eve-key], 1);"
        "INSERT INTO developer_keys (developer_key_id, org_id, name, hash, created_at)"
        " VALUES ({dev}, {acme}, 'Dev', [dev], 1), ({far}, {acme}, 'Far', [far], 1),"
        " ({bare}, {acme}, 'Bare', [bare], 1), ({eve-dev}, {other}, 'Eve', [eve-dev], 1);"
        "INSERT INTO developer_key_networks VALUES"
        " ({dev}, 4, x'c0000200', 24, {acme}, 1),"
        " ({dev}, 6, x'20010db8000000000000000000000000', 32, {acme}, 1),"
        " ({far}, 4, x'c6336400', 24, {acme}, 1),"
        " ({eve-dev}, 4, x'cb007100', 24, {other}, 1);"
        "INSERT INTO contacts (contact_id, org_id, owner_id, name, created_at, updated_at)"
        " VALUES ({carl}, {acme}, {ann}, 'Carl', 1, 1),"
        " ({cleo}, {acme}, {bob}, 'Cleo', 1, 1), ({chad}, {other}, {eve}, 'Chad', 1, 1);");
}

static inline int stage_start_libraries(void **state)
{
    (void)state;
    return secret_init() == STATUS_OK && db_init(NULL) == STATUS_OK ? 0 : -1;
}

/* Fixtures of cmocka_unit_test_setup_teardown(). */
static inline int stage_make(void **state)
{
    const struct migrations ours = schema_ours();

    if (scratch_make(state) != 0)
        return -1;
    (void)snprintf(stage_path, sizeof stage_path, "%s/db", scratch_directory);
    if (db_open(&stage_db, stage_path, DB_CREATE, NULL) != STATUS_OK ||
        migrate_apply(stage_db, &ours, NULL, NULL) != STATUS_OK)
        return -1;
    stage_fill();
    return 0;
}

static inline int stage_remove(void **state)
{
    db_close(stage_db);
    stage_db = NULL;
    return scratch_remove(state);
}

static inline struct address stage_address(const char *text)
{
    struct address address;

    if (!address_parse(&address, span_of(text)) && text[0] != '\0')
        fail_msg("'%s' is no address", text);
    return address;
}

/* A caller with these keys ("" for none) from that address ("" for an unknown one). */
static inline struct credentials stage_credentials(const char *api_key, const char *secret,
                                                   const char *address)
{
    return (struct credentials){
        .has_api_key = api_key[0] != '\0',
        .has_secret = secret[0] != '\0',
        .api_key = stage_hash(api_key),
        .secret = stage_hash(secret),
        .address = stage_address(address),
    };
}

/* The id of a name as a caller sends it; "" for none, "?" for text that is no UUID. */
static inline struct given_id stage_given(const char *name)
{
    return (struct given_id){.given = name[0] != '\0',
                             .is_uuid = name[0] != '\0' && name[0] != '?',
                             .uuid = stage_id(name[0] != '?' ? name : "")};
}

/* Ann's program adds a note to Carl. */
static inline struct note_command stage_command(const char *new_note, const char *content)
{
    return (struct note_command){
        .common =
            {
                .credentials = stage_credentials("ann-key", "dev", "192.0.2.7"),
                .new_id = stage_id(new_note),
                .now_ms = STAGE_NOW_MS,
                .request_id = "request-1",
            },
        .org_id = stage_given("acme"),
        .member_id = stage_given("ann"),
        .contact_id = stage_given("carl"),
        .content = span_of(content),
        .editable = FLAG_NOT_SENT,
        .visible = FLAG_NOT_SENT,
    };
}

/* Checks 1 to 6, from the facts in the database. */
static inline enum status stage_judge_caller(struct caller *out, enum error *refusal,
                                             struct db *db,
                                             const struct credentials *credentials,
                                             int64_t now_ms)
{
    struct key_facts facts;
    enum status status = key_facts_read(&facts, db, credentials, CREDENTIALS_BOTH, now_ms);

    *out = facts.caller;
    if (status != STATUS_OK)
        return status;
    *refusal = caller_judge(&facts, credentials, CREDENTIALS_BOTH);
    return *refusal == ERROR_NONE ? STATUS_OK : STATUS_REFUSED;
}

/* The checks of the worker for a note. */
static inline enum status stage_judge_note(enum error *refusal, struct db *db,
                                           const struct caller *caller,
                                           const struct note_command *command)
{
    return command_judge(refusal, add_note_call.command, db, caller, &command->common);
}

/* The result of a note command. */
struct stage_result {
    enum error refusal;
    bool replayed;
    struct former former;
    struct uuid note_id;
    int editable, visible;
};

static inline struct stage_result stage_result_of(const struct command_result *result)
{
    struct note_result note;

    memcpy(&note, result->value, sizeof note);
    return (struct stage_result){
        .refusal = result->refusal,
        .replayed = result->replayed,
        .former = result->former,
        .note_id = note.note_id,
        .editable = note.editable,
        .visible = note.visible,
    };
}

/* Carries it out inside a transaction, as a batch does. */
static inline enum status stage_write(struct stage_result *out, struct db *db,
                                      const struct note_command *command)
{
    struct command_result result;
    enum status status =
        command_apply(&result, add_note_call.command, db, &command->common);

    *out = stage_result_of(&result);
    return status;
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_make, stage_remove)

#endif
