#include "app/store/key_mark.h"

#include <string.h>

#include "app/store/schema.h"
#include "app/store/summary.h"

static const char find[] = "SELECT mark FROM key_mark WHERE place = 1";
static const char put[] = "INSERT INTO key_mark (place, mark, marked_at) VALUES (1, ?1, ?2)"
                          " ON CONFLICT (place) DO UPDATE SET mark = ?1, marked_at = ?2";

struct key_mark key_mark_of(const struct secret_key *key, const char *key_file,
                            const char *database)
{
    struct key_mark ours = {.key_file = key_file, .database = database};

    secret_hash(&ours.mark, key, "key mark", span_of("crmnotes"));
    return ours;
}

/* The result of comparing the key file with the database. */
enum verdict {
    RIGHT,
    WRONG,   /* there are keys, and a mark of another key file */
    NOT_YET, /* there is no mark, or one that no key depends on */
};

static enum verdict compare(struct db_rows *rows, const struct key_mark *ours)
{
    struct secret_hash mark;

    (void)db_blob(rows, 0, &mark, sizeof mark);
    return memcmp(&mark, &ours->mark, sizeof mark) == 0 ? RIGHT : WRONG;
}

static enum status judge(enum verdict *verdict, struct db *db, const struct key_mark *ours)
{
    struct db_rows rows;
    bool has_keys = true;
    enum status status = db_query(db, &rows, find, NULL, 0);

    *verdict = NOT_YET;
    if (status == STATUS_OK)
        *verdict = compare(&rows, ours);
    db_done(&rows);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK && *verdict == WRONG)
        status = summary_has_keys(db, &has_keys);
    if (!has_keys)
        *verdict = NOT_YET;
    return status;
}

static enum status refuse(const struct key_mark *ours, struct problem *why)
{
    return problem_set(why, STATUS_CONFIG,
                       "the key file %s is not the one that the keys in the database %s "
                       "were made with: put that one back, or set secret_key_file to it",
                       ours->key_file, ours->database);
}

static enum status say_unknown(const struct key_mark *ours, struct problem *why)
{
    struct problem sentence;

    (void)problem_set(&sentence, STATUS_CONFIG,
                      "the database %s does not know the key file %s yet", ours->database,
                      ours->key_file);
    (void)schema_advise(&sentence, STATUS_CONFIG, ours->database, KEY_MARK_SINCE);
    return problem_set(why, STATUS_CONFIG, "%s", sentence.text);
}

static enum status report_fault(struct db *db, enum status status, struct problem *why)
{
    return problem_set(why, status, "cannot compare the key file with the database: %s",
                       db_message(db));
}

enum status key_mark_check(struct db *db, const struct key_mark *ours, struct problem *why)
{
    enum verdict verdict;
    enum status status = judge(&verdict, db, ours);

    if (status != STATUS_OK)
        return report_fault(db, status, why);
    if (verdict == NOT_YET)
        return say_unknown(ours, why);
    return verdict == RIGHT ? STATUS_OK : refuse(ours, why);
}

enum status key_mark_fits(struct db *db, const struct key_mark *ours, struct problem *why)
{
    enum verdict verdict;
    enum status status = judge(&verdict, db, ours);

    if (status != STATUS_OK)
        return report_fault(db, status, why);
    return verdict == WRONG ? refuse(ours, why) : STATUS_OK;
}

enum status key_mark_settle(struct db *db, bool *changed, const struct key_mark *ours,
                            int64_t now_ms, struct problem *why)
{
    enum verdict verdict;
    enum status status = judge(&verdict, db, ours);

    if (changed != NULL)
        *changed = status == STATUS_OK && verdict == NOT_YET;
    if (status == STATUS_OK && verdict == NOT_YET)
        status = DB_RUN(db, NULL, put, DB_BLOB(ours->mark.bytes, sizeof ours->mark.bytes),
                        DB_INT(now_ms));
    if (status != STATUS_OK)
        return report_fault(db, status, why);
    return verdict == WRONG ? refuse(ours, why) : STATUS_OK;
}
