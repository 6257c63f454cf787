/*
 * What one process needs to answer requests: database, committer, geo data, memory.
 */
#ifndef APP_SERVE_SERVICE_H
#define APP_SERVE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/commit/committer.h"
#include "app/serve/caller_cache.h"
#include "app/serve/exchange.h"
#include "app/settings.h"
#include "lib/db.h"
#include "lib/geo.h"
#include "lib/secret.h"
#include "lib/throttle.h"

struct service {
    const struct settings *settings;
    const struct secret_key *key;
    struct arena *arena; /* of the present request */
    struct db *reader;   /* NULL: not open; see service_reader */
    bool reader_renewed; /* it was opened anew, or that failed; for the owner to clear */
    struct committer *committer;
    struct caller_cache *caller_cache;
    struct throttle *throttle;
    struct geo *geo;
};

/* Makes a service for this process and takes the committer over, also when it fails.
 * settings, key, caller_cache and throttle must outlive it. NULL: no memory. */
struct service *service_create(const struct settings *settings,
                               const struct secret_key *key,
                               struct caller_cache *caller_cache, struct throttle *throttle,
                               struct committer *committer);

/* NULL is allowed. */
void service_free(struct service *service);

/* The reading connection, opened when it is needed. NULL: it cannot be opened now. */
struct db *service_reader(struct service *service);

/* Whether the database that stands at its path now can be read, and knows our key file. */
bool service_knows_keys(struct service *service);

/* Call with what a read gave: after a fault of the database the connection is closed, so
 * that the next request starts with a new one. */
void service_read_ended(struct service *service, enum status status);

/* Begins to answer exchange->request. Afterwards either the reply is there, or
 * exchange->committing is set. */
void service_begin(struct service *service, struct exchange *exchange);

/* Looks after an exchange that is committing; true when its reply is there. */
bool service_look(struct service *service, struct exchange *exchange);

#endif
