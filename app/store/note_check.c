#include "app/store/note_check.h"

/* Statements that give a row, with what is named in the sentence, where something is
 * wrong. */
struct check {
    const char *sql;
    const char *before, *after; /* of the name in the sentence */
};

#define HEX(id) "lower(hex(" id "))"

static const struct check checks[] = {
    {"SELECT " HEX("note_id") " FROM notes AS n WHERE previous <> 0 AND NOT EXISTS"
                              " (SELECT * FROM notes AS p WHERE p.number = n.previous"
                              "  AND p.contact_id = n.contact_id) LIMIT 1",
     "the note before note ", " is not one of the same contact"},
    {"SELECT " HEX("contact_id") " FROM last_notes JOIN contacts AS c ON contact = c.number"
                                 " WHERE NOT EXISTS (SELECT * FROM notes AS n WHERE "
                                 "n.number = last_notes.note"
                                 "  AND n.contact_id = c.contact_id) LIMIT 1",
     "the last note of contact ", " is not one of its notes"},
    /* A note has one place in the chains. If one had two, and another none, the sums would
     * differ. */
    {"SELECT kept - chained FROM (SELECT (SELECT count(*) FROM notes) AS kept,"
     " (SELECT ifnull(sum(number), 0) FROM notes) AS places,"
     " (SELECT count(*) FROM last_notes)"
     "  + (SELECT count(*) FROM notes WHERE previous <> 0) AS chained,"
     " (SELECT ifnull(sum(note), 0) FROM last_notes)"
     "  + (SELECT ifnull(sum(previous), 0) FROM notes) AS chained_places)"
     " WHERE kept <> chained OR places <> chained_places",
     "not every note is in the chain of its contact (", " are missing)"},
    /* If a chain led back to itself, the others would miss its notes: so the walk along all
     * chains, which is bounded for a chain without end, does not count every note. */
    {"SELECT kept - walked FROM (SELECT (SELECT count(*) FROM notes) AS kept,"
     " (WITH RECURSIVE chain (number) AS (SELECT note FROM last_notes UNION ALL"
     "  SELECT previous FROM chain JOIN notes USING (number) WHERE previous <> 0"
     "  LIMIT (SELECT count(*) + 1 FROM notes))"
     "  SELECT count(*) FROM chain) AS walked) WHERE kept <> walked",
     "the chains of notes do not lead to every note (", " are missing)"},
    {"SELECT " HEX(
         "note_id") " FROM"
                    " (SELECT note_id, version, former FROM notes"
                    "  UNION ALL SELECT note_id, version, former FROM note_revisions) AS v"
                    " WHERE (version > 1) <> (former <> 0) OR (former <> 0 AND NOT EXISTS"
                    "  (SELECT * FROM note_revisions AS r WHERE r.number = v.former"
                    "   AND r.note_id = v.note_id AND r.version = v.version - 1)) LIMIT 1",
     "former versions of note ", " cannot be found"},
    {"SELECT kept - chained FROM (SELECT (SELECT count(*) FROM note_revisions) AS kept,"
     " (SELECT ifnull(sum(version - 1), 0) FROM notes) AS chained) WHERE kept <> chained",
     "not every former version is in the chain of its note (", " are missing)"},
};

static enum status run(const struct check *check, struct db *db, struct problem *why)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, check->sql, NULL, 0);

    if (status == STATUS_OK) {
        struct span name = db_text(&rows, 0);
        (void)problem_set(why, STATUS_INVALID, "%s%.*s%s", check->before, (int)name.len,
                          name.data, check->after);
        db_done(&rows);
        return STATUS_INVALID;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK
                                      : problem_set(why, status, "%s", db_message(db));
}

enum status note_check(struct db *db, struct problem *why)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && status == STATUS_OK; i++)
        status = run(&checks[i], db, why);
    return status;
}
