#include "app/ctl/ctl.h"

#include <errno.h>
#include <json.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/store/audit.h"
#include "app/store/org.h"
#include "app/store/schema.h"
#include "lib/clock.h"

enum {
    WRITE_TIMEOUT_MS = 30000,
    ACTOR_BYTES = 64,
    ACTION_BYTES = 64,
};

const struct noun *const ctl_nouns[] = {
    &noun_db,    &noun_org,     &noun_member, &noun_apikey, &noun_devkey,
    &noun_allow, &noun_contact, &noun_note,   &noun_audit,  NULL,
};

/* What to tell when the function that failed had no sentence of its own. */
static const char *const sentences[STATUS_COUNT] = {
    [STATUS_BUSY] = "another program is writing to the database: try again",
    [STATUS_UNKNOWN] = "the disk failed: before you repeat it look whether it was done",
    [STATUS_UNAVAILABLE] = "the database cannot be used",
    [STATUS_IO] = "reading or writing failed",
    [STATUS_NO_MEMORY] = "out of memory: try again",
    [STATUS_INTERNAL] = "a fault of this program: please report it",
};

const struct argument *ctl_get(const struct ctl *ctl, const char *parameter)
{
    return args_get(ctl->args, parameter);
}

void ctl_new_id(const struct ctl *ctl, struct uuid *id)
{
    const struct argument *given = ctl_get(ctl, "--id");

    if (given->given)
        *id = given->uuid;
    else
        uuid_make(id, ctl->now_ms);
}

void ctl_remark(struct ctl *ctl, const char *format, ...)
{
    size_t used = strlen(ctl->note.text);
    va_list list;

    if (used > 0)
        used += (size_t)snprintf(ctl->note.text + used, sizeof ctl->note.text - used, ". ");
    va_start(list, format);
    if (used < sizeof ctl->note.text)
        (void)vsnprintf(ctl->note.text + used, sizeof ctl->note.text - used, format, list);
    va_end(list);
}

void ctl_changed(struct ctl *ctl, const struct uuid *org_id, const struct uuid *subject)
{
    ctl->change.done = true;
    ctl->change.has_org = org_id != NULL;
    ctl->change.has_subject = subject != NULL;
    if (org_id != NULL)
        ctl->change.org_id = *org_id;
    if (subject != NULL)
        ctl->change.subject = *subject;
}

enum status ctl_missing(struct ctl *ctl, enum status status, const char *what,
                        const struct uuid *id)
{
    char text[UUID_TEXT_BYTES];

    if (status != STATUS_NOT_FOUND)
        return status;
    uuid_format(id, text);
    return problem_set(&ctl->why, status, "there is no %s %s", what, text);
}

enum status ctl_require_org(struct ctl *ctl, const struct uuid *id)
{
    return ctl_missing(ctl, org_find(ctl->db, id, NULL, NULL), "organization", id);
}

/* Who typed the command. Behind sudo that is not the user we run as. Nobody needs to lie
 * here who could not write to the database directly. */
static void find_actor(char out[ACTOR_BYTES])
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    if (name == NULL || name[0] == '\0')
        name = user != NULL ? user->pw_name : NULL;
    if (name != NULL)
        (void)snprintf(out, ACTOR_BYTES, "%s", name);
    else
        (void)snprintf(out, ACTOR_BYTES, "uid %ld", (long)getuid());
}

static struct json_object *blocks_of(const struct argument *argument)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array != NULL && i < argument->block_count; i++) {
        char text[CIDR_TEXT_BYTES];
        cidr_format(&argument->blocks[i], text);
        (void)json_object_array_add(array, json_object_new_string(text));
    }
    return array;
}

/* The parameters that were given. None of them ever holds a secret: those come by standard
 * input. */
static struct json_object *detail_of(const struct args *args)
{
    struct json_object *detail = json_object_new_object();
    const struct parameter *parameters = args->verb->parameters;

    for (size_t i = 0; detail != NULL && parameters[i].name != NULL; i++) {
        const struct argument *argument = &args->list[i];
        const struct parameter *p = &parameters[i];
        if (!argument->given)
            continue;
        struct json_object *value =
            p->rule == NULL ? json_object_new_boolean(true)
            : p->rule == argument_blocks
                ? blocks_of(argument)
                : json_object_new_string_len(argument->text.data, (int)argument->text.len);
        (void)json_object_object_add(detail, p->name, value);
    }
    return detail;
}

static enum status write_audit(struct ctl *ctl)
{
    char actor[ACTOR_BYTES], action[ACTION_BYTES];
    struct json_object *detail = detail_of(ctl->args);

    if (detail == NULL)
        return STATUS_NO_MEMORY;
    find_actor(actor);
    (void)snprintf(action, sizeof action, "%s %s", ctl->args->noun->name,
                   ctl->args->verb->name);
    struct audit audit = {
        .at_ms = ctl->now_ms,
        .actor = span_of(actor),
        .action = span_of(action),
        .org_id = ctl->change.has_org ? &ctl->change.org_id : NULL,
        .subject = ctl->change.has_subject ? &ctl->change.subject : NULL,
        .detail = span_of(json_object_to_json_string_ext(
            detail, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)),
    };
    uuid_make(&audit.id, ctl->now_ms);
    enum status status = audit_add(ctl->db, &audit);
    json_object_put(detail);
    return status;
}

static enum status run_reading(struct ctl *ctl)
{
    enum status status = db_read_begin(ctl->db);

    if (status == STATUS_OK)
        status = ctl->args->verb->run(ctl);
    db_read_end(ctl->db);
    return status;
}

enum status ctl_write(struct ctl *ctl, enum status (*change)(struct ctl *ctl))
{
    enum status status = db_write_begin(ctl->db, WRITE_TIMEOUT_MS);

    if (status != STATUS_OK)
        return status;
    status = change(ctl);
    if (status == STATUS_OK && ctl->change.done)
        status = write_audit(ctl);
    if (status != STATUS_OK || !ctl->change.done) {
        db_write_rollback(ctl->db);
        return status;
    }
    status = db_write_commit(ctl->db);
    db_tidy(ctl->db);
    return status;
}

/* A missing database is one that cannot be used; NOT_FOUND is for what stands in it. */
static enum status open_database(struct ctl *ctl, enum db_mode mode)
{
    enum status status = schema_open(&ctl->db, ctl->settings->database, mode, &ctl->why);

    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

static void explain(struct ctl *ctl, enum status status)
{
    const char *sentence =
        sentences[status] != NULL ? sentences[status] : status_name(status);

    if (ctl->why.text[0] != '\0')
        return;
    if (ctl->db != NULL && status != STATUS_BUSY)
        (void)problem_set(&ctl->why, status, "%s (%s)", sentence, db_message(ctl->db));
    else
        (void)problem_set(&ctl->why, status, "%s", sentence);
}

static enum status run_with_database(struct ctl *ctl)
{
    const struct verb *verb = ctl->args->verb;
    enum status status = STATUS_OK;

    if (verb->access != CTL_ALONE)
        status = open_database(ctl, verb->access == CTL_READ ? DB_READ : DB_WRITE);
    if (status == STATUS_OK && verb->prepare != NULL)
        status = verb->prepare(ctl);
    if (status == STATUS_OK) {
        ctl->now_ms = clock_now_ms();
        status = verb->access == CTL_READ    ? run_reading(ctl)
                 : verb->access == CTL_WRITE ? ctl_write(ctl, verb->run)
                                             : verb->run(ctl);
    }
    if (status != STATUS_OK)
        explain(ctl, status);
    db_close(ctl->db);
    ctl->db = NULL;
    return status;
}

static enum status print(struct ctl *ctl)
{
    if (output_print(ctl->output, stdout) == STATUS_OK)
        return STATUS_OK;
    return problem_set(&ctl->why, STATUS_IO, "cannot write to standard output: %s%s%s",
                       strerror(errno), ctl->lost.text[0] != '\0' ? ": " : "",
                       ctl->lost.text);
}

enum status ctl_run(struct ctl *ctl)
{
    bool one = ctl->args->verb->one;

    ctl->output = output_create(ctl->args->json ? OUTPUT_JSON
                                : one           ? OUTPUT_RECORD
                                                : OUTPUT_TABLE);
    if (ctl->output == NULL)
        return problem_set(&ctl->why, STATUS_NO_MEMORY, "out of memory");
    enum status status = run_with_database(ctl);
    if (status == STATUS_OK && output_count(ctl->output) == 0 && !ctl->args->json && !one)
        (void)problem_set(&ctl->note, STATUS_OK, "%s", ctl->args->verb->nothing);
    if (status == STATUS_OK)
        status = print(ctl);
    output_free(ctl->output);
    ctl->output = NULL;
    return status;
}
