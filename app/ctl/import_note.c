/* note import: JSON Lines, a version of a note each. */
#include <errno.h>
#include <json.h>
#include <stdlib.h>

#include "app/ctl/import.h"
#include "app/manage/note_import.h"
#include "app/store/key.h"
#include "lib/json.h"

static const char reject_line[] = "reject_line";
static const char reject_reason[] = "reject_reason";

enum {
    CHUNK_BYTES = 64 * 1024,                 /* that are read at once */
    ARENA_BYTES = 32 * IMPORT_ROW_MAX_BYTES, /* as json_scan needs in the worst case */
};

struct state {
    struct ctl *ctl;
    struct import *source;
    char *bytes; /* of which those from begin to end were read and not given yet */
    size_t begin, end, size;
    bool at_end;
    int64_t line, given;
    struct arena *arena;
    struct json_object *object; /* the line that is being imported */
    struct note_import import;
};

static bool make_room(struct state *s)
{
    if (s->size - s->end >= CHUNK_BYTES)
        return true;
    if (s->begin > 0) {
        memmove(s->bytes, s->bytes + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->begin = 0;
    }
    if (s->size - s->end >= CHUNK_BYTES)
        return true;
    char *bytes = realloc(s->bytes, 2 * (s->end + CHUNK_BYTES));
    if (bytes == NULL)
        return false;
    s->bytes = bytes;
    s->size = 2 * (s->end + CHUNK_BYTES);
    return true;
}

static enum status fill(struct state *s, struct problem *why)
{
    if (!make_room(s))
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    const ssize_t len = import_read(s->source, s->bytes + s->end, CHUNK_BYTES);
    if (len < 0)
        return problem_set(why, STATUS_IO, "line %lld: cannot read: %s",
                           (long long)s->line + 1, strerror(errno));
    s->at_end = len == 0;
    s->end += (size_t)len;
    return STATUS_OK;
}

/* Finds the next line, without its end. */
static enum status read_line(struct span *out, struct state *s, struct problem *why)
{
    size_t looked_at = 0;

    for (;;) {
        char *begin = s->bytes + s->begin;
        const size_t len = s->end - s->begin;
        const char *newline =
            len > looked_at ? memchr(begin + looked_at, '\n', len - looked_at) : NULL;
        if (newline == NULL && s->at_end && len == 0)
            return STATUS_NOT_FOUND;
        if (len > IMPORT_ROW_MAX_BYTES &&
            (newline == NULL || newline - begin > IMPORT_ROW_MAX_BYTES))
            return problem_set(why, STATUS_TOO_LARGE, "line %lld: is longer than 12 MiB",
                               (long long)s->line + 1);
        if (newline != NULL || s->at_end) {
            *out = (struct span){begin, newline != NULL ? (size_t)(newline - begin) : len};
            s->begin += out->len + (newline != NULL ? 1 : 0);
            s->given += (int64_t)out->len + 1;
            return STATUS_OK;
        }
        looked_at = len;
        enum status status = fill(s, why);
        if (status != STATUS_OK)
            return status;
    }
}

/* A line that reject() has written before one that is no object. */
static bool is_only_reason(struct state *s, struct span line)
{
    static const char begin[] = "{\"reject_line\":";

    if (line.len < sizeof begin || memcmp(line.data, begin, sizeof begin - 1) != 0 ||
        line.len / 2 > PROBLEM_MAX_BYTES)
        return false;
    struct json_object *object;
    arena_reset(s->arena);
    const bool is_object = json_parse(&object, line, s->arena) == JSON_OBJECT;
    const bool is_only = is_object && json_object_object_length(object) == 2 &&
                         json_member(object, reject_reason) != NULL;
    json_object_put(object);
    return is_only;
}

static enum status read_row(struct import_row *out, void *arg, struct problem *why)
{
    static struct span line; /* the row's only cell */
    struct state *s = arg;
    enum status status;

    do {
        status = read_line(&line, s, why);
        s->line++;
    } while (status == STATUS_OK && (line.len == 0 || is_only_reason(s, line)));
    *out =
        (struct import_row){.line = s->line, .end = s->given, .cells = &line, .count = 1};
    return status;
}

/* Sets *out to a text; wrong: it is there, but no text. */
static enum status read_text(struct span *out, struct json_object *object, const char *name,
                             struct problem *why)
{
    struct json_object *value = json_member(object, name);

    *out = json_string(value);
    if (value != NULL && out->data == NULL)
        return problem_set(why, STATUS_REFUSED, "%s: must be a string", name);
    if (out->data == NULL)
        *out = (struct span){"", 0};
    return STATUS_OK;
}

static enum status read_id(struct uuid *out, bool *given, struct json_object *object,
                           const char *name, struct problem *why)
{
    struct span text;
    enum status status = read_text(&text, object, name, why);

    *given = text.len > 0;
    return status == STATUS_OK && *given ? import_read_id(out, text, name, why) : status;
}

static enum status read_date(int64_t *out, struct json_object *object, const char *name,
                             struct problem *why)
{
    struct span text;
    enum status status = read_text(&text, object, name, why);

    *out = IMPORT_NO_DATE;
    return status == STATUS_OK && text.len > 0 ? import_read_date(out, text, name, why)
                                               : status;
}

/* A number from min to max; other where it is not given. */
static enum status read_number(int64_t *out, struct json_object *object, const char *name,
                               int64_t min, int64_t max, int64_t other, struct problem *why)
{
    struct json_object *value = json_member(object, name);

    *out = other;
    if (value == NULL)
        return STATUS_OK;
    if (json_object_is_type(value, json_type_int)) {
        *out = json_object_get_int64(value);
        if (*out >= min && *out <= max)
            return STATUS_OK;
    }
    return problem_set(why, STATUS_REFUSED, "%s: must be a number from %lld to %lld", name,
                       (long long)min, (long long)max);
}

static enum status read_address(struct address *out, struct json_object *object,
                                struct problem *why)
{
    struct span text;
    enum status status = read_text(&text, object, "address", why);

    if (status != STATUS_OK || text.len == 0 || address_parse(out, text))
        return status;
    return problem_set(why, STATUS_REFUSED, "origin: address: is no IP address");
}

static enum status read_origin(struct note_row *out, struct json_object *object,
                               struct problem *why)
{
    struct note_origin *origin = &out->origin;
    struct json_object *from = json_member(object, "origin");

    if (from == NULL)
        return STATUS_OK;
    if (!json_object_is_type(from, json_type_object))
        return problem_set(why, STATUS_REFUSED, "origin: must be an object");
    out->has_origin = true;
    enum status status = read_address(&origin->address, from, why);
    if (status == STATUS_OK)
        status = read_text(&origin->country, from, "country", why);
    if (status == STATUS_OK)
        status = read_text(&origin->city, from, "city", why);
    if (status == STATUS_OK)
        status = read_text(&origin->network, from, "network", why);
    if (status == STATUS_OK)
        status = read_text(&origin->request_id, from, "request_id", why);
    if (status == STATUS_OK && origin->request_id.len > 64)
        return problem_set(why, STATUS_REFUSED, "origin: request_id: is too long");
    return status == STATUS_OK ? read_id(&origin->developer_key_id, &out->has_devkey, from,
                                         "devkey_id", why)
                               : status;
}

static enum status read_note(struct note_row *out, struct json_object *object,
                             struct problem *why)
{
    bool has_contact;
    enum status status = read_id(&out->id, &out->has_id, object, "note_id", why);

    if (status == STATUS_OK)
        status = read_id(&out->contact_id, &has_contact, object, "contact_id", why);
    if (status == STATUS_OK && !has_contact)
        return problem_set(why, STATUS_REFUSED, "contact_id: is missing");
    if (status == STATUS_OK)
        status = read_text(&out->author, object, "note_author", why);
    if (status == STATUS_OK)
        status = read_text(&out->written_by, object, "written_by", why);
    if (status == STATUS_OK)
        status = read_text(&out->content, object, "note_content", why);
    if (status == STATUS_OK)
        status = read_number(&out->editable, object, "note_editable", 0, 1, -1, why);
    if (status == STATUS_OK)
        status = read_number(&out->visible, object, "note_visibility", 0, 1, -1, why);
    if (status == STATUS_OK)
        status = read_number(&out->version, object, "version", 1, INT32_MAX, 0, why);
    if (status == STATUS_OK)
        status = read_date(&out->created_at_ms, object, "created_at", why);
    if (status == STATUS_OK)
        status = read_date(&out->updated_at_ms, object, "updated_at", why);
    return status == STATUS_OK ? read_origin(out, object, why) : status;
}

static enum status parse(struct state *s, struct span line, struct problem *why)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    json_object_put(s->object);
    s->object = NULL;
    arena_reset(s->arena);
    switch (json_parse(&s->object, line, s->arena)) {
    case JSON_OBJECT:
        return STATUS_OK;
    case JSON_NO_MEMORY:
        return STATUS_NO_MEMORY;
    default:
        return problem_set(why, STATUS_REFUSED, "is no JSON object in one line");
    }
}

static enum status apply(enum import_outcome *out, void *arg, const struct import_row *row,
                         struct problem *why)
{
    struct state *s = arg;
    struct note_row note = {.version = 0};
    enum status status = parse(s, row->cells[0], why);

    if (status == STATUS_OK)
        status = read_note(&note, s->object, why);
    if (status != STATUS_REFUSED)
        return status == STATUS_OK ? note_import_row(out, &s->import, &note, why) : status;
    s->import.refused = note.has_id ? note.id : (struct uuid){{0}};
    *out = IMPORT_REFUSED;
    return STATUS_OK;
}

/* What is no object follows in a line of its own the one that says why; the import passes
 * over objects with nothing else. */
static void reject(FILE *out, void *arg, const struct import_row *row,
                   const struct problem *why)
{
    struct state *s = arg;
    struct json_object *head = json_object_new_object();
    const bool is_object = s->object != NULL;

    json_add(head, reject_line, json_object_new_int64(row->line));
    json_add(head, reject_reason, json_object_new_string(why->text));
    const struct span text = head != NULL ? json_text(head, false) : (struct span){"{}", 2};
    if (is_object) {
        json_object_object_del(s->object, reject_line);
        json_object_object_del(s->object, reject_reason);
    }
    const struct span rest = is_object ? json_text(s->object, true) : row->cells[0];
    const size_t joined = is_object && rest.len > strlen("{}") ? 1 : 0;
    (void)fprintf(out, "%.*s%s", (int)(text.len - joined), text.data,
                  joined > 0 ? "," : "\n");
    if (!is_object || joined > 0) {
        (void)fwrite(rest.data + joined, 1, rest.len - joined, out);
        (void)fputc('\n', out);
    }
    json_object_put(head);
}

static void begin_rejects(FILE *out, void *arg)
{
    (void)out;
    (void)arg;
}

static const struct import_kind kind = {read_row, apply, begin_rejects, reject};

static struct note_import import_of(const struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org"), *devkey = ctl_get(ctl, "--devkey");

    return (struct note_import){
        .db = ctl->db,
        .org_id = org->given ? &org->uuid : NULL,
        .devkey = devkey->given ? &devkey->uuid : NULL,
        .max_note_bytes = (size_t)ctl->settings->max_note_bytes,
        .dry = ctl_get(ctl, "--dry-run")->given,
        .now_ms = ctl->now_ms,
    };
}

static enum status run(struct state *s)
{
    struct ctl *ctl = s->ctl;
    enum status status = STATUS_OK;

    s->import = import_of(ctl);
    s->arena = arena_create(ARENA_BYTES);
    if (s->arena == NULL)
        return STATUS_NO_MEMORY;
    if (s->import.org_id != NULL)
        status = manage_require_org(ctl->db, s->import.org_id, &ctl->why);
    if (status == STATUS_OK && s->import.devkey != NULL)
        status = manage_missing(
            key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, s->import.devkey, NULL, NULL),
            "developer key", s->import.devkey, &ctl->why);
    return status == STATUS_OK ? import_run(s->source, &kind, s) : status;
}

enum status import_notes(struct ctl *ctl)
{
    struct state *s = calloc(1, sizeof *s);
    struct import *source = NULL;
    enum status status = s != NULL ? import_open(&source, ctl) : STATUS_NO_MEMORY;

    if (status == STATUS_OK) {
        s->ctl = ctl;
        s->source = source;
        status = run(s);
    }
    if (s != NULL) {
        json_object_put(s->object);
        arena_free(s->arena);
        free(s->bytes);
    }
    free(s);
    import_close(source);
    return status;
}

const char import_notes_more[] = "Each line is an object with the members of note history: "
                                 "contact_id, note_author (the id\n"
                                 "or e-mail address of a member) and note_content must be "
                                 "there; note_id, note_editable,\n"
                                 "note_visibility, created_at, updated_at, version, "
                                 "written_by and origin may. Members of\n"
                                 "the organizations must exist. The command can be stopped "
                                 "and run again: no note is added\n"
                                 "twice.";

const struct parameter import_notes_parameters[] = {
    {IMPORT_PARAMETER_FILE},
    {.name = "--org",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only notes of contacts of this organization"},
    {.name = "--devkey",
     .value = "DEVKEY",
     .rule = argument_uuid,
     .help = "the developer key of notes that name none; else a revoked one is made"},
    {IMPORT_PARAMETER_DRY_RUN},
    {IMPORT_PARAMETER_REJECTS},
    {.name = NULL},
};
