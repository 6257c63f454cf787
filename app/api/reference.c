#include "app/api/reference.h"

#include <stdlib.h>

#include "app/api/reference_call.h"
#include "app/api/reference_examples.h"
#include "app/api/reference_files.h"
#include "lib/html.h"
#include "lib/template.h"

#define DIRECTORY "/apis/v2/public/docs/"
#define MOVED     "/apis/v2/public/docs"

/* What the page loads and asks comes from its own host; nobody shows it in a frame. */
#define POLICY                                                                             \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "            \
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

static bool is_described(const struct call *call)
{
    return call->document == NULL;
}

static void put_contents(FILE *out, const struct settings *settings)
{
    (void)settings;
    for (size_t i = 0; i < call_count; i++)
        if (is_described(calls[i]))
            (void)fprintf(out, "<li><a href=\"#%s\">%s</a></li>\n", calls[i]->name,
                          reference_title(calls[i]));
}

static void put_calls(FILE *out, const struct settings *settings)
{
    for (size_t i = 0; i < call_count; i++)
        if (is_described(calls[i]))
            reference_put_call(out, calls[i], settings);
}

static void put_max_body_bytes(FILE *out, const struct settings *settings)
{
    (void)fprintf(out, "%lld", (long long)settings->max_body_bytes);
}

static void put_max_note_bytes(FILE *out, const struct settings *settings)
{
    (void)fprintf(out, "%lld", (long long)settings->max_note_bytes);
}

static void put_request_timeout(FILE *out, const struct settings *settings)
{
    (void)fprintf(out, "%lld", (long long)settings->request_timeout);
}

static void put_idle_timeout(FILE *out, const struct settings *settings)
{
    (void)fprintf(out, "%lld", (long long)settings->idle_timeout);
}

static void put_rate_limit(FILE *out, const struct settings *settings)
{
    const struct throttle_rate *rate = &settings->rate_limit;

    if (rate->count == 0)
        (void)fputs("no limit", out);
    else
        (void)fprintf(out, "%lld in %lld seconds for each developer key",
                      (long long)rate->count, (long long)rate->time_s);
}

static const struct {
    struct span name;
    void (*put)(FILE *out, const struct settings *settings);
} gaps[] = {
    {SPAN("base"), reference_put_base},
    {SPAN("calls"), put_calls},
    {SPAN("contents"), put_contents},
    {SPAN("idle_timeout"), put_idle_timeout},
    {SPAN("max_body_bytes"), put_max_body_bytes},
    {SPAN("max_note_bytes"), put_max_note_bytes},
    {SPAN("rate_limit"), put_rate_limit},
    {SPAN("request_timeout"), put_request_timeout},
};

static void fill(FILE *out, struct span name, const void *from)
{
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++)
        if (span_equals(gaps[i].name, name))
            gaps[i].put(out, from);
}

/* Whether there is a call of this name, or how errors come. */
static bool holds(struct span name, const void *from)
{
    const struct settings *settings = from;

    if (span_equals(name, span_of("strict")))
        return settings->strict_status;
    if (span_equals(name, span_of("published")))
        return !settings->strict_status;
    for (size_t i = 0; i < call_count; i++)
        if (span_equals(span_of(calls[i]->name), name))
            return true;
    return false;
}

void reference_write(FILE *out, const struct settings *settings)
{
    static const struct template how = {
        .text = template_plain, .fill = fill, .holds = holds};

    template_write(out, &how, page_html, settings);
}

static enum status make_page(struct reply_document *out, const struct settings *settings)
{
    char *text = NULL;
    size_t len = 0;
    FILE *page = open_memstream(&text, &len);

    if (page == NULL)
        return STATUS_NO_MEMORY;
    reference_write(page, settings);
    const bool failed = ferror(page) != 0;
    if (fclose(page) != 0 || failed) {
        free(text);
        return STATUS_NO_MEMORY;
    }
    *out = (struct reply_document){
        .content_type = "text/html; charset=utf-8", .bytes = {text, len}, .owned = text};
    return STATUS_OK;
}

static enum status give(struct reply_document *out, const char *type, const char *text)
{
    *out = (struct reply_document){.content_type = type, .bytes = span_of(text)};
    return STATUS_OK;
}

static enum status give_style(struct reply_document *out, const struct settings *settings)
{
    (void)settings;
    return give(out, "text/css; charset=utf-8", reference_css);
}

static enum status give_script(struct reply_document *out, const struct settings *settings)
{
    (void)settings;
    return give(out, "text/javascript; charset=utf-8", reference_js);
}

static enum status give_icon(struct reply_document *out, const struct settings *settings)
{
    (void)settings;
    return give(out, "image/svg+xml", icon_svg);
}

static enum status point_to_page(struct reply_document *out,
                                 const struct settings *settings)
{
    (void)settings;
    *out = (struct reply_document){.content_type = "text/html; charset=utf-8",
                                   .location = "docs/"};
    return STATUS_OK;
}

const struct call reference_call = {
    .method = "GET",
    .path = DIRECTORY,
    .name = "reference",
    .title = "Reference",
    .summary = "The reference for people.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = make_page,
    .policy = POLICY,
};

const struct call reference_style_call = {
    .method = "GET",
    .path = DIRECTORY "reference.css",
    .name = "referenceStyle",
    .title = "Style of the reference",
    .summary = "The style of the reference for people.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = give_style,
};

const struct call reference_script_call = {
    .method = "GET",
    .path = DIRECTORY "reference.js",
    .name = "referenceScript",
    .title = "Script of the reference",
    .summary = "The script of the reference for people.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = give_script,
};

const struct call reference_icon_call = {
    .method = "GET",
    .path = DIRECTORY "icon.svg",
    .name = "referenceIcon",
    .title = "Icon of the reference",
    .summary = "The icon of the reference for people.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = give_icon,
};

const struct call reference_moved_call = {
    .method = "GET",
    .path = MOVED,
    .name = "referenceMoved",
    .title = "Where the reference is",
    .summary = "Leads to the reference, whose links are relative to its directory.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = point_to_page,
};
