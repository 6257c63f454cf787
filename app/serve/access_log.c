#include "app/serve/access_log.h"

#include <string.h>

#include "app/api/reason.h"
#include "app/rules/given.h"
#include "lib/log.h"

enum {
    LINE_FIELDS = 48,
};

/* The members of a line, in their order. More than LINE_FIELDS are left out. */
struct line {
    struct log_field fields[LINE_FIELDS];
    size_t count;
};

static void add(struct line *line, struct log_field field)
{
    if (line->count < LINE_FIELDS)
        line->fields[line->count++] = field;
}

/* Adds an id, unless there is one of this name. */
static void add_id(struct line *line, size_t first, const char *name, const struct uuid *id)
{
    const struct log_field field = LOG_UUID(name, id);

    for (size_t i = first; i < line->count; i++)
        if (span_equals(line->fields[i].name, field.name))
            return;
    add(line, field);
}

/* org_id is the organization of the credentials; what the request says of it has another
 * name, and is left out where it is the same. */
static void add_given_id(struct line *line, size_t first, const struct caller *caller,
                         const char *name, const struct uuid *id)
{
    if (strcmp(name, "org_id") != 0)
        add_id(line, first, name, id);
    else if (!uuid_equals(id, &caller->org_id))
        add_id(line, first, "given_org_id", id);
}

/* Adds the ids that the request holds, as far as they are well-formed. */
static void add_given_ids(struct line *line, size_t first, const struct exchange *x,
                          const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const struct given_id *given =
            (const void *)((const char *)x->input + field->offset);
        if (field->type == FIELD_OBJECT)
            add_given_ids(line, first, x, field->fields, field->field_count);
        else if (field->type == FIELD_ID && given->is_uuid)
            add_given_id(line, first, &x->caller, field->name, &given->uuid);
    }
}

/* Adds the ids that are answered, such as that of a new note, or of a contact found. */
static void add_answered_ids(struct line *line, size_t first, const struct exchange *x,
                             const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        if (field->type == FIELD_OBJECT)
            add_answered_ids(line, first, x, field->fields, field->field_count);
        else if (field->type == FIELD_ID)
            add_id(line, first, field->name,
                   (const void *)((const char *)x->answer + field->offset));
    }
}

static void add_ids(struct line *line, const struct exchange *x)
{
    size_t first = line->count;

    add(line, LOG_UUID("org_id", &x->caller.org_id));
    add(line, LOG_UUID("apikey_id", &x->caller.api_key_id));
    add(line, LOG_UUID("devkey_id", &x->caller.developer_key_id));
    if (x->input != NULL)
        add_given_ids(line, first, x, x->call->fields, x->call->field_count);
    if (x->answer != NULL)
        add_answered_ids(line, first, x, x->call->answer, x->call->answer_count);
}

/* Words of a list, separated by commas. What does not fit is cut off. */
struct words {
    char text[LOG_FIELD_BYTES];
    size_t len;
};

static void append(struct words *words, const char *text)
{
    size_t len = strlen(text), room = sizeof words->text - words->len;

    if (len > room)
        len = room;
    memcpy(words->text + words->len, text, len);
    words->len += len;
}

/* Lists the fields that an error is about, and what is wrong with each. */
static void list_complaints(struct words *fields, struct words *reasons,
                            const struct complaints *complaints)
{
    fields->len = reasons->len = 0;
    for (size_t i = 0; i < complaints->message_count; i++) {
        append(fields, i > 0 ? "," : "");
        append(fields, complaints->fields[i]);
        append(reasons, i > 0 ? "," : "");
        append(reasons, complaints->fields[i]);
        append(reasons, "_");
        append(reasons, reason_field_word(complaints->faults[i]));
    }
}

/* Logs that a former secret was used, which works until until_ms; 0: it was not a former
 * one. */
static void warn_of_former(const struct exchange *x, const char *key_name,
                           const struct uuid *key_id, int64_t until_ms)
{
    if (until_ms == 0)
        return;
    LOG(LEVEL_WARNING, "former_secret_used", LOG_TEXT("request_id", x->request.id),
        LOG_ADDRESS("remote_addr", &x->request.address), LOG_UUID(key_name, key_id),
        LOG_TIME("until", until_ms));
}

static void warn_of_former_secrets(const struct exchange *x)
{
    const struct caller *caller = &x->caller;

    warn_of_former(x, "apikey_id", &caller->api_key_id, caller->former.api_key_until_ms);
    warn_of_former(x, "devkey_id", &caller->developer_key_id,
                   caller->former.secret_until_ms);
}

/* A question mark that the client has encoded is in the path, and what follows may be meant
 * as a query, which may hold keys. */
static struct span without_query(struct span path)
{
    const char *mark = path.len > 0 ? memchr(path.data, '?', path.len) : NULL;

    return (struct span){path.data, mark != NULL ? (size_t)(mark - path.data) : path.len};
}

static struct span span_of_words(const struct words *words)
{
    return (struct span){words->text, words->len};
}

static bool is_broken(const struct exchange *x)
{
    return x->reply.error == ERROR_INVALID_JSON && x->reason != REASON_BODY_INCOMPLETE;
}

static void add_outcome(struct line *line, const struct exchange *x, struct words *fields,
                        struct words *reasons)
{
    const struct reply *reply = &x->reply;
    bool complains = reply->error != ERROR_NONE && reply->error == x->complaints.error;

    add(line, LOG_TEXT("code", reply->code));
    add(line, LOG_TEXT("instead_of", reply->hidden_code));
    if (complains) {
        list_complaints(fields, reasons, &x->complaints);
        add(line, LOG_SPAN("reason", span_of_words(reasons)));
        add(line, LOG_SPAN("fields", span_of_words(fields)));
    } else if (reply->error != ERROR_NONE) {
        add(line, LOG_TEXT("reason", reason_word(x->reason)));
    }
    if (is_broken(x))
        add(line, LOG_NUMBER("json_offset", (int64_t)x->broken_at));
}

static void log_request(const struct exchange *x, size_t bytes, int64_t duration_us)
{
    const struct request *request = &x->request;
    struct words fields, reasons;
    struct line line;

    line.count = 0;
    add(&line, LOG_TEXT("request_id", request->id));
    add(&line, LOG_ADDRESS("remote_addr", &request->address));
    add(&line, LOG_SPAN("method", request->method));
    add(&line, LOG_SPAN("path", without_query(request->path)));
    add_ids(&line, x);
    add_outcome(&line, x, &fields, &reasons);
    add(&line, LOG_NUMBER("http_status", x->reply.http_status));
    add(&line, LOG_NUMBER("bytes", (int64_t)bytes));
    add(&line, LOG_NUMBER("dur_us", duration_us));
    add(&line, LOG_NUMBER("db_us", x->db_us));
    log_event(x->reply.http_status < 500 ? LEVEL_INFO : LEVEL_ERROR, "request", line.fields,
              line.count);
}

void access_log_write(const struct exchange *x, size_t bytes, int64_t duration_us)
{
    warn_of_former_secrets(x);
    log_request(x, bytes, duration_us);
}
