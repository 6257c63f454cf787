/*
 * Judges whether a caller may write a note: checks 9 to 13 in docs/api.md, as pure
 * functions from facts to a verdict.
 *
 * Worker and writer call the same functions. The worker refuses mistakes before they wait
 * for the write lock; the writer judges facts that it has read inside its transaction.
 */
#ifndef APP_RULES_NOTE_RULES_H
#define APP_RULES_NOTE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/caller_rules.h"
#include "app/rules/command.h"
#include "app/rules/error.h"
#include "app/rules/given.h"
#include "lib/span.h"

/* Create a note, or update one. */
struct note_command {
    struct command common;
    struct given_id org_id, member_id, contact_id;
    struct given_id note_id; /* given: update that note */
    struct span content;     /* UTF-8 without U+0000 */
    enum given_flag editable, visible;
};

/* The facts that the checks need. */
struct note_facts {
    bool contact_found;
    int64_t contact_number;       /* by which the store finds the contact again */
    struct uuid org_id, owner_id; /* of the contact */
    bool owner_active;
    bool note_found; /* on that contact; always false without a note_id */
    struct uuid author_id;
    uint8_t editable, visible; /* 0 or 1, of the note as it is */
    int64_t note_number;       /* by which the store finds the note again */
};

/* The result of a command that was carried out. It has bytes only, because it is also
 * stored as it is, with an idempotency key. */
struct note_result {
    struct uuid note_id;
    uint8_t editable, visible; /* 0 or 1, after the command */
};

_Static_assert(sizeof(struct note_result) == UUID_BYTES + 2,
               "it is stored without padding");

/* ERROR_NONE, or the first check that fails. */
enum error note_judge(const struct note_facts *facts, const struct caller *caller,
                      const struct note_command *command);

/* The note after the command. A flag that is not sent is 0 on a new note, and unchanged on
 * another. */
struct note_result note_outcome(const struct note_facts *facts,
                                const struct note_command *command);

/* A hash of everything in which two requests can differ. The forms in which a value may be
 * written have the same hash. */
void note_fingerprint(struct secret_hash *out, const struct note_command *command);

#endif
