#include "app/monitor/answer.h"

#include <stdlib.h>
#include <string.h>

#include "app/monitor/metrics.h"
#include "app/monitor/page.h"
#include "app/monitor/status.h"

enum {
    RETRY_AFTER_S = 5,
};

/* A request, as far as it is looked at. */
struct asked {
    const char *name; /* the last part of the path, without its / */
    bool is_get, is_head;
    bool by_browser; /* HTML is welcome */
};

/* What is answered. */
struct content {
    const char *status; /* of HTTP */
    const char *type;
    const char *headers; /* further ones */
    void (*write)(FILE *out, const struct view *view);
};

static void write_live(FILE *out, const struct view *view)
{
    (void)view;
    (void)fputs("{\"live\":true}\n", out);
}

static void write_ready(FILE *out, const struct view *view)
{
    if (view->readiness.is_ready)
        (void)fputs("{\"ready\":true}\n", out);
    else
        (void)fprintf(out, "{\"ready\":false,\"reason\":\"%s\"}\n", view->readiness.reason);
}

static void write_not_found(FILE *out, const struct view *view)
{
    (void)view;
    (void)fputs("Not found: there are /metrics, /status, /status.json, /live and /ready.\n",
                out);
}

static void write_wrong_method(FILE *out, const struct view *view)
{
    (void)view;
    (void)fputs("Method not allowed: use GET or HEAD.\n", out);
}

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

static const struct {
    const char *name;
    bool tells_readiness;
    struct content content;
} contents[] = {
    {"metrics", true, {"200 OK", METRICS_CONTENT_TYPE, "", metrics_write}},
    {"status", true, {"200 OK", JSON, "Vary: Accept\r\n", status_write}},
    {"status.json", true, {"200 OK", JSON, "", status_write}},
    {"live", false, {"200 OK", JSON, "", write_live}},
    {"ready", true, {"200 OK", JSON, "", write_ready}},
};

static const struct content page = {"200 OK", "text/html; charset=utf-8",
                                    "Vary: Accept\r\nContent-Security-Policy: " PAGE_POLICY
                                    "\r\nReferrer-Policy: no-referrer\r\n",
                                    page_write};
static const struct content not_found = {"404 Not Found", TEXT, "", write_not_found};
static const struct content wrong_method = {"405 Method Not Allowed", TEXT,
                                            "Allow: GET, HEAD\r\n", write_wrong_method};

/* The value of a parameter that was sent with this name and '='; NULL: it was not. */
static const char *value_of(const char *const *params, const char *name)
{
    size_t len = strlen(name);

    for (; *params != NULL; params++)
        if (strncmp(*params, name, len) == 0)
            return *params + len;
    return NULL;
}

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static void read_request(struct asked *out, const struct fastcgi *fastcgi, size_t place)
{
    const char *const *params = fastcgi_params(fastcgi, place);
    const char *method = value_of(params, "REQUEST_METHOD=");
    const char *path = value_of(params, "PATH_INFO=");
    const char *accept = value_of(params, "HTTP_ACCEPT=");

    if (!is_given(path))
        path = value_of(params, "SCRIPT_NAME=");
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    out->name = slash != NULL ? slash + 1 : "";
    out->is_head = method != NULL && strcmp(method, "HEAD") == 0;
    out->is_get = out->is_head || (method != NULL && strcmp(method, "GET") == 0);
    out->by_browser = accept != NULL && strstr(accept, "text/html") != NULL;
}

/* The row of a name; the number of rows: there is none. */
static size_t row_of(const char *name)
{
    size_t i = 0;

    while (i < sizeof contents / sizeof contents[0] && strcmp(contents[i].name, name) != 0)
        i++;
    return i;
}

static const struct content *content_for(const struct asked *asked)
{
    size_t row = row_of(asked->name);

    if (row == sizeof contents / sizeof contents[0])
        return &not_found;
    if (!asked->is_get)
        return &wrong_method;
    return strcmp(asked->name, "status") == 0 && asked->by_browser ? &page
                                                                   : &contents[row].content;
}

bool answer_tells_readiness(const struct fastcgi *fastcgi, size_t place)
{
    struct asked asked;

    read_request(&asked, fastcgi, place);
    size_t row = row_of(asked.name);
    return row < sizeof contents / sizeof contents[0] && asked.is_get &&
           contents[row].tells_readiness;
}

/* A load balancer asks /ready for its status alone. */
static void write_header(FILE *out, const struct content *content, const struct view *view,
                         size_t body_len)
{
    bool is_bad = content->write == write_ready && !view->readiness.is_ready;

    (void)fprintf(out, "Status: %s\r\n",
                  is_bad ? "503 Service Unavailable" : content->status);
    if (is_bad)
        (void)fprintf(out, "Retry-After: %d\r\n", RETRY_AFTER_S);
    (void)fprintf(out,
                  "Content-Type: %s\r\nContent-Length: %zu\r\n"
                  "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s\r\n",
                  content->type, body_len, content->headers);
}

/* Writes into memory of malloc; NULL: there is none. */
static char *write_body(size_t *len, const struct content *content, const struct view *view)
{
    char *body = NULL;
    FILE *out = open_memstream(&body, len);

    if (out == NULL)
        return NULL;
    content->write(out, view);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(body);
        return NULL;
    }
    return body;
}

void answer_send(struct fastcgi *fastcgi, size_t place, const struct view *view)
{
    static const char out_of_memory[] = "Status: 503 Service Unavailable\r\n"
                                        "Content-Length: 0\r\n\r\n";
    struct span whole = {out_of_memory, sizeof out_of_memory - 1};
    char *text = NULL;
    size_t body_len = 0, len = 0;
    struct asked asked;

    read_request(&asked, fastcgi, place);
    const struct content *content = content_for(&asked);
    char *body = write_body(&body_len, content, view);
    FILE *out = body != NULL ? open_memstream(&text, &len) : NULL;
    if (out != NULL) {
        write_header(out, content, view, body_len);
        if (!asked.is_head)
            (void)fwrite(body, 1, body_len, out);
        if (fclose(out) == 0 && text != NULL)
            whole = (struct span){text, len};
    }
    fastcgi_answer(fastcgi, place, whole, "");
    free(text);
    free(body);
}
