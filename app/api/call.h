/*
 * The calls of the API: method, path and handler in one table. 404, 405 and Allow fall out
 * of it.
 */
#ifndef APP_API_CALL_H
#define APP_API_CALL_H

#include "app/api/fields.h"
#include "app/serve/exchange.h"
#include "app/serve/service.h"

struct call {
    const char *method;
    const char *path;
    const struct field *fields; /* besides the credentials, in the order they are judged */
    size_t field_count;
    /* Begins to answer a request whose body is one JSON object: fills in the reply, or
     * starts a commit and sets exchange->committing. */
    void (*begin)(struct service *service, struct exchange *exchange);
    /* Fills in the reply when the commit is done. */
    void (*end)(struct service *service, struct exchange *exchange);
};

/* The call that a request means; NULL when there is none, and then the reply says so. */
const struct call *call_find(struct span method, struct span path, struct reply *reply);

#endif
