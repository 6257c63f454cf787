#include "autoconfig.h"

#include "app/api/openapi.h"

#include <stdlib.h>

#include "app/api/help.h"
#include "app/api/openapi_answers.h"
#include "app/api/openapi_parts.h"
#include "app/api/openapi_schema.h"
#include "app/api/reference_call.h"
#include "app/api/reference_files.h"
#include "lib/json_writer.h"
#include "lib/template.h"

#define BASE "/apis/v2/public/"

enum {
    GAP_MAX_BYTES = 16 << 20,
    NAME_BYTES = 64,
};

/* Whether the document describes the call. */
static bool is_described(const struct call *call)
{
    return call->document == NULL || call->media_type != NULL;
}

/* ---- Tags ---- */

static const struct tag {
    struct span name;
    const char *description;
} known_tags[] = {
    {SPAN("crm"), "Contacts and the notes on them."},
    {SPAN("developers"), "What a developer key belongs to."},
    {SPAN("documents"), "What the service says about itself."},
};

/* The word behind /apis/v2/public/; documents have one of their own. */
static struct tag tag_of(const struct call *call)
{
    bool below = strncmp(call->path, BASE, sizeof BASE - 1) == 0;
    const char *rest = below ? call->path + sizeof BASE - 1 : call->path + 1;
    struct tag tag = {{rest, strcspn(rest, "/")}, "Other calls."};

    if (call->document != NULL)
        tag.name = known_tags[2].name;
    for (size_t i = 0; i < sizeof known_tags / sizeof known_tags[0]; i++)
        if (span_equals(known_tags[i].name, tag.name))
            return known_tags[i];
    return tag;
}

static bool is_first_of_its_tag(size_t number)
{
    const struct tag tag = tag_of(calls[number]);

    for (size_t i = 0; i < number; i++)
        if (is_described(calls[i]) && span_equals(tag_of(calls[i]).name, tag.name))
            return false;
    return is_described(calls[number]);
}

static void put_tags(struct json_writer *out, const struct settings *settings)
{
    (void)settings;
    json_open(out, '[');
    for (size_t i = 0; i < call_count; i++) {
        if (!is_first_of_its_tag(i))
            continue;
        json_open(out, '{');
        json_put_name(out, "name");
        json_put_string(out, tag_of(calls[i]).name);
        openapi_put_text(out, "description", tag_of(calls[i]).description);
        json_close(out, '}');
    }
    json_close(out, ']');
}

/* ---- Operations ---- */

static void put_parameters(struct json_writer *out, const struct call *call)
{
    openapi_open_list(out, "parameters");
    openapi_put_component(out, "parameters", "X-Request-Id", "");
    if (call->document != NULL)
        openapi_put_component(out, "parameters", "If-None-Match", "");
    else
        openapi_put_component(out, "parameters", "Prefer", "");
    if (call->command != NULL)
        openapi_put_component(out, "parameters", "Idempotency-Key", "");
    json_close(out, ']');
}

static void put_request_examples(struct json_writer *out, const struct call *call)
{
    openapi_open(out, "examples");
    openapi_open(out, "request");
    openapi_put_text(out, "summary", "A request");
    openapi_put_owned(out, "value", help_example(call));
    json_close(out, '}');
    openapi_open(out, "help");
    openapi_put_text(out, "summary", "Ask what the call takes");
    openapi_put_json(out, "value", "{\"help\":true}");
    json_close(out, '}');
    json_close(out, '}');
}

static void put_body(struct json_writer *out, const struct call *call)
{
    openapi_open(out, "requestBody");
    openapi_put_truth(out, "required", true);
    openapi_open(out, "content");
    openapi_open(out, "application/json");
    openapi_open(out, "schema");
    openapi_open_list(out, "anyOf");
    openapi_put_component(out, "schemas", call->name, "Request");
    openapi_put_component(out, "schemas", "Help", "Request");
    json_close(out, ']');
    json_close(out, '}');
    put_request_examples(out, call);
    json_close(out, '}');
    json_close(out, '}');
    json_close(out, '}');
}

static void put_operation(struct json_writer *out, const struct call *call,
                          const struct settings *settings, bool head)
{
    char id[NAME_BYTES];

    (void)snprintf(id, sizeof id, "%s%s", call->name, head ? "Header" : "");
    json_open(out, '{');
    openapi_put_text(out, "operationId", id);
    openapi_open_list(out, "tags");
    json_put_string(out, tag_of(call).name);
    json_close(out, ']');
    openapi_put_text(out, "summary", reference_title(call));
    openapi_put_text(out, "description", call->summary);
    openapi_put_truth(out, "x-published", !call->ours);
    put_parameters(out, call);
    if (call->document == NULL)
        put_body(out, call);
    json_put_name(out, "responses");
    openapi_put_answers(out, call, settings, head);
    json_close(out, '}');
}

static void put_paths(struct json_writer *out, const struct settings *settings)
{
    json_open(out, '{');
    for (size_t i = 0; i < call_count; i++) {
        if (!is_described(calls[i]))
            continue;
        bool get = strcmp(calls[i]->method, "GET") == 0;
        openapi_open(out, calls[i]->path);
        json_put_name(out, get ? "get" : "post");
        put_operation(out, calls[i], settings, false);
        if (get) {
            json_put_name(out, "head");
            put_operation(out, calls[i], settings, true);
        }
        json_close(out, '}');
    }
    json_close(out, '}');
}

/* ---- The rest ---- */

static void put_name_of(struct json_writer *out, const struct call *call,
                        const char *suffix)
{
    char name[NAME_BYTES];

    (void)snprintf(name, sizeof name, "%s%s", call->name, suffix);
    json_put_name(out, name);
}

/* The members alone, each with a comma behind it: others follow in the file. */
static void put_schemas(struct json_writer *out, const struct settings *settings)
{
    for (size_t i = 0; i < call_count; i++) {
        if (calls[i]->document != NULL)
            continue;
        put_name_of(out, calls[i], "Request");
        openapi_put_request(out, calls[i], settings);
        put_name_of(out, calls[i], "Answer");
        openapi_put_answer(out, calls[i]);
    }
    if (out->comma)
        json_put_text(out, span_of(""));
}

static void put_version(struct json_writer *out, const struct settings *settings)
{
    (void)settings;
    json_put_string(out, span_of(PACKAGE_VERSION));
}

static void put_base(struct json_writer *out, const struct settings *settings)
{
    json_put_string(out,
                    span_of(settings->base_path[0] != '\0' ? settings->base_path : "/"));
}

static const struct {
    struct span name;
    void (*put)(struct json_writer *out, const struct settings *settings);
} gaps[] = {
    {SPAN("base"), put_base},       {SPAN("paths"), put_paths},
    {SPAN("schemas"), put_schemas}, {SPAN("version"), put_version},
    {SPAN("tags"), put_tags},
};

struct filling {
    const struct settings *settings;
    struct arena *arena;
    bool *failed;
};

static void fill(FILE *out, struct span name, const void *from)
{
    const struct filling *filling = from;
    struct json_writer writer;

    json_begin(&writer, filling->arena, 0);
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        if (span_equals(gaps[i].name, name))
            gaps[i].put(&writer, filling->settings);
    struct span text = json_written(&writer);
    if (text.data == NULL)
        *filling->failed = true;
    else
        template_plain(out, text);
    arena_reset(filling->arena);
}

static bool never(struct span name, const void *from)
{
    (void)name;
    (void)from;
    return false;
}

enum status openapi_write(FILE *out, const struct settings *settings)
{
    static const struct template how = {
        .text = template_plain, .fill = fill, .holds = never};
    bool failed = false;
    struct arena *arena = arena_create(GAP_MAX_BYTES);

    if (arena == NULL)
        return STATUS_NO_MEMORY;
    template_write(out, &how, openapi_json,
                   &(const struct filling){settings, arena, &failed});
    arena_free(arena);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The document in memory of its own. */
static enum status make(char **text, size_t *len, const struct settings *settings)
{
    FILE *out = open_memstream(text, len);

    if (out == NULL)
        return STATUS_NO_MEMORY;
    enum status status = openapi_write(out, settings);
    if (ferror(out) != 0)
        status = STATUS_NO_MEMORY;
    if (fclose(out) != 0)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        return status;
    free(*text);
    *text = NULL;
    return status;
}

enum status openapi_print(FILE *out, const struct settings *settings)
{
    char *text;
    size_t len;

    if (make(&text, &len, settings) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct json_object *document = json_tokener_parse(text);
    const char *pretty = json_object_to_json_string_ext(
        document, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (document != NULL && pretty != NULL)
        (void)fprintf(out, "%s\n", pretty);
    enum status status = document != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    json_object_put(document);
    free(text);
    return status;
}

static enum status make_document(struct reply_document *out,
                                 const struct settings *settings)
{
    char *text;
    size_t len;
    enum status status = make(&text, &len, settings);

    if (status == STATUS_OK)
        *out = (struct reply_document){
            .content_type = "application/json", .bytes = {text, len}, .owned = text};
    return status;
}

const struct call openapi_call = {
    .method = "GET",
    .path = BASE "openapi.json",
    .name = "openapi",
    .title = "This document",
    .summary = "Describes all calls as OpenAPI 3.1, with the limits of this server.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = make_document,
    .media_type = "application/json",
};
