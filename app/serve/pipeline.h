/*
 * The steps of a request, the same for every call: find the call, parse the body, check
 * credentials and address (checks 1 to 6 in docs/api.md), quota, fields, the call's own
 * checks, commit, reply.
 *
 * The pipeline does not know what a call means. Calls do not know of credentials, limits,
 * the cache of callers, or failures.
 */
#ifndef APP_SERVE_PIPELINE_H
#define APP_SERVE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/commit/committer.h"
#include "app/serve/caller_cache.h"
#include "app/serve/exchange.h"
#include "app/serve/reader.h"
#include "app/settings.h"
#include "lib/secret.h"
#include "lib/throttle.h"

struct pipeline;

/* Makes a pipeline for this process and takes ownership of reader and committer (NULL:
 * there was no memory for one), also when it fails. settings, key, caller_cache and
 * throttle must outlive it. NULL: no memory. */
struct pipeline *pipeline_create(const struct settings *settings,
                                 const struct secret_key *key,
                                 struct caller_cache *caller_cache,
                                 struct throttle *throttle, struct reader *reader,
                                 struct committer *committer);

/* NULL is allowed. */
void pipeline_free(struct pipeline *pipeline);

/* Begins to answer exchange->request. Afterwards the reply is there, or
 * exchange->committing is set, or, for a call that reads, exchange->to_read. */
void pipeline_begin(struct pipeline *pipeline, struct exchange *exchange);

/* Refuses exchange->request with ERROR_UNAVAILABLE, because it could not be answered in
 * time: neither its body nor its credentials are looked at. Documents, which need neither,
 * are answered. retry_after_s: when it may come again. Afterwards the reply is there. */
void pipeline_refuse(struct pipeline *pipeline, struct exchange *exchange,
                     int64_t retry_after_s);

/* Completes the reply of an exchange that is to read. This takes longer than anything else
 * that a worker does, so the caller chooses the time. */
void pipeline_read(struct pipeline *pipeline, struct exchange *exchange);

/* Whether a geo file could not be used since the last call of this function. */
bool pipeline_missed_geo(struct pipeline *pipeline);

/* Checks an exchange that is committing. True: its reply is complete. */
bool pipeline_look(struct pipeline *pipeline, struct exchange *exchange);

#endif
