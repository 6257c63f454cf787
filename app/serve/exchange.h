/*
 * One request from its arrival to its answer, with all memory that it uses.
 *
 * A process has one for each request that it can have in hand. While one waits for its
 * commit, the others go on.
 */
#ifndef APP_SERVE_EXCHANGE_H
#define APP_SERVE_EXCHANGE_H

#include <json.h>
#include <stdint.h>

#include "app/api/call.h"
#include "app/commit/committer.h"
#include "app/rules/reason.h"
#include "app/serve/request.h"
#include "lib/arena.h"

struct exchange {
    size_t place; /* its index; also that of its commit */
    struct arena *arena;
    struct request request;
    struct json_object *body; /* NULL: none, or not parsed */
    size_t broken_at;         /* of a body that is no JSON: the byte, from 0 */
    const struct call *call;  /* NULL: not known */
    struct credentials credentials;
    int64_t now_ms;               /* when its body was read; milliseconds since 1970, UTC */
    void *input;                  /* the call's struct, in the arena; of a command: */
    struct command *command;      /* its common part, NULL for other calls */
    struct complaints complaints; /* about the fields, found when they were read */
    struct caller caller;         /* as far as it is known */
    enum error refusal;           /* of the step that refused it */
    enum reason reason;           /* for the log: why */
    const void *answer;           /* the call's struct, in the arena; NULL: no success */
    bool answered;                /* the reply is there, and no further step is needed */
    bool identified;              /* the credentials are in order: checks 1 to 6 passed */
    bool charged;                 /* the developer key's quota was charged for it */
    bool to_read;                 /* only what pipeline_read does is left */
    bool committing;              /* the reply waits for the commit */
    struct commit commit;
    struct reply reply;
    struct span response;    /* the reply as HTTP */
    int64_t began_us, db_us; /* monotonic; time spent waiting for database and commit */
};

#endif
