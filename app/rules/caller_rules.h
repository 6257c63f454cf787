/*
 * Judges the credentials of a request: checks 1 to 6 in docs/api.md.
 *
 * A pure function from facts to a verdict. The worker calls it to refuse mistakes early.
 * The writer calls it again with facts that it has read inside its transaction, because a
 * key may have been revoked in between.
 */
#ifndef APP_RULES_CALLER_RULES_H
#define APP_RULES_CALLER_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/credentials.h"
#include "app/rules/error.h"
#include "lib/uuid.h"

/* Which of the credentials are former ones (replaced by a rotation, see docs/operating.md),
 * and until when they work: milliseconds since 1970; 0: it is the present one. */
struct former {
    int64_t api_key_until_ms;
    int64_t secret_until_ms;
};

/* The owner of the credentials. What is not known is zero. */
struct caller {
    struct uuid org_id;
    struct uuid api_key_id;
    struct uuid developer_key_id;
    int64_t api_key_used_at; /* milliseconds since 1970; 0: never */
    int64_t developer_key_used_at;
    struct former former;
};

/* The state of the credentials in the database. Live: not revoked, not expired, of an
 * active member. */
struct key_facts {
    bool api_key_found; /* a live one */
    bool secret_found;  /* a live one, of the API key's organization where that is needed */
    bool key_allows;    /* a block of that developer key holds the address */
    bool org_allows;    /* a block of some live developer key of the organization does; only
                           known, and needed, where key_allows is false */
    struct caller caller;
    int64_t until_ms; /* when live credentials end by themselves; INT64_MAX: never */
};

/* ERROR_NONE, or the first check that fails. */
enum error caller_judge(const struct key_facts *facts,
                        const struct credentials *credentials,
                        enum credentials_needed needed);

#endif
