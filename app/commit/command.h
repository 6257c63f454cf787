/*
 * Commands of any kind: judged by a worker, carried out by the process that writes.
 *
 * A kind is a row of a table that the program hands to whoever works on commands; this room
 * knows nothing of what is in a command beyond the part that all have.
 */
#ifndef APP_COMMIT_COMMAND_H
#define APP_COMMIT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "app/rules/caller_rules.h"
#include "app/rules/command.h"
#include "app/rules/error.h"
#include "lib/db.h"

enum {
    COMMAND_MAX_BYTES = 4096,  /* of the struct of a kind, without its texts */
    COMMAND_RESULT_BYTES = 64, /* of the result of a kind */
};

/* Functions get their own struct, which begins with *command, and their own result. */
struct command_kind {
    const char *name;
    size_t size;         /* of its struct */
    const size_t *texts; /* offsets of the struct spans in it */
    size_t text_count;
    size_t result_size; /* at most COMMAND_RESULT_BYTES; stored as it is */
    /* Whether its own fields hold nothing that no worker in order puts there. */
    bool (*is_sound)(const struct command *command);
    /* Hashes all that makes it another request. */
    void (*fingerprint)(struct secret_hash *out, const struct command *command);
    /* Reads facts and judges them: STATUS_OK and *verdict, or what the database said. */
    enum status (*judge)(enum error *verdict, struct db *db, const struct caller *caller,
                         const struct command *command);
    /* The same inside a writing transaction; without a complaint it writes and fills
     * *result. */
    enum status (*apply)(void *result, enum error *verdict, struct db *db,
                         const struct caller *caller, const struct command *command);
};

/* By their numbers; NULL where a number has no kind. Lives as long as the program. */
struct command_kinds {
    const struct command_kind *const *list;
    size_t count;
};

/* What has become of a command. */
struct command_result {
    enum error refusal;   /* after STATUS_REFUSED */
    bool replayed;        /* nothing was written: it had been, by the same request */
    struct former former; /* as the transaction found it */
    _Alignas(8) unsigned char value[COMMAND_RESULT_BYTES]; /* of the kind */
};

/* The kind of a command; NULL: there is none of that number. */
const struct command_kind *command_kind_of(const struct command_kinds *kinds,
                                           const struct command *command);

/*
 * What a worker asks before it posts a command: whether the writer would carry it out, or
 * answer it from an earlier one. What has changed since an earlier one succeeded does not
 * matter. Inside a reading transaction. STATUS_OK, STATUS_REFUSED with *refusal, or what
 * the database said.
 */
enum status command_judge(enum error *refusal, const struct command_kind *kind,
                          struct db *db, const struct caller *caller,
                          const struct command *command);

/* Whether the same request has been answered before. A failure of the database counts as
 * no. */
bool command_was_answered(const struct command_kind *kind, struct db *db,
                          const struct caller *caller, const struct command *command);

/*
 * Checks everything, credentials included, and carries the command out, inside a writing
 * transaction that the caller of this function commits. After STATUS_REFUSED
 * (result->refusal) nothing has been written; after any other failure half of it may have
 * been, and the transaction must be rolled back.
 */
enum status command_apply(struct command_result *result, const struct command_kind *kind,
                          struct db *db, const struct command *command);

#endif
