#include "app/ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/ctl/table.h"
#include "app/store/schema.h"
#include "lib/acting.h"
#include "lib/clock.h"
#include "lib/db_alone.h"
#include "lib/json.h"

enum {
    PAGE_ROWS = 500, /* of a list, read in one transaction */
};

const struct noun *const ctl_nouns[] = {
    &noun_init,   &noun_db,    &noun_org,     &noun_member,  &noun_apikey,
    &noun_devkey, &noun_allow, &noun_contact, &noun_note,    &noun_request,
    &noun_audit,  &noun_geo,   &noun_status,  &noun_metrics, NULL,
};

/* Sentences for a failure without a sentence of its own. */
static const char *const sentences[STATUS_COUNT] = {
    [STATUS_BUSY] = "another program is writing to the database: try again",
    [STATUS_UNKNOWN] = "the disk failed: before you repeat it look whether it was done",
    [STATUS_UNAVAILABLE] = "the database cannot be used",
    [STATUS_IO] = "reading or writing failed",
    [STATUS_NO_MEMORY] = "out of memory: try again",
    [STATUS_INTERNAL] = "a fault of this program: please report it",
};

const struct verb *ctl_only_verb(const struct noun *noun)
{
    return noun->verbs[0].name[0] == '\0' ? &noun->verbs[0] : NULL;
}

void ctl_format_command(char out[CHANGE_ACTION_BYTES], const struct noun *noun,
                        const struct verb *verb)
{
    const char *words[] = {noun != NULL ? noun->name : "", verb != NULL ? verb->name : ""};

    (void)snprintf(out, CHANGE_ACTION_BYTES, "%s%s%s", words[0],
                   words[1][0] != '\0' ? " " : "", words[1]);
}

const struct argument *ctl_get(const struct ctl *ctl, const char *parameter)
{
    return args_get(ctl->args, parameter);
}

const struct uuid *ctl_given_id(const struct ctl *ctl)
{
    const struct argument *given = ctl_get(ctl, "--id");

    return given->given ? &given->uuid : NULL;
}

const struct span *ctl_given_text(const struct ctl *ctl, const char *parameter)
{
    const struct argument *given = ctl_get(ctl, parameter);

    return given->given ? &given->text : NULL;
}

/* Appends to the sentence. */
__attribute__((format(printf, 2, 0))) static void append(struct problem *sentence,
                                                         const char *format, va_list list)
{
    size_t used = strlen(sentence->text);

    (void)vsnprintf(sentence->text + used, sizeof sentence->text - used, format, list);
}

void ctl_remark(struct ctl *ctl, const char *format, ...)
{
    va_list list;

    if (ctl->note.text[0] != '\0')
        (void)strncat(ctl->note.text, ". ",
                      sizeof ctl->note.text - strlen(ctl->note.text) - 1);
    va_start(list, format);
    append(&ctl->note, format, list);
    va_end(list);
}

void ctl_advise(struct ctl *ctl, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    append(&ctl->why, format, list);
    va_end(list);
}

void ctl_changed(struct ctl *ctl, const struct uuid *org_id, const struct uuid *subject)
{
    char action[CHANGE_ACTION_BYTES];

    ctl_format_command(action, ctl->args->noun, ctl->args->verb);
    change_made(&ctl->change, action, org_id, subject);
}

/* An operator can set SUDO_USER to anything, but can also write to the database
 * directly. */
void ctl_find_actor(char out[CTL_ACTOR_BYTES])
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *user = getpwuid(getuid());

    if (name == NULL || name[0] == '\0')
        name = user != NULL ? user->pw_name : NULL;
    if (name != NULL)
        (void)snprintf(out, CTL_ACTOR_BYTES, "%s", name);
    else
        (void)snprintf(out, CTL_ACTOR_BYTES, "uid %ld", (long)getuid());
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

/* What the audit keeps of a parameter that was given. It outlives the people who are named
 * in a command, and the id of the subject says whom it was about. */
static struct json_object *kept_of(const struct parameter *p,
                                   const struct argument *argument)
{
    if (p->rule == NULL || p->personal)
        return json_object_new_boolean(true);
    if (p->rule == argument_blocks)
        return blocks_of(argument);
    return json_object_new_string_len(argument->text.data, (int)argument->text.len);
}

/* The parameters that were given. None of them is a secret: secrets are read from standard
 * input. */
static struct json_object *detail_of(const struct args *args)
{
    struct json_object *detail = json_object_new_object();
    const struct parameter *parameters = args->verb->parameters;

    for (size_t i = 0; detail != NULL && parameters[i].name != NULL; i++) {
        const struct argument *argument = &args->list[i];
        if (argument->given)
            (void)json_object_object_add(detail, parameters[i].name,
                                         kept_of(&parameters[i], argument));
    }
    return detail;
}

/* Adds the figures, which may be there to be used again. */
static void add_figures(struct json_object *detail, struct json_object *figures)
{
    if (detail != NULL && figures != NULL)
        (void)json_object_object_add(detail, "figures", json_object_get(figures));
}

int ctl_open_file(struct ctl *ctl, const char *path, int flags)
{
    struct acting owner, user;

    acting_find(&owner, path);
    acting_find(&user, ctl->settings->database);
    if (acting_as(&owner, &ctl->why) != STATUS_OK)
        return -1;
    const int fd = open(path, flags | O_CLOEXEC, 0600);
    const int error = errno;
    if (acting_as(&user, &ctl->why) != STATUS_OK) {
        (void)close(fd);
        return -1;
    }
    errno = error;
    return fd;
}

static enum status run_reading(struct ctl *ctl)
{
    enum status status = db_read_begin(ctl->db);

    if (status == STATUS_OK)
        status = ctl->args->verb->run(ctl);
    db_read_end(ctl->db);
    return status;
}

static bool is_reading(const struct ctl *ctl)
{
    enum ctl_access access = ctl->args->verb->access;

    return access == CTL_READ || access == CTL_PAGES;
}

/* Prints by output_print or output_end. A reader that has seen enough, such as head(1),
 * closes the pipe. That is no error, except where the output says what was changed. */
static enum status print(struct ctl *ctl,
                         enum status (*function)(struct output *output, FILE *stream))
{
    if (ctl->nobody_reads || function(ctl->output, stdout) == STATUS_OK)
        return STATUS_OK;
    ctl->nobody_reads = errno == EPIPE && is_reading(ctl);
    if (ctl->nobody_reads)
        return STATUS_OK;
    return problem_set(&ctl->why, STATUS_IO, "cannot write to standard output: %s%s%s",
                       strerror(errno), ctl->lost.text[0] != '\0' ? ": " : "",
                       ctl->lost.text);
}

/* Says how to go on where --limit has ended a list. Programs take the last id. */
static void remark_on_more(struct ctl *ctl)
{
    const struct uuid last = output_last(ctl->output);
    char id[UUID_TEXT_BYTES];

    uuid_format(&last, id);
    if (!ctl->args->json)
        ctl_remark(ctl, "more: --after %s", id);
}

/* Reads a page in a transaction, and prints it while none is open, until all is read or
 * --limit is reached. The last page is left to ctl_run. */
static enum status run_pages(struct ctl *ctl)
{
    const struct argument *limit = ctl_get(ctl, "--limit");
    const struct argument *after = ctl_get(ctl, "--after");
    const size_t all = limit->given ? (size_t)limit->count : SIZE_MAX;

    ctl->after = after->given ? &after->uuid : NULL;
    for (;;) {
        size_t left = all - output_count(ctl->output);

        output_begin_page(ctl->output, left < PAGE_ROWS ? left : PAGE_ROWS);
        enum status status = run_reading(ctl);
        if (status != STATUS_OK || !output_has_more(ctl->output))
            return status;
        if (output_count(ctl->output) == all) {
            remark_on_more(ctl);
            return STATUS_OK;
        }
        status = print(ctl, output_print);
        if (status != STATUS_OK || ctl->nobody_reads)
            return status;
        ctl->last = output_last(ctl->output);
        ctl->after = &ctl->last;
    }
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

enum status ctl_write(struct ctl *ctl, enum status (*change)(struct ctl *ctl))
{
    char actor[CTL_ACTOR_BYTES];
    struct json_object *detail = detail_of(ctl->args);
    add_figures(detail, ctl->figures);
    struct span text = detail == NULL ? (struct span){NULL, 0} : json_text(detail, false);
    enum status status = text.data == NULL ? STATUS_NO_MEMORY : STATUS_OK;

    ctl_find_actor(actor);
    ctl->change.db = ctl->db;
    ctl->change.now_ms = ctl->now_ms;
    ctl->change.actor = span_of(actor);
    ctl->change.detail = text;
    if (status == STATUS_OK)
        status = change_begin(&ctl->change);
    if (status == STATUS_OK)
        status = change_end(&ctl->change, change(ctl));
    json_object_put(detail);
    if (status != STATUS_OK)
        explain(ctl, status);
    return status;
}

/* A missing database cannot be used; STATUS_NOT_FOUND is for things inside a database. */
static enum status open_database(struct ctl *ctl, enum db_mode mode)
{
    enum status status = schema_open(&ctl->db, ctl->settings->database, mode, &ctl->why);

    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

static enum status run_with_database(struct ctl *ctl)
{
    const struct verb *verb = ctl->args->verb;
    enum status status = STATUS_OK;

    if (verb->access != CTL_ALONE)
        status = open_database(ctl, is_reading(ctl) ? DB_READ : DB_WRITE);
    if (status == STATUS_OK && verb->prepare != NULL)
        status = verb->prepare(ctl);
    if (status == STATUS_OK) {
        ctl->now_ms = clock_now_ms();
        status = verb->access == CTL_READ    ? run_reading(ctl)
                 : verb->access == CTL_PAGES ? run_pages(ctl)
                 : verb->access == CTL_WRITE ? ctl_write(ctl, verb->run)
                                             : verb->run(ctl);
    }
    if (status != STATUS_OK)
        explain(ctl, status);
    db_close(ctl->db);
    ctl->db = NULL;
    if (verb->access == CTL_WRITE)
        db_alone_complete(ctl->settings->database);
    return status;
}

/* Tells a person that a list is empty. */
static void remark_on_nothing(struct ctl *ctl)
{
    const struct verb *verb = ctl->args->verb;

    if (ctl->args->json || verb->one || output_count(ctl->output) > 0)
        return;
    ctl_remark(ctl, "%s", ctl->after != NULL ? "nothing comes after it" : verb->nothing);
}

enum status ctl_run(struct ctl *ctl)
{
    bool one = ctl->args->verb->one;
    enum output_style style = ctl->args->json ? OUTPUT_JSON
                              : one           ? OUTPUT_RECORD
                                              : OUTPUT_TABLE;

    ctl->output =
        output_create(style, ctl->args->wide ? 0 : table_terminal_width(STDOUT_FILENO));
    if (ctl->output == NULL)
        return problem_set(&ctl->why, STATUS_NO_MEMORY, "out of memory");
    enum status status = run_with_database(ctl);
    if (status == STATUS_OK) {
        remark_on_nothing(ctl);
        status = print(ctl, output_end);
    }
    if (status == STATUS_OK && ctl->refused.text[0] != '\0') {
        ctl->why = ctl->refused;
        status = STATUS_INVALID;
    }
    output_free(ctl->output);
    ctl->output = NULL;
    return status;
}
