#include "app/serve/input.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"

/* False: no credential (absent, null or ""). A value of a wrong type is a credential that
 * no key has. */
static bool read_credential(struct secret_hash *out, struct json_object *body,
                            const char *name, const struct secret_key *key,
                            enum credential_kind kind)
{
    struct json_object *value = json_member(body, name);
    struct span text = json_string(value);
    if (value == NULL || (text.data != NULL && text.len == 0))
        return false;
    if (text.data != NULL)
        credential_hash(out, key, kind, text);
    json_wipe_string(value);
    return true;
}

static void read_credentials(struct exchange *x, const struct secret_key *key)
{
    struct credentials *out = &x->credentials;

    memset(out, 0, sizeof *out);
    out->address = x->request.address;
    out->has_api_key =
        read_credential(&out->api_key, x->body, "api_key", key, CREDENTIAL_API_KEY);
    out->has_secret = read_credential(&out->secret, x->body, "developer_secret", key,
                                      CREDENTIAL_DEVELOPER_SECRET);
}

/* Fills what every command has; the rest is filled when it is posted. */
static void begin_command(struct exchange *x, const struct settings *settings)
{
    struct command *command = x->command;

    command->kind = call_number(x->call);
    command->credentials = x->credentials;
    command->uniform_errors = settings->uniform_errors;
    command->now_ms = x->now_ms;
    memcpy(command->request_id, x->request.id, sizeof command->request_id);
    memcpy(command->idempotency_key, x->request.idempotency_key,
           sizeof command->idempotency_key);
}

enum status input_read(struct exchange *x, const struct settings *settings,
                       const struct secret_key *key)
{
    const struct call *call = x->call;

    x->now_ms = clock_now_ms();
    read_credentials(x, key);
    x->input = arena_alloc(x->arena, call->input_size);
    if (x->input == NULL)
        return STATUS_NO_MEMORY;
    memset(x->input, 0, call->input_size);
    if (call->command != NULL) {
        x->command = x->input;
        begin_command(x, settings);
    }
    fields_read(x->input, call->fields, call->field_count, x->body, settings,
                &x->complaints);
    if (call->command != NULL && x->command->idempotency_key[0] != '\0' &&
        x->complaints.error == ERROR_NONE)
        call->command->fingerprint(&x->command->fingerprint, x->command);
    return STATUS_OK;
}
