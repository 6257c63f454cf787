#include "app/serve/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/api/add_note.h"
#include "app/api/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    ARENA_BYTES = 4 << 20,
};

static char text[1 << 19];

#define SUCCESS .error = ERROR_NONE, .http_status = 200, .code = "OK"

/* The whole answer as a string. */
static const char *render(struct reply *reply, const char *request_id)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    struct span out = response_render(reply, request_id, arena, ERROR_INTERNAL);

    assert_true(out.len < sizeof text);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    arena_free(arena);
    return text;
}

struct values {
    struct span a;
    int64_t n;
};

static const struct field fields[] = {
    {.name = "a", .type = FIELD_TEXT, .offset = offsetof(struct values, a)},
    {.name = "n", .type = FIELD_INTEGER, .offset = offsetof(struct values, n)},
};

/* A success with the first count of these fields. */
#define VALUES(count, ...)                                                                 \
    SUCCESS, .fields = fields, .field_count = (count), .values = &(const struct values)    \
    {                                                                                      \
        __VA_ARGS__                                                                        \
    }

static void a_success_looks_as_promised_to_the_byte(void **state)
{
    struct reply reply = {VALUES(2, SPAN("b/c\"\n\xe2\x82\xac"), 1)};

    (void)state;
    assert_int_equal(reply.http_status, 200);
    assert_string_equal(render(&reply, "id-1"),
                        "Status: 200 OK\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 52\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Request-Id: id-1\r\n"
                        "\r\n"
                        "{\"data\":{\"a\":\"b/c\\\"\\n\xe2\x82\xac\",\"n\":1},"
                        "\"status\":\"success\"}");
}

static void an_error_looks_as_promised_to_the_byte(void **state)
{
    struct reply reply = {SUCCESS};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_INVALID_API_KEY);
    assert_string_equal(render(&reply, "x"),
                        "Status: 200 OK\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 45\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Request-Id: x\r\n"
                        "X-Error-Code: INVALID_API_KEY\r\n"
                        "\r\n"
                        "{\"data\":[\"Invalid API Key\"],\"status\":\"error\"}");
}

/* As the table of errors in docs/api.md has them. */
static void every_error_has_its_status_code_and_message(void **state)
{
    static const struct {
        enum error error;
        int http_status;
        const char *line, *code, *message;
    } rows[] = {
        {ERROR_MISSING_API_KEY, 200, "OK", "MISSING_API_KEY", "Missing service instance"},
        {ERROR_INVALID_API_KEY, 200, "OK", "INVALID_API_KEY", "Invalid API Key"},
        {ERROR_IP_NOT_WHITELISTED, 200, "OK", "IP_NOT_WHITELISTED",
         "IP address not whitelisted"},
        {ERROR_MISSING_DEVELOPER_SECRET, 200, "OK", "MISSING_DEVELOPER_SECRET",
         "Missing developer_secret"},
        {ERROR_INVALID_DEVELOPER_SECRET, 200, "OK", "INVALID_DEVELOPER_SECRET",
         "Invalid developer_secret"},
        {ERROR_NOT_FOUND, 200, "OK", "NOT_FOUND", "Contact does not exist"},
        {ERROR_WRONG_ORG, 200, "OK", "WRONG_ORG",
         "You are trying to add a note to a contact that does not belong to your "
         "organization"},
        {ERROR_NOT_OWNER, 200, "OK", "NOT_OWNER",
         "The API only supports notes being added by the member that owns the contact."},
        {ERROR_NOTE_NOT_FOUND, 200, "OK", "NOTE_NOT_FOUND", "Note does not exist"},
        {ERROR_NOTE_NOT_EDITABLE, 200, "OK", "NOTE_NOT_EDITABLE", "Note is not editable"},
        {ERROR_INVALID_JSON, 400, "Bad Request", "INVALID_JSON",
         "Request body is not valid JSON"},
        {ERROR_NO_JSON_OBJECT, 400, "Bad Request", "INVALID_JSON",
         "Request body must be a JSON object"},
        {ERROR_UNKNOWN_ENDPOINT, 404, "Not Found", "UNKNOWN_ENDPOINT", "Not found"},
        {ERROR_METHOD_NOT_ALLOWED, 405, "Method Not Allowed", "METHOD_NOT_ALLOWED",
         "Method not allowed"},
        {ERROR_BODY_TOO_LARGE, 413, "Content Too Large", "BODY_TOO_LARGE",
         "Request body is too large"},
        {ERROR_UNSUPPORTED_ENCODING, 415, "Unsupported Media Type", "UNSUPPORTED_ENCODING",
         "Content-Encoding is not supported"},
        {ERROR_RATE_LIMITED, 429, "Too Many Requests", "RATE_LIMITED", "Too many requests"},
        {ERROR_UNAVAILABLE, 503, "Service Unavailable", "UNAVAILABLE",
         "The note was not stored. Try again."},
        {ERROR_OUTCOME_UNKNOWN, 503, "Service Unavailable", "OUTCOME_UNKNOWN",
         "The outcome is unknown. Repeat the request with the same Idempotency-Key."},
        {ERROR_INTERNAL, 500, "Internal Server Error", "INTERNAL", "Internal error"},
    };
    char expected[256];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply reply = {SUCCESS};
        call_refuse(&add_note_call, &reply, rows[i].error);
        assert_int_equal(reply.http_status, rows[i].http_status);
        const char *answer = render(&reply, "x");
        (void)snprintf(expected, sizeof expected, "Status: %d %s\r\n", rows[i].http_status,
                       rows[i].line);
        assert_ptr_equal(strstr(answer, expected), answer);
        (void)snprintf(expected, sizeof expected, "\r\nX-Error-Code: %s\r\n", rows[i].code);
        assert_non_null(strstr(answer, expected));
        (void)snprintf(expected, sizeof expected,
                       "\r\n\r\n{\"data\":[\"%s\"],\"status\":\"error\"}", rows[i].message);
        assert_non_null(strstr(answer, expected));
        bool retry = strstr(answer, "\r\nRetry-After: ") != NULL;
        assert_int_equal(retry, rows[i].http_status == 503 || rows[i].http_status == 429);
    }
}

#define PAGE .content_type = "text/html; charset=utf-8", .bytes = SPAN("<p>x")

static void a_document_may_be_kept_by_its_tag_and_has_its_policy(void **state)
{
    struct reply reply = {SUCCESS, .document = {PAGE, .etag = "\"e\"", .policy = "p"}};
    static const char header[] = "Status: 200 OK\r\n"
                                 "Content-Type: text/html; charset=utf-8\r\n"
                                 "Content-Length: 4\r\n"
                                 "Cache-Control: no-cache\r\n"
                                 "X-Content-Type-Options: nosniff\r\n"
                                 "X-Request-Id: x\r\n"
                                 "ETag: \"e\"\r\n"
                                 "Content-Security-Policy: p\r\n"
                                 "Referrer-Policy: no-referrer\r\n"
                                 "\r\n";

    (void)state;
    assert_memory_equal(render(&reply, "x"), header, sizeof header - 1);
    assert_string_equal(text + sizeof header - 1, "<p>x");
    reply.head = true;
    assert_string_equal(render(&reply, "x"), header);
}

static void a_document_that_the_client_has_is_not_sent(void **state)
{
    struct reply reply = {SUCCESS, .document = {PAGE, .etag = "\"e\""}};

    (void)state;
    reply.http_status = 304;
    assert_string_equal(render(&reply, "x"), "Status: 304 Not Modified\r\n"
                                             "Cache-Control: no-cache\r\n"
                                             "X-Content-Type-Options: nosniff\r\n"
                                             "X-Request-Id: x\r\n"
                                             "ETag: \"e\"\r\n"
                                             "\r\n");
}

static void a_document_without_a_tag_is_not_kept(void **state)
{
    struct reply reply = {SUCCESS, .document = {PAGE}};

    (void)state;
    assert_non_null(strstr(render(&reply, "x"), "\r\nCache-Control: no-store\r\n"));
    assert_null(strstr(text, "ETag"));
}

static void a_document_at_another_place_is_a_redirect(void **state)
{
    struct reply reply = {SUCCESS,
                          .document = {.content_type = "text/plain", .location = "docs/"}};

    (void)state;
    reply.http_status = 308;
    assert_string_equal(render(&reply, "x"), "Status: 308 Permanent Redirect\r\n"
                                             "Content-Type: text/plain\r\n"
                                             "Content-Length: 0\r\n"
                                             "Cache-Control: no-store\r\n"
                                             "X-Content-Type-Options: nosniff\r\n"
                                             "X-Request-Id: x\r\n"
                                             "Location: docs/\r\n"
                                             "\r\n");
}

static void the_body_of_a_document_is_not_copied_where_it_is_not_sent(void **state)
{
    struct reply reply = {SUCCESS, .document = {PAGE, .etag = "\"e\""}, .head = true};
    struct arena *arena = arena_create(1024);

    (void)state;
    reply.document.bytes = (struct span){text, sizeof text}; /* has no room in the arena */
    assert_non_null(response_render(&reply, "x", arena, ERROR_INTERNAL).data);
    assert_int_equal(reply.error, ERROR_NONE);
    arena_free(arena);
}

/* Only errors that the published page has with status 200 change. */
static void a_strict_reply_has_the_status_of_http(void **state)
{
    (void)state;
    for (enum error error = ERROR_NONE + 1; error < ERROR_COUNT; error++) {
        const struct error_text *row = error_text(error);
        struct reply reply = {SUCCESS, .strict = true};
        call_refuse(&add_note_call, &reply, error);
        assert_int_equal(reply.http_status, row->strict_status);
        assert_true(reply.http_status >= 400);
        if (row->http_status != 200)
            assert_int_equal(reply.http_status, row->http_status);
        assert_memory_equal(render(&reply, "x"), "Status: ", 8); /* there is such a line */
    }
}

static void a_preference_is_confirmed_also_on_success(void **state)
{
    struct reply reply = {VALUES(1, SPAN("x"), 0), .strict = true};

    (void)state;
    assert_null(strstr(render(&reply, "x"), "Preference-Applied"));
    reply.prefers_strict = true;
    assert_non_null(
        strstr(render(&reply, "x"), "\r\nPreference-Applied: status=strict\r\n"));
}

static void the_address_is_told_where_it_is_known(void **state)
{
    struct address address = {.family = ADDRESS_NONE};
    struct reply reply = {SUCCESS, .client_address = &address};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_IP_NOT_WHITELISTED);
    assert_null(strstr(render(&reply, "x"), "X-Client-Address"));
    assert_true(address_parse(&address, span_of("2001:db8::1")));
    assert_non_null(strstr(render(&reply, "x"), "\r\nX-Client-Address: 2001:db8::1\r\n"));
}

static void a_limited_request_is_told_when_to_come_again(void **state)
{
    struct reply reply = {SUCCESS, .retry_after_s = 42,
                          .quota = {.count = 600, .time_s = 60, .left = 0, .reset_s = 60}};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_RATE_LIMITED);
    assert_string_equal(render(&reply, "x"),
                        "Status: 429 Too Many Requests\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 47\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "X-Request-Id: x\r\n"
                        "X-Error-Code: RATE_LIMITED\r\n"
                        "Retry-After: 42\r\n"
                        "RateLimit-Policy: \"default\";q=600;w=60\r\n"
                        "RateLimit: \"default\";r=0;t=60\r\n"
                        "\r\n"
                        "{\"data\":[\"Too many requests\"],\"status\":\"error\"}");
}

static void the_longest_header_fits(void **state)
{
    struct reply reply = {
        .error = ERROR_NONE,
        .retry_after_s = INT64_MAX,
        .replayed = true,
        .allow = "POST",
        .quota = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
    };

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_RATE_LIMITED);
    const char *answer =
        render(&reply, "0123456789012345678901234567890123456789012345678901234567890123");
    assert_non_null(strstr(answer, ";t=9223372036854775807\r\n\r\n{"));
}

static void complaints_of_fields_stand_in_their_order(void **state)
{
    struct reply reply = {SUCCESS};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_MISSING_FIELDS);
    assert_int_equal(reply.message_count, 0);
    for (int i = 0; i < 8; i++)
        reply_add_message(&reply, i % 2 ? "odd" : "even");
    assert_non_null(strstr(render(&reply, "x"),
                           "{\"data\":[\"even\",\"odd\",\"even\",\"odd\","
                           "\"even\",\"odd\",\"even\",\"odd\"],"
                           "\"status\":\"error\"}"));
    assert_non_null(strstr(text, "X-Error-Code: MISSING_FIELDS\r\n"));
}

static void a_later_failure_takes_the_place_of_an_earlier_one(void **state)
{
    struct reply reply = {VALUES(1, SPAN("x"), 0)};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_MISSING_FIELDS);
    reply_add_message(&reply, "Missing note");
    call_refuse(&add_note_call, &reply, ERROR_UNAVAILABLE);
    assert_non_null(strstr(render(&reply, "x"),
                           "{\"data\":[\"The note was not stored. Try again.\"],"));
}

static void other_methods_are_told_which_one_is_allowed(void **state)
{
    struct reply reply = {SUCCESS, .allow = "POST"};

    (void)state;
    call_refuse(&add_note_call, &reply, ERROR_METHOD_NOT_ALLOWED);
    assert_non_null(strstr(render(&reply, "x"), "\r\nAllow: POST\r\n"));
}

static void content_length_is_that_of_the_body(void **state)
{
    static char note[65537];

    (void)state;
    memset(note, 1, sizeof note - 1); /* six bytes each in JSON */
    struct reply reply = {VALUES(1, {note, sizeof note - 1}, 0)};
    const char *answer = render(&reply, "x");
    const char *length = strstr(answer, "Content-Length: "),
               *body = strstr(answer, "\r\n\r\n");
    assert_non_null(length);
    assert_non_null(body);
    assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
}

static void expect_last_resort(bool head, enum error error, const char *header,
                               const char *body)
{
    struct reply reply = {VALUES(1, SPAN("x"), 0), .head = head};
    struct arena *arena = arena_create(64);
    char expected[512];

    struct span out = response_render(&reply, "x", arena, error);
    (void)snprintf(expected, sizeof expected,
                   "%s\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
                   "X-Content-Type-Options: nosniff\r\nX-Error-Code: %s\r\n\r\n%s",
                   header, reply.code, body);
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    assert_int_equal(reply.error, error);
    arena_free(arena);
}

static void without_memory_there_is_a_constant_answer(void **state)
{
    static const char internal[] = "{\"data\":[\"Internal error\"],\"status\":\"error\"}";
    static const char unknown[] = "{\"data\":[\"The outcome is unknown. Repeat the request "
                                  "with the same Idempotency-Key.\"],\"status\":\"error\"}";

    (void)state;
    expect_last_resort(false, ERROR_INTERNAL, "Status: 500 Internal Server Error",
                       internal);
    expect_last_resort(true, ERROR_INTERNAL, "Status: 500 Internal Server Error", "");
    expect_last_resort(false, ERROR_OUTCOME_UNKNOWN, "Status: 503 Service Unavailable",
                       unknown);
}

static void a_success_without_memory_for_its_values_becomes_an_error(void **state)
{
    struct reply reply = {SUCCESS, .fields = fields, .field_count = 2};

    (void)state;
    assert_non_null(strstr(render(&reply, "x"), "Internal error"));
    assert_int_equal(reply.error, ERROR_INTERNAL);
}

static void the_answer_to_head_is_the_header_alone(void **state)
{
    struct reply reply = {VALUES(1, SPAN("x"), 0), .head = true};

    (void)state;
    const char *answer = render(&reply, "x");
    assert_non_null(strstr(answer, "\r\nContent-Length: 37\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_success_looks_as_promised_to_the_byte),
        cmocka_unit_test(an_error_looks_as_promised_to_the_byte),
        cmocka_unit_test(every_error_has_its_status_code_and_message),
        cmocka_unit_test(a_document_may_be_kept_by_its_tag_and_has_its_policy),
        cmocka_unit_test(a_document_that_the_client_has_is_not_sent),
        cmocka_unit_test(a_document_without_a_tag_is_not_kept),
        cmocka_unit_test(a_document_at_another_place_is_a_redirect),
        cmocka_unit_test(the_body_of_a_document_is_not_copied_where_it_is_not_sent),
        cmocka_unit_test(a_strict_reply_has_the_status_of_http),
        cmocka_unit_test(a_preference_is_confirmed_also_on_success),
        cmocka_unit_test(the_address_is_told_where_it_is_known),
        cmocka_unit_test(a_limited_request_is_told_when_to_come_again),
        cmocka_unit_test(the_longest_header_fits),
        cmocka_unit_test(complaints_of_fields_stand_in_their_order),
        cmocka_unit_test(a_later_failure_takes_the_place_of_an_earlier_one),
        cmocka_unit_test(other_methods_are_told_which_one_is_allowed),
        cmocka_unit_test(content_length_is_that_of_the_body),
        cmocka_unit_test(without_memory_there_is_a_constant_answer),
        cmocka_unit_test(a_success_without_memory_for_its_values_becomes_an_error),
        cmocka_unit_test(the_answer_to_head_is_the_header_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
