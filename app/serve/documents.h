/*
 * The documents that calls answer: each is made when a process is asked for it first, with
 * the entity tag of its bytes, and kept.
 */
#ifndef APP_SERVE_DOCUMENTS_H
#define APP_SERVE_DOCUMENTS_H

#include "app/api/call.h"

struct documents;

/* NULL: no memory. */
struct documents *documents_create(void);

/* NULL is allowed. */
void documents_free(struct documents *documents);

/* Makes the reply the document of the call: 200, 308 where it is at another place, or 304
 * where the client has it according to its header If-None-Match (data NULL: not sent). The
 * reply points to what is kept here. Returns what the call's document function returned. */
enum status documents_answer(struct reply *reply, struct documents *documents,
                             const struct call *call, const struct settings *settings,
                             struct span if_none_match);

#endif
