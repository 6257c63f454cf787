#include "app/api/add_note.h"

#include <string.h>

#include "app/rules/credentials.h"
#include "app/serve/limits.h"
#include "app/store/idempotency.h"
#include "lib/clock.h"
#include "lib/json.h"

#define FIELD(member) .offset = offsetof(struct note_command, member)

static const struct field fields[] = {
    {"org_id", FIELD_ID, true, FIELD(org_id), "Missing org ID", "Invalid org ID",
     "Your organization UUID"},
    {"member_id", FIELD_ID, true, FIELD(member_id), "Missing member ID",
     "Invalid member ID", "The member UUID. Must be the contact's owner."},
    {"contact_id", FIELD_ID, true, FIELD(contact_id), "Missing contact ID",
     "Invalid contact ID", "The UUID of the contact to add the note to"},
    {"note", FIELD_TEXT, true, FIELD(content), "Missing note", "Invalid note",
     "The note content"},
    {"note_id", FIELD_ID, false, FIELD(note_id), NULL, "Invalid note ID",
     "The note to update. Absent or empty: a new note is created."},
    {"note_visibility", FIELD_FLAG, false, FIELD(visible), NULL, "Invalid note_visibility",
     "0: private (default), 1: visible to other team members"},
    {"note_editable", FIELD_FLAG, false, FIELD(editable), NULL, "Invalid note_editable",
     "0: read-only for other team members (default), 1: editable"},
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])
_Static_assert(FIELD_COUNT <= REPLY_MESSAGES_MAX, "every field may have a message");

/* Absent, null and "" are no credential; one of a wrong type is a credential of nobody. */
static bool read_credential(struct secret_hash *out, const struct service *service,
                            struct json_object *body, const char *name,
                            enum credential_kind kind)
{
    struct json_object *value = NULL;

    memset(out, 0, sizeof *out);
    (void)json_object_object_get_ex(body, name, &value);
    struct span text = json_string(value);
    if (value == NULL || (text.data != NULL && text.len == 0))
        return false;
    if (text.data != NULL)
        credential_hash(out, service->key, kind, text);
    json_wipe_string(value);
    return true;
}

static void read_caller(const struct service *service, struct exchange *x)
{
    struct credentials *credentials = &x->command.credentials;

    credentials->address = x->request.address;
    credentials->has_api_key = read_credential(&credentials->api_key, service, x->body,
                                               "api_key", CREDENTIAL_API_KEY);
    credentials->has_secret =
        read_credential(&credentials->secret, service, x->body, "developer_secret",
                        CREDENTIAL_DEVELOPER_SECRET);
}

static enum status read_fields(const struct service *service, struct exchange *x,
                               struct reply *reply)
{
    return fields_read(&x->command, fields, FIELD_COUNT, x->body,
                       (size_t)service->settings->max_note_bytes, reply);
}

/* Rows 9 to 13, unless the request is one that has succeeded before: what has changed since
 * then does not matter, and the transaction will find its answer. */
static enum status check_note(enum error *refusal, struct db *db, struct exchange *x)
{
    struct note_result unused;

    idempotency_set_fingerprint(&x->command);
    enum status status = idempotency_find(&unused, refusal, db, &x->caller, &x->command);
    return status == STATUS_NOT_FOUND ? note_check(refusal, db, &x->caller, &x->command)
                                      : status;
}

/* True for a request whose answer is there already. */
static bool was_answered(const struct service *service, struct db *db, struct exchange *x)
{
    struct reply unused = {.error = ERROR_NONE};
    struct note_result result;
    enum error refusal;

    if (x->command.idempotency_key[0] == '\0' ||
        read_fields(service, x, &unused) != STATUS_OK)
        return false;
    idempotency_set_fingerprint(&x->command);
    return idempotency_find(&result, &refusal, db, &x->caller, &x->command) == STATUS_OK;
}

/* An answer that got lost is not withheld from who asks for it again: as a new request it
 * would store a second note. */
static enum status charge(enum error *refusal, struct service *service, struct db *db,
                          struct exchange *x)
{
    enum status status = limits_charge(service->throttle, service->settings, x, refusal);

    return status == STATUS_REFUSED && was_answered(service, db, x) ? STATUS_OK : status;
}

/* All rows of the table of checks, in its order, in one view of the database. */
static enum status check_all(struct service *service, struct db *db, struct exchange *x)
{
    struct note_command *command = &x->command;
    enum error refusal = ERROR_NONE;
    enum status status =
        access_check(&x->caller, &refusal, db, &command->credentials, command->now_ms);

    x->identified = status == STATUS_OK;
    if (status == STATUS_OK)
        status = charge(&refusal, service, db, x);
    if (status == STATUS_OK)
        status = read_fields(service, x, &x->reply);
    if (status == STATUS_OK)
        status = check_note(&refusal, db, x);
    if (status == STATUS_REFUSED && refusal != ERROR_NONE)
        limits_refuse(service->throttle, service->settings, x, refusal);
    return status;
}

static enum status check_by_database(struct service *service, struct exchange *x)
{
    struct db *db = service_reader(service);

    if (db == NULL)
        return STATUS_UNAVAILABLE;
    enum status status = db_read_begin(db);
    if (status == STATUS_OK) {
        status = check_all(service, db, x);
        db_read_end(db);
    }
    service_read_ended(service, status);
    return status;
}

/* A caller who was accepted a moment ago goes straight to the transaction, which checks
 * everything; unless something is wrong with the request or it is one too many, for then
 * the order of the complaints matters and the database is asked. */
static bool is_good_by_memory(struct service *service, struct exchange *x, int64_t now_ms)
{
    struct reply unused = {.error = ERROR_NONE};
    enum error refusal;

    x->identified = caller_cache_find(service->caller_cache, &x->command.credentials,
                                      now_ms, &x->caller);
    return x->identified && read_fields(service, x, &unused) == STATUS_OK &&
           limits_charge(service->throttle, service->settings, x, &refusal) == STATUS_OK;
}

static enum status check(struct service *service, struct exchange *x)
{
    const struct credentials *credentials = &x->command.credentials;
    int64_t now_ms = clock_monotonic_ms();

    if (is_good_by_memory(service, x, now_ms))
        return STATUS_OK;
    enum status status = check_by_database(service, x);
    if (status == STATUS_OK)
        caller_cache_put(service->caller_cache, credentials, now_ms, &x->caller);
    return status;
}

static void start_commit(struct service *service, struct exchange *x)
{
    struct note_command *command = &x->command;

    uuid_make(&command->new_note_id, command->now_ms);
    memcpy(command->request_id, x->request.id, sizeof command->request_id);
    idempotency_set_fingerprint(command);
    geo_lookup(service->geo, &x->request.address, clock_monotonic_ms(), &command->tags);
    committer_start(service->committer, x->place, command,
                    settings_commit_timeout_ms(service->settings), &x->commit);
    x->committing = true;
}

static void put_id(struct json_object *data, const char *name, const struct uuid *id)
{
    char text[UUID_TEXT_BYTES];

    uuid_format(id, text);
    json_add(data, name, json_object_new_string(text));
}

static struct json_object *present(const struct note_command *command,
                                   const struct note_result *result)
{
    struct json_object *data = json_object_new_object();

    put_id(data, "note_id", &result->note_id);
    put_id(data, "contact_id", &command->contact_id.uuid);
    json_add(data, "note_content",
             json_object_new_string_len(command->content.data, (int)command->content.len));
    json_add(data, "note_editable", json_object_new_int(result->editable));
    json_add(data, "note_visibility", json_object_new_int(result->visible));
    return data;
}

/* For a failure that is no refusal. */
static void reply_to_failure(struct reply *reply, enum status status)
{
    if (status == STATUS_UNKNOWN)
        reply_fail(reply, ERROR_OUTCOME_UNKNOWN);
    else if (status == STATUS_INTERNAL || status == STATUS_INVALID ||
             status == STATUS_EXISTS)
        reply_fail(reply, ERROR_INTERNAL);
    else
        reply_fail(reply, ERROR_UNAVAILABLE);
}

static void begin(struct service *service, struct exchange *x)
{
    x->command.now_ms = clock_now_ms();
    x->command.uniform_errors = service->settings->uniform_errors;
    memcpy(x->command.idempotency_key, x->request.idempotency_key,
           sizeof x->command.idempotency_key);
    read_caller(service, x);
    enum status status = check(service, x);
    if (status == STATUS_OK)
        start_commit(service, x);
    else if (status != STATUS_REFUSED)
        reply_to_failure(&x->reply, status);
    if (!x->committing)
        limits_settle(service->throttle, service->settings, x);
}

/* The memory let pass what the transaction refused. Who writes knows no key file, so that
 * no key was found may be for want of the right one. */
static void reply_to_late_refusal(struct service *service, struct exchange *x)
{
    enum error refusal = x->commit.result.refusal;

    caller_cache_remove(service->caller_cache, &x->command.credentials);
    if (refusal == ERROR_INVALID_API_KEY && !service_knows_keys(service))
        reply_to_failure(&x->reply, STATUS_UNAVAILABLE);
    else
        limits_refuse(service->throttle, service->settings, x, refusal);
}

static void end(struct service *service, struct exchange *x)
{
    const struct commit *commit = &x->commit;

    /* what was remembered of the caller may be older than a rotation */
    if (commit->status == STATUS_OK || commit->status == STATUS_REFUSED)
        x->caller.former = commit->result.former;
    if (commit->status == STATUS_OK) {
        x->reply.data = present(&x->command, &commit->result);
        x->reply.replayed = commit->result.replayed;
    } else if (commit->status == STATUS_REFUSED) {
        reply_to_late_refusal(service, x);
    } else {
        reply_to_failure(&x->reply, commit->status);
    }
    limits_settle(service->throttle, service->settings, x);
}

const struct call add_note_call = {
    .method = "POST",
    .path = "/apis/v2/public/crm/addNotestoContact",
    .fields = fields,
    .field_count = FIELD_COUNT,
    .begin = begin,
    .end = end,
};
