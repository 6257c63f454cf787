/*
 * Commands of any kind: judged by a worker, carried out by the process that writes.
 *
 * A kind is a row of a table, which callers pass in. Nothing in app/commit knows more of a
 * command than the part that all commands have.
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

/* The functions get the struct of their own kind, which begins with *command, and fill the
 * result of their own kind. */
struct command_kind {
    const char *name;
    size_t size;         /* of the kind's struct */
    const size_t *texts; /* offsets of the struct spans in it */
    size_t text_count;
    size_t result_size; /* at most COMMAND_RESULT_BYTES; stored as it is */
    /* The enum meter_number under which a command that was stored counts (app/meter.h);
     * NULL: under none. */
    int (*counted_as)(const struct command *command);
    /* False when a field holds a value that a correct worker never puts there. */
    bool (*is_sound)(const struct command *command);
    /* Hashes everything in which two requests can differ. */
    void (*fingerprint)(struct secret_hash *out, const struct command *command);
    /* Reads facts and judges them. STATUS_OK: *verdict is set; else the failure of the
     * database. */
    enum status (*judge)(enum error *verdict, struct db *db, const struct caller *caller,
                         const struct command *command);
    /* The same inside a writing transaction. With ERROR_NONE it also writes and fills
     * *result. */
    enum status (*apply)(void *result, enum error *verdict, struct db *db,
                         const struct caller *caller, const struct command *command);
};

/* All kinds by their numbers; NULL where a number has none. Lives as long as the
 * program. */
struct command_kinds {
    const struct command_kind *const *list;
    size_t count;
};

/* The result of a command. */
struct command_result {
    enum error refusal;   /* after STATUS_REFUSED */
    bool replayed;        /* nothing was written: the same request was stored before */
    struct former former; /* as the transaction found it */
    _Alignas(8) unsigned char value[COMMAND_RESULT_BYTES]; /* of the kind */
};

/* The kind of a command; NULL: there is none with its number. */
const struct command_kind *command_kind_of(const struct command_kinds *kinds,
                                           const struct command *command);

/*
 * For a worker before it posts a command: whether the writer would carry it out, or answer
 * it from an earlier one. A command that succeeded earlier is not judged again. Inside a
 * reading transaction. STATUS_OK, STATUS_REFUSED with *refusal, or the failure of the
 * database.
 */
enum status command_judge(enum error *refusal, const struct command_kind *kind,
                          struct db *db, const struct caller *caller,
                          const struct command *command);

/* Whether the same request was answered before. False also when the database fails. */
bool command_was_answered(const struct command_kind *kind, struct db *db,
                          const struct caller *caller, const struct command *command);

/*
 * Makes all checks, those of the credentials included, and carries the command out, inside
 * a writing transaction that the caller commits. After STATUS_REFUSED (result->refusal)
 * nothing has been written. After any other failure a part may have been, and the
 * transaction must be rolled back.
 */
enum status command_apply(struct command_result *result, const struct command_kind *kind,
                          struct db *db, const struct command *command);

#endif
