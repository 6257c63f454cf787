/*
 * Whole requests: parameters and body go in as a web server sends them. The answer must be
 * well-formed and agree with what was written to the database.
 *
 * An input has lines NAME=VALUE (what is not given has a default with which a request is
 * good), then an empty line, then the body. The line "VIA=writer" sends the note through
 * mailboxes, as in a pool; otherwise it is written at once, as with --single. The line
 * "REPEAT=" lets the same request come twice. A HEAD request is followed by the same one
 * with GET.
 *
 * This file stands in for lib/fastcgi.c, and calls.c for the program's table of calls.
 */
#include <string.h>

#include "app/api/add_note.h"
#include "app/api/error.h"
#include "app/commit/batch.h"
#include "app/commit/letter.h"
#include "app/serve/pipeline.h"
#include "app/serve/response.h"
#include "lib/json.h"
#include "tests/fuzz/calls.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/site.h"

enum {
    ARENA_BYTES = 8 << 20,
    TIMEOUT_MS = 1000,
    PARAMS_MAX = 16,
};

/* They follow the parameters of the input, and of several with one name the first counts. */
static const char *const defaults[] = {
    "REQUEST_METHOD=POST",
    "SCRIPT_NAME=/apis/v2/public/crm/addNotestoContact",
    "REMOTE_ADDR=192.0.2.1",
};

enum {
    DEFAULTS = sizeof defaults / sizeof defaults[0],
};

/* A request that comes in. */
struct fastcgi {
    const char *params[PARAMS_MAX + DEFAULTS + 1]; /* "NAME=value" each, NULL at the end */
    struct span body;
};

static struct settings *settings;
static struct pipeline *at_once, *by_writer;
static struct mailboxes *boxes;
static struct batch *group;
static struct arena *arena;

const char *const *fastcgi_params(const struct fastcgi *fastcgi, size_t place)
{
    (void)place;
    return fastcgi->params;
}

/* The parameter with that name, which ends with "=", or NULL at the end. */
static const char **find(struct fastcgi *in, const char *name)
{
    const char **each = in->params;

    while (*each != NULL && strncmp(*each, name, strlen(name)) != 0)
        each++;
    return each;
}

static bool has(struct fastcgi *in, const char *name)
{
    return *find(in, name) != NULL;
}

enum status fastcgi_read_body(struct fastcgi *fastcgi, size_t place, char *buffer,
                              size_t size, size_t *len)
{
    struct span body = fastcgi->body;

    (void)place;
    *len = body.len < size ? body.len : size;
    if (*len > 0)
        memcpy(buffer, body.data, *len);
    return body.len > size ? STATUS_TOO_LARGE : STATUS_OK;
}

static void finish(void)
{
    pipeline_free(at_once);
    pipeline_free(by_writer);
    mailboxes_free(boxes);
    batch_free(group);
    arena_free(arena);
    free(settings);
}

static struct settings *make_settings(void)
{
    const struct settings_arguments arguments = {.config = "/dev/null",
                                                 .database = site_database()};
    struct problem why = {""};
    struct settings *made = settings_create(&arguments, &why);

    CHECK(made != NULL);
    CHECK(cidr_parse(&made->trusted_proxies.list[0], span_of("10.0.0.0/8"), NULL) ==
          STATUS_OK);
    made->trusted_proxies.count = 1;
    made->max_body_bytes = 2048; /* so that short inputs reach the limits */
    made->max_note_bytes = 512;
    made->credential_failures.count = made->contact_failures.count = 0; /* off */
    return made;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    site_make();
    settings = make_settings();
    boxes = mailboxes_create(1, 1, letter_max_bytes((size_t)settings->max_note_bytes));
    group = batch_create(site_database(), call_command_kinds(), (struct meter){NULL, 0});
    arena = arena_create(ARENA_BYTES);
    CHECK(boxes != NULL && group != NULL && arena != NULL);
    at_once = pipeline_create(settings, site_key(), caller_cache_create(),
                              throttle_create(), reader_create(settings, site_key(), NULL),
                              committer_create_direct(site_database(), call_command_kinds(),
                                                      (struct meter){NULL, 0}));
    by_writer =
        pipeline_create(settings, site_key(), caller_cache_create(), throttle_create(),
                        reader_create(settings, site_key(), NULL),
                        committer_create_mailbox(boxes, 0, call_command_kinds()));
    CHECK(at_once != NULL && by_writer != NULL);
    (void)atexit(finish);
    return 0;
}

/* Cuts a line off *text and ends it with NUL; NULL at the empty line or without an end. */
static char *take_line(struct span *text)
{
    char *line = (char *)text->data;
    char *end = text->len > 0 ? memchr(line, '\n', text->len) : NULL;

    if (end == NULL)
        return NULL;
    *end = '\0';
    text->data = end + 1;
    text->len -= (size_t)(end + 1 - line);
    return end > line ? line : NULL;
}

static struct fastcgi read_input(char *data, size_t size)
{
    struct fastcgi in = {.body = {data, size}};
    size_t count = 0;
    char *line;

    while (count < PARAMS_MAX && (line = take_line(&in.body)) != NULL)
        if (strchr(line, '=') != NULL)
            in.params[count++] = line;
    memcpy(in.params + count, defaults, sizeof defaults);
    return in;
}

/* What the writer process does. */
static void write_letter(void)
{
    union site_room room;
    struct batch_item item = {.command = &room.command, .status = STATUS_OK};
    struct span letter;
    size_t number;

    CHECK(mailboxes_take(boxes, &number, &letter));
    CHECK(letter_read(&room.command, call_command_kinds(), letter,
                      letter_max_text_bytes(boxes)) == STATUS_OK);
    batch_commit(group, &item, 1, TIMEOUT_MS);
    const struct letter_answer answer = {.status = item.status, .result = item.result};
    mailboxes_answer(boxes, number, &answer, sizeof answer);
    mailboxes_tell(boxes);
}

static void handle(struct exchange *x, struct fastcgi *in)
{
    struct pipeline *pipeline = has(in, "VIA=") ? by_writer : at_once;

    CHECK(request_read(x, settings, in) == STATUS_OK);
    pipeline_begin(pipeline, x);
    if (x->to_read)
        pipeline_read(pipeline, x);
    if (!x->committing)
        return;
    if (pipeline == by_writer)
        write_letter();
    CHECK(pipeline_look(pipeline, x));
    CHECK(!x->committing);
}

/* Takes "NAME: value" off the header; false when the next line is another one. */
static bool take_header(struct span *text, const char *name, struct span *value)
{
    size_t len = strlen(name);
    const char *end = memmem(text->data, text->len, "\r\n", 2);

    CHECK(end != NULL);
    if (text->len < len + 2 || memcmp(text->data, name, len) != 0 ||
        memcmp(text->data + len, ": ", 2) != 0)
        return false;
    *value = (struct span){text->data + len + 2, (size_t)(end - text->data) - len - 2};
    for (size_t i = 0; i < value->len; i++)
        CHECK(value->data[i] >= ' ' && value->data[i] <= '~');
    text->len -= (size_t)(end + 2 - text->data);
    text->data = end + 2;
    return true;
}

static void must_have(struct span *text, const char *name, const char *wanted)
{
    struct span value;

    CHECK(take_header(text, name, &value));
    CHECK(span_equals(value, span_of(wanted)));
}

static void check_id(struct span *text, const char *wanted)
{
    struct span id;

    CHECK(take_header(text, "X-Request-Id", &id));
    CHECK(span_equals(id, span_of(wanted)) && id.len >= 1 && id.len <= 64);
    CHECK(strspn(wanted, "0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-") == id.len);
}

/* The methods of the call that has this path. */
static const char *allowed_for(struct span path)
{
    return path.len > 6 && memcmp(path.data, "/apis/", 6) == 0 ? "POST" : "GET, HEAD";
}

static bool is_document(const struct exchange *x)
{
    return x->reply.error == ERROR_NONE && x->call == &calls_document;
}

static void check_status(struct span *text, const struct reply *reply)
{
    struct span value;
    char status[4];

    (void)snprintf(status, sizeof status, "%u", (unsigned)reply->http_status % 1000);
    CHECK(take_header(text, "Status", &value) && value.len > 4);
    CHECK(memcmp(value.data, status, 3) == 0 && value.data[3] == ' ');
}

/* What only some answers have. */
static void check_rare_header(struct span *text, const struct exchange *x)
{
    enum error error = x->reply.error;

    if (error != ERROR_NONE)
        must_have(text, "X-Error-Code", error_text(error)->code);
    if (x->reply.replayed)
        must_have(text, "Idempotency-Replayed", "true");
    if (x->reply.http_status == 405)
        must_have(text, "Allow", allowed_for(x->request.path));
    if (x->request.prefers_strict && !is_document(x))
        must_have(text, "Preference-Applied", "status=strict");
    if (error == ERROR_IP_NOT_WHITELISTED && x->request.address.family != ADDRESS_NONE) {
        char address[ADDRESS_TEXT_BYTES];
        (void)address_format(&x->request.address, address);
        must_have(text, "X-Client-Address", address);
    }
    if (is_document(x))
        must_have(text, "ETag", x->reply.document.etag);
}

/* All headers must be there, in this order, and no others. Leaves the body in *text and
 * returns its length according to the header. */
static size_t check_header(struct span *text, const struct exchange *x)
{
    struct span length;

    check_status(text, &x->reply);
    must_have(text, "Content-Type",
              is_document(x) ? CALLS_DOCUMENT_TYPE : "application/json");
    CHECK(take_header(text, "Content-Length", &length));
    must_have(text, "Cache-Control", is_document(x) ? "no-cache" : "no-store");
    must_have(text, "X-Content-Type-Options", "nosniff");
    check_id(text, x->request.id);
    check_rare_header(text, x);
    CHECK(text->len >= 2 && memcmp(text->data, "\r\n", 2) == 0);
    *text = (struct span){text->data + 2, text->len - 2};
    return strtoul(length.data, NULL, 10);
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    CHECK(json_object_object_get_ex(object, name, &value));
    return value;
}

/* Whether the body is {"help":true}, which needs no credentials. */
static bool is_help(struct json_object *body)
{
    struct json_object *value = NULL;

    return body != NULL && json_object_object_length(body) == 1 &&
           json_object_object_get_ex(body, "help", &value) &&
           strcmp(json_object_to_json_string(value), "true") == 0;
}

static void check_help(struct json_object *data, const struct call *call)
{
    CHECK(json_object_object_length(data) == 7);
    CHECK(span_equals(json_string(member(data, "method")), span_of(call->method)));
    CHECK(span_equals(json_string(member(data, "path")), span_of(call->path)));
    CHECK(json_string(member(data, "summary")).len > 0);
    CHECK(json_object_array_length(member(data, "parameters")) > call->field_count);
    CHECK(json_object_object_length(member(data, "example")) > 0);
    CHECK(json_object_object_length(member(data, "answer")) == 2);
    CHECK(json_object_array_length(member(data, "errors")) > 0);
}

static void check_look(struct json_object *data)
{
    CHECK(json_object_object_length(data) == 6);
    CHECK(json_string(member(data, "contact_id")).len == UUID_TEXT_BYTES - 1);
    CHECK(json_string(member(data, "order")).len > 0);
    CHECK(json_object_is_type(member(data, "from"), json_type_int));
    CHECK(json_object_get_int(member(data, "hidden")) / 2 == 0);
    CHECK(json_object_is_type(member(data, "rows"), json_type_array));
}

static void check_note(struct json_object *data, const struct note_command *command)
{
    CHECK(json_object_object_length(data) == 5);
    CHECK(json_string(member(data, "note_id")).len == UUID_TEXT_BYTES - 1);
    CHECK(span_equals(json_string(member(data, "contact_id")), span_of(SITE_CONTACT)));
    CHECK(span_equals(json_string(member(data, "note_content")), command->content));
    CHECK(json_object_get_int(member(data, "note_editable")) / 2 == 0);
    CHECK(json_object_get_int(member(data, "note_visibility")) / 2 == 0);
}

/* Every member that is always answered must be there. */
static void check_members(struct json_object *data, const struct call *call)
{
    for (size_t i = 0; i < call->answer_count; i++)
        CHECK(call->answer[i].shown_by > 0 ||
              json_object_object_get_ex(data, call->answer[i].name, NULL));
}

static void check_success(struct json_object *data, const struct exchange *x)
{
    if (is_help(x->body))
        check_help(data, x->call);
    else if (x->call == &calls_look)
        check_look(data);
    else if (x->call == &add_note_call)
        check_note(data, (const struct note_command *)x->command);
    else
        check_members(data, x->call);
}

static void check_messages(struct json_object *data)
{
    CHECK(json_object_is_type(data, json_type_array));
    CHECK(json_object_array_length(data) > 0);
    for (size_t i = 0; i < json_object_array_length(data); i++)
        CHECK(json_string(json_object_array_get_idx(data, i)).len > 0);
}

static void check_body(struct span text, const struct exchange *x)
{
    bool good = x->reply.error == ERROR_NONE;
    struct json_object *body = NULL;

    CHECK(json_parse(&body, text, x->arena) == JSON_OBJECT);
    CHECK(json_object_object_length(body) == 2);
    CHECK(span_equals(json_string(member(body, "status")),
                      span_of(good ? "success" : "error")));
    if (good)
        check_success(member(body, "data"), x);
    else
        check_messages(member(body, "data"));
    json_object_put(body);
}

/* No resource is short and the database is there, so that these errors would be faults. */
static void check_error(enum error error)
{
    CHECK(error != ERROR_INTERNAL && error != ERROR_UNAVAILABLE &&
          error != ERROR_OUTCOME_UNKNOWN);
}

/* What has become of a request. */
struct outcome {
    bool good, replayed;
    bool stored; /* by this request or, if replayed, by an earlier one */
    struct uuid note_id;
    int http_status;
    size_t body_bytes; /* according to the header */
};

static void check_answer(struct outcome *outcome, struct exchange *x, const char *method)
{
    struct span answer =
        response_render(&x->reply, x->request.id, x->arena, ERROR_INTERNAL);

    check_error(x->reply.error);
    outcome->http_status = x->reply.http_status;
    outcome->body_bytes = check_header(&answer, x);
    if (strcmp(method, "HEAD") == 0) {
        CHECK(answer.len == 0 && outcome->body_bytes > 0);
        return;
    }
    CHECK(answer.len == outcome->body_bytes);
    if (is_document(x))
        CHECK(span_equals(answer, span_of(CALLS_DOCUMENT_TEXT)));
    else
        check_body(answer, x);
}

static struct uuid note_of(const struct exchange *x)
{
    struct note_result result;

    memcpy(&result, x->commit.result.value, sizeof result);
    return result.note_id;
}

/* Whether the caller may get a success. Help and documents need no credentials. */
static bool is_entitled(const struct exchange *x)
{
    if (is_help(x->body) || is_document(x))
        return true;
    return x->call->credentials == CREDENTIALS_BOTH ? site_may_write(&x->credentials)
                                                    : site_may_read(&x->credentials);
}

static struct outcome run(struct fastcgi *in)
{
    struct exchange x = {.arena = arena};
    const struct site_count before = site_count();

    handle(&x, in);
    struct outcome outcome = {.good = x.reply.error == ERROR_NONE,
                              .replayed = x.reply.replayed,
                              .note_id = note_of(&x)};
    outcome.stored = outcome.good && x.command != NULL;
    bool written = outcome.stored && !outcome.replayed;
    site_check_written(&before, x.command, written ? &x.commit.result : NULL);
    CHECK(!outcome.good || is_entitled(&x));
    CHECK(!is_help(x.body) || (outcome.good && x.command == NULL));
    check_answer(&outcome, &x, *find(in, "REQUEST_METHOD=") + strlen("REQUEST_METHOD="));
    json_object_put(x.body);
    arena_reset(arena);
    return outcome;
}

/* With an idempotency key, the answer is that of the first request. Without one, this is a
 * new request, which may fail because of what the first has written. */
static void run_again(struct fastcgi *in, const struct outcome *first)
{
    bool has_key = has(in, "HTTP_IDEMPOTENCY_KEY=");
    struct outcome second = run(in);

    CHECK(second.replayed == (first->stored && has_key));
    CHECK(first->good || !second.good);
    CHECK(!second.replayed || uuid_equals(&second.note_id, &first->note_id));
}

/* GET must give the status of HEAD, and a body of the length that HEAD has announced. */
static void run_as_get(struct fastcgi *in, const struct outcome *head)
{
    *find(in, "REQUEST_METHOD=") = "REQUEST_METHOD=GET";
    struct outcome outcome = run(in);
    CHECK(!head->stored && !outcome.stored);
    CHECK(outcome.http_status == head->http_status);
    CHECK(outcome.body_bytes == head->body_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);

    CHECK(copy != NULL);
    memcpy(copy, data, size);
    struct fastcgi in = read_input(copy, size);
    site_tidy();
    struct outcome outcome = run(&in);
    CHECK(!outcome.replayed);
    if (has(&in, "REPEAT="))
        run_again(&in, &outcome);
    if (strcmp(*find(&in, "REQUEST_METHOD="), "REQUEST_METHOD=HEAD") == 0)
        run_as_get(&in, &outcome);
    free(copy);
    return 0;
}
