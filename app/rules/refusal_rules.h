/*
 * Tells why credentials or a contact were refused, for the log.
 *
 * Pure functions from facts to a reason. The facts are read only after a refusal, and are
 * more than the verdict needs: also of keys that are not live, and of contacts that the
 * caller must learn nothing of. So no answer may depend on them.
 */
#ifndef APP_RULES_REFUSAL_RULES_H
#define APP_RULES_REFUSAL_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/caller_rules.h"
#include "app/rules/key_rules.h"
#include "app/rules/note_rules.h"
#include "app/rules/reason.h"

/* A key, live or not, as it is found by a credential. What is not known is zero. */
struct key_record {
    bool found;
    bool is_former; /* by a former text of it, which worked until life.former_until_ms */
    bool member_active; /* of an API key */
    struct uuid id, org_id;
    struct key_life life;
};

/* The facts about the credentials of a request. */
struct credential_records {
    struct key_record api_key, developer_key;
    bool org_has_live_keys; /* the organization of the caller has live developer keys; only
                               known where the address is refused */
};

/* Why checks 1 to 6 ended with this error. */
enum reason caller_reason(enum error error, const struct credential_records *records,
                          const struct caller *caller,
                          const struct credentials *credentials, int64_t now_ms);

/* Whether records exist at all, whosever they are. */
struct note_existence {
    bool contact, note;
};

/* Why checks 9 to 12 ended with this error; facts are not needed for ERROR_NOT_FOUND. */
enum reason note_reason(enum error error, const struct note_facts *facts,
                        const struct note_existence *existence, const struct caller *caller,
                        const struct note_command *command);

#endif
