#include "app/commit/command.h"

#include <assert.h>
#include <string.h>

#include "app/store/accepted.h"
#include "app/store/idempotency.h"
#include "app/store/key_facts.h"

_Static_assert((int)COMMAND_RESULT_BYTES <= (int)IDEMPOTENCY_ANSWER_BYTES,
               "every result can be kept");

const struct command_kind *command_kind_of(const struct command_kinds *kinds,
                                           const struct command *command)
{
    return command->kind < kinds->count ? kinds->list[command->kind] : NULL;
}

/* Looks for the answer to an earlier request with the same idempotency key. STATUS_OK:
 * there is one, copied to value (NULL allowed). STATUS_NOT_FOUND: the command has no key,
 * or a new one. STATUS_REFUSED: the earlier request had other fields. */
static enum status find_answer(void *value, enum error *refusal,
                               const struct command_kind *kind, struct db *db,
                               const struct caller *caller, const struct command *command)
{
    struct idempotency_answer answer;
    enum status status = idempotency_find(&answer, db, &caller->developer_key_id, command);

    if (status != STATUS_OK)
        return status;
    if (memcmp(&answer.fingerprint, &command->fingerprint, sizeof answer.fingerprint) !=
            0 ||
        answer.len != kind->result_size) {
        *refusal = ERROR_IDEMPOTENCY_MISMATCH;
        return STATUS_REFUSED;
    }
    if (value != NULL)
        memcpy(value, answer.bytes, answer.len);
    return STATUS_OK;
}

static enum status refuse_unless_none(enum status status, enum error verdict)
{
    return status == STATUS_OK && verdict != ERROR_NONE ? STATUS_REFUSED : status;
}

enum status command_judge(enum error *refusal, const struct command_kind *kind,
                          struct db *db, const struct caller *caller,
                          const struct command *command)
{
    enum status status = find_answer(NULL, refusal, kind, db, caller, command);

    if (status != STATUS_NOT_FOUND)
        return status;
    *refusal = ERROR_NONE;
    status = kind->judge(refusal, db, caller, command);
    return refuse_unless_none(status, *refusal);
}

bool command_was_answered(const struct command_kind *kind, struct db *db,
                          const struct caller *caller, const struct command *command)
{
    enum error unused;

    return find_answer(NULL, &unused, kind, db, caller, command) == STATUS_OK;
}

static enum status apply_new(struct command_result *result, const struct command_kind *kind,
                             struct db *db, const struct caller *caller,
                             const struct command *command)
{
    enum status status = kind->apply(result->value, &result->refusal, db, caller, command);

    status = refuse_unless_none(status, result->refusal);
    if (status != STATUS_OK)
        return status;
    return idempotency_keep(db, &caller->developer_key_id, &caller->org_id, command,
                            result->value, kind->result_size);
}

static enum status apply_once(struct command_result *result,
                              const struct command_kind *kind, struct db *db,
                              const struct caller *caller, const struct command *command)
{
    enum status status =
        find_answer(result->value, &result->refusal, kind, db, caller, command);

    result->replayed = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? apply_new(result, kind, db, caller, command)
                                      : status;
}

/* Fills facts->caller, also where it is refused. */
static enum status identify(struct key_facts *facts, enum error *refusal, struct db *db,
                            const struct command *command)
{
    const struct credentials *credentials = &command->credentials;

    if (accepted_recall(facts, db, credentials, command->now_ms))
        return STATUS_OK;
    enum status status =
        key_facts_read(facts, db, credentials, CREDENTIALS_BOTH, command->now_ms);
    if (status == STATUS_OK)
        *refusal = caller_judge(facts, credentials, CREDENTIALS_BOTH);
    status = refuse_unless_none(status, *refusal);
    if (status == STATUS_OK)
        accepted_remember(db, credentials, facts);
    return status;
}

/* Remembers that the keys were used, so that the next command need not store it again. */
static enum status touch_keys(struct key_facts *facts, struct db *db,
                              const struct command *command)
{
    const struct address *from = &command->credentials.address;
    bool touched;
    enum status status = key_touch(&touched, db, &facts->caller, from, command->now_ms);

    if (touched)
        accepted_remember(db, &command->credentials, facts);
    return status;
}

enum status command_apply(struct command_result *result, const struct command_kind *kind,
                          struct db *db, const struct command *command)
{
    struct key_facts facts;

    assert(kind->result_size <= sizeof result->value);
    memset(result, 0, sizeof *result);
    enum status status = identify(&facts, &result->refusal, db, command);
    if (status == STATUS_OK)
        status = apply_once(result, kind, db, &facts.caller, command);
    if (status == STATUS_OK)
        status = touch_keys(&facts, db, command);
    result->former = facts.caller.former;
    return status;
}
