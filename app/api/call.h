/*
 * The calls of the API, a row for each. Everything else follows from the row: finding the
 * call, 404, 405 and Allow, reading its fields, refusing, rendering, {"help":true} and the
 * documents.
 *
 * A call has exactly one of read (it answers from the database), command (it writes) and
 * document (it answers bytes of its own). None of them knows of credentials, limits, caches
 * or failures: app/serve/pipeline.h handles these for every call alike.
 */
#ifndef APP_API_CALL_H
#define APP_API_CALL_H

#include "app/api/field.h"
#include "app/api/reply.h"
#include "app/commit/command.h"
#include "app/rules/caller_rules.h"
#include "app/rules/reason.h"
#include "app/settings.h"
#include "lib/arena.h"
#include "lib/db.h"

/* An error that only this call gives, or that it words differently. */
struct call_error {
    enum error error;
    bool is_no_guess;    /* the caller may know what it tells: it counts against no limit */
    const char *message; /* NULL: as in app/api/error.c; so too: */
    const char *when;
    const char *remedy;
};

/* What a reader may use. */
struct reading {
    struct db *db; /* inside a reading transaction */
    const struct caller *caller;
    const struct settings *settings;
    const struct secret_key *key; /* the installation's; NULL in explain */
    struct arena *arena;          /* for what the answer points to */
    int64_t now_ms;               /* milliseconds since 1970, UTC */
};

struct call {
    const char *method; /* GET also answers HEAD */
    const char *path;
    const char *name;    /* an identifier for programs */
    const char *title;   /* a few words */
    const char *summary; /* a sentence or two */
    bool ours;           /* not part of the published API */
    enum credentials_needed credentials;
    const struct field *fields; /* besides the credentials, in the order they are judged */
    size_t field_count;
    const struct field *answer; /* the members of "data" */
    size_t answer_count;
    const struct call_error *errors; /* of its own checks in order, then reworded ones */
    size_t error_count;
    size_t input_size;  /* of the struct that fields fill; of a command its kind's */
    size_t answer_size; /* of the struct that answer renders */

    /* Fills *answer, or sets *refusal. Returns STATUS_OK in both cases, else the failure of
     * the database. */
    enum status (*read)(void *answer, enum error *refusal, const struct reading *reading,
                        const void *input);
    const struct command_kind *command;
    /* Finds out, for the log, why the call's own checks refused, in as far as the error
     * does not say it. Returns as read. Its time must not tell the caller what the error
     * hides. NULL: the errors say it all. */
    enum status (*explain)(enum reason *reason, enum error refusal,
                           const struct reading *reading, const void *input);
    /* Fills *answer from a command that was carried out, and from its result. */
    void (*present)(void *answer, const struct command *command, const void *result);
    /* Makes the document, once for each process that is asked for it: its bytes are
     * constants, or from malloc and then also in out->owned. etag and policy are filled by
     * others. Only for CREDENTIALS_NONE. With developer_docs = no there is no such call. */
    enum status (*document)(struct reply_document *out, const struct settings *settings);
    const char *policy;     /* of a document that is a page: its Content-Security-Policy */
    const char *media_type; /* of a document that the OpenAPI document lists; else NULL */
};

enum {
    CALLS_MAX = 64,
    CALL_ERRORS_MAX = ERROR_COUNT + 8,
};

/* The table, in app/api/calls.c. */
extern const struct call *const calls[];
extern const size_t call_count;

/* The call with this method and path. NULL: there is none, and the reply is filled.
 * documents: whether calls that answer a document exist. */
const struct call *call_find(struct span method, struct span path, bool documents,
                             struct reply *reply);

/* The kinds of commands, by the numbers of their calls. */
const struct command_kinds *call_command_kinds(void);

/* The most bytes that the texts of one command have together. */
size_t call_max_text_bytes(const struct settings *settings);

/* The index of a call in the table. */
uint32_t call_number(const struct call *call);

/* Makes the reply an error, in the words of the call. call NULL: in those of
 * app/api/error.c. */
void call_refuse(const struct call *call, struct reply *reply, enum error error);

/* Whether an error may come of guessing, as far as the call says so. */
bool call_error_is_guess(const struct call *call, enum error error);

/* Makes the reply an error with these complaints about fields. */
void call_complain(struct reply *reply, const struct complaints *complaints);

/* Makes the reply a success that renders *answer, which has to live as long as it. */
void call_answer(const struct call *call, struct reply *reply, const void *answer);

/* Lists every error that the call can give, in the order of the checks and with all texts,
 * except the messages of MISSING_FIELDS and INVALID_FIELDS, which the fields have. Returns
 * how many. */
size_t call_errors(const struct call *call, struct call_error out[CALL_ERRORS_MAX]);

#endif
