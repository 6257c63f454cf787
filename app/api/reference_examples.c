#include "app/api/reference_examples.h"

#include "app/api/error.h"
#include "app/api/help.h"
#include "app/api/literal.h"
#include "app/api/reference_files.h"
#include "lib/html.h"
#include "lib/json.h"
#include "lib/template.h"

static const struct {
    const char *name; /* of the class of its elements */
    const char *title;
    const char *text;
    enum language language; /* of its literals */
} languages[] = {
    {"curl", "curl", curl_sh, LANGUAGE_JSON},
    {"php", "PHP curl", curl_php, LANGUAGE_PHP},
    {"streams", "PHP streams", streams_php, LANGUAGE_PHP},
    {"js", "JavaScript", fetch_mjs, LANGUAGE_JSON},
    {"python", "Python", urllib_py, LANGUAGE_PYTHON},
};

enum {
    LANGUAGES = sizeof languages / sizeof languages[0],
};

struct request_example {
    const struct call *call;
    const struct settings *settings;
    struct json_object *body;
    enum language language;
};

/* What readers replace by their own. Ids of what may not be there, such as note_id, are in
 * no example. */
static bool is_own(const char *name)
{
    static const char *const names[] = {"api_key", "developer_secret", "org_id",
                                        "member_id", "contact_id"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void reference_put_base(FILE *out, const struct settings *settings)
{
    (void)fputs("<span class=\"base\">https://crm.example.org", out);
    html_put(out, span_of(settings->base_path));
    (void)fputs("</span>", out);
}

static void fill(FILE *out, struct span name, const void *from)
{
    const struct request_example *example = from;

    if (span_equals(name, span_of("url"))) {
        reference_put_base(out, example->settings);
        html_put(out, span_of(example->call->path));
    } else {
        literal_put(out, example->language, example->body, is_own);
    }
}

static bool holds(struct span name, const void *from)
{
    const struct request_example *example = from;

    (void)name;
    return example->call->command != NULL;
}

static void put_choice(FILE *out, const struct call *call, size_t i)
{
    (void)fprintf(out,
                  "<label><input type=\"radio\" name=\"%s-language\" value=\"%s\"%s>"
                  "<span>%s</span></label>\n",
                  call->name, languages[i].name, i == 0 ? " checked" : "",
                  languages[i].title);
}

static void put_request(FILE *out, const struct request_example *example, size_t i)
{
    static const struct template how = {.text = html_put, .fill = fill, .holds = holds};

    (void)fprintf(out, "<pre class=\"%s\"><code>", languages[i].name);
    template_write(out, &how, languages[i].text, example);
    (void)fputs("</code></pre>\n", out);
}

void reference_put_requests(FILE *out, const struct call *call,
                            const struct settings *settings)
{
    struct json_object *body = help_example(call);

    (void)fputs("<fieldset class=\"example request\">\n<legend>Request</legend>\n"
                "<div class=\"tabs\">\n",
                out);
    for (size_t i = 0; i < LANGUAGES; i++)
        put_choice(out, call, i);
    (void)fputs("</div>\n", out);
    for (size_t i = 0; i < LANGUAGES; i++) {
        const struct request_example example = {call, settings, body,
                                                languages[i].language};
        put_request(out, &example, i);
    }
    (void)fputs("</fieldset>\n", out);
    json_object_put(body);
}

/* The first error of the call's own checks, else one of the credentials. */
static struct call_error typical_error(const struct call *call)
{
    struct call_error errors[CALL_ERRORS_MAX];
    const size_t count = call_errors(call, errors);
    const enum error wanted =
        call->error_count > 0 ? call->errors[0].error : ERROR_INVALID_DEVELOPER_SECRET;
    struct call_error found = errors[0];

    for (size_t i = 0; i < count; i++)
        if (errors[i].error == wanted && errors[i].message != NULL)
            found = errors[i];
    return found;
}

static void put_error_answer(FILE *out, const struct call_error *error, bool strict)
{
    const struct error_text *text = error_text(error->error);
    struct json_object *messages = json_object_new_array();
    struct json_object *body = json_object_new_object();

    if (messages != NULL)
        (void)json_object_array_add(messages, json_object_new_string(error->message));
    json_add(body, "data", messages);
    json_add(body, "status", json_object_new_string("error"));
    (void)fprintf(out, "HTTP %d\nX-Error-Code: %s\n\n",
                  strict ? text->strict_status : text->http_status, text->code);
    literal_put(out, LANGUAGE_JSON, body, NULL);
    json_object_put(body);
}

void reference_put_answers(FILE *out, const struct call *call,
                           const struct settings *settings)
{
    struct json_object *body = help_answer_example(call);
    const struct call_error error = typical_error(call);

    (void)fputs("<div class=\"example\">\n<h3>Answer</h3>\n<pre><code>", out);
    literal_put(out, LANGUAGE_JSON, body, NULL);
    (void)fputs(
        "</code></pre>\n</div>\n<div class=\"example\">\n<h3>Answer with an error</h3>\n"
        "<pre><code>",
        out);
    put_error_answer(out, &error, settings->strict_status);
    (void)fputs("</code></pre>\n</div>\n", out);
    json_object_put(body);
}
