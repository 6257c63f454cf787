#include "app/api/literal.h"

#include <string.h>

#include "lib/html.h"

struct syntax {
    const char *indent;
    const char *object, *object_end, *pair;
    const char *null, *truth[2];
    const char *last_comma; /* behind the last member */
    char quote;
};

static const struct syntax syntaxes[] = {
    [LANGUAGE_JSON] = {"  ", "{", "}", ": ", "null", {"false", "true"}, "", '"'},
    [LANGUAGE_PHP] = {"    ", "[", "]", " =&gt; ", "null", {"false", "true"}, ",", '\''},
    [LANGUAGE_PYTHON] = {"    ", "{", "}", ": ", "None", {"False", "True"}, ",", '"'},
};

struct writer {
    FILE *out;
    const struct syntax *syntax;
    bool (*is_own)(const char *name);
    int depth;
};

static void put_value(struct writer *w, const char *name, struct json_object *value);

/* text comes from the tables, which have no control characters but line feeds. PHP takes
 * these as they are between single quotes. */
static void put_quoted(FILE *out, char quote, const char *text)
{
    const char special[] = {'\\', quote, quote == '"' ? '\n' : quote, '\0'};

    html_put(out, (struct span){&quote, 1});
    for (size_t plain; *text != '\0'; text += plain) {
        plain = strcspn(text, special);
        html_put(out, (struct span){text, plain});
        if (text[plain] == '\0')
            continue;
        const char escaped[] = {'\\', text[plain] == '\n' ? 'n' : text[plain]};
        html_put(out, (struct span){escaped, sizeof escaped});
        plain++;
    }
    html_put(out, (struct span){&quote, 1});
}

static void put_line(const struct writer *w)
{
    (void)fputc('\n', w->out);
    for (int i = 0; i < w->depth; i++)
        (void)fputs(w->syntax->indent, w->out);
}

/* Ends what `begin` has begun, with members in between if there are any. */
static void put_end(struct writer *w, bool empty, const char *end)
{
    w->depth--;
    if (!empty) {
        (void)fputs(w->syntax->last_comma, w->out);
        put_line(w);
    }
    (void)fputs(end, w->out);
}

static void put_object(struct writer *w, struct json_object *object)
{
    const char *comma = "";

    (void)fputs(w->syntax->object, w->out);
    w->depth++;
    json_object_object_foreach(object, name, value)
    {
        (void)fputs(comma, w->out);
        put_line(w);
        put_quoted(w->out, w->syntax->quote, name);
        (void)fputs(w->syntax->pair, w->out);
        put_value(w, name, value);
        comma = ",";
    }
    put_end(w, *comma == '\0', w->syntax->object_end);
}

static void put_array(struct writer *w, struct json_object *array)
{
    const size_t count = json_object_array_length(array);

    (void)fputc('[', w->out);
    w->depth++;
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i > 0 ? "," : "", w->out);
        put_line(w);
        put_value(w, "", json_object_array_get_idx(array, i));
    }
    put_end(w, count == 0, "]");
}

static void put_string(const struct writer *w, const char *name, struct json_object *value)
{
    const bool own = w->is_own != NULL && w->is_own(name);

    if (own)
        (void)fprintf(w->out, "<var data-name=\"%s\">", name);
    put_quoted(w->out, w->syntax->quote, json_object_get_string(value));
    (void)fputs(own ? "</var>" : "", w->out);
}

static void put_value(struct writer *w, const char *name, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_object:
        put_object(w, value);
        break;
    case json_type_array:
        put_array(w, value);
        break;
    case json_type_string:
        put_string(w, name, value);
        break;
    case json_type_null:
        (void)fputs(w->syntax->null, w->out);
        break;
    case json_type_boolean:
        (void)fputs(w->syntax->truth[json_object_get_boolean(value) != 0], w->out);
        break;
    default:
        (void)fputs(json_object_get_string(value), w->out);
    }
}

void literal_put(FILE *out, enum language language, struct json_object *value,
                 bool (*is_own)(const char *name))
{
    struct writer writer = {out, &syntaxes[language], is_own, 0};

    put_value(&writer, "", value);
}
