#include "lib/fcgi_request.h"

#include <errno.h>
#include <fcgiapp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DRAIN_BYTES = 4096,
};

struct fcgi_request {
    FCGX_Request libfcgi;
    bool has_begun;
    bool body_read; /* to its end */
};

/* A request in memory that libfcgi reads at this moment, as if from fd; -1: none. */
static struct {
    int fd;
    const unsigned char *bytes;
    size_t left;
} memory = {.fd = -1};

static bool memory_works;

/* Stands in for libfcgi's function of this name. libfcgi calls it like one of another
 * library, and that of the program comes first; fits_in_memory() tries whether it does. */
int OS_Read(int fd, char *buffer, size_t size);

int OS_Read(int fd, char *buffer, size_t size)
{
    if (fd != memory.fd)
        return (int)read(fd, buffer, size);
    if (size > memory.left)
        size = memory.left;
    if (size == 0)
        return 0;
    memcpy(buffer, memory.bytes, size);
    memory.bytes += size;
    memory.left -= size;
    return (int)size;
}

struct fcgi_request *fcgi_request_create(void)
{
    struct fcgi_request *request = calloc(1, sizeof *request);

    if (request != NULL)
        (void)FCGX_InitRequest(&request->libfcgi, -1, 0);
    return request;
}

void fcgi_request_free(struct fcgi_request *request)
{
    if (request == NULL)
        return;
    if (request->has_begun)
        FCGX_Free(&request->libfcgi, 0);
    free(request);
}

/* FCGX_Accept_r reads from ipcFd where that is set. Of the fields that libfcgi keeps to
 * itself this uses ipcFd, keepConnection and detached; fits() tries them. */
enum status fcgi_request_begin(struct fcgi_request *request, int *fd)
{
    FCGX_Request *libfcgi = &request->libfcgi;

    libfcgi->ipcFd = *fd;
    libfcgi->keepConnection = 1; /* or FCGX_Accept_r would close it first */
    libfcgi->detached = 1;       /* or closing it would wait for the peer, up to 2 s */
    request->body_read = false;
    request->has_begun = FCGX_Accept_r(libfcgi) == 0;
    if (request->has_begun)
        return STATUS_OK;
    *fd = libfcgi->ipcFd = -1;
    return STATUS_IO;
}

bool fcgi_request_fits_in_memory(size_t len)
{
    return memory_works && len <= FCGI_REQUEST_MEMORY_BYTES;
}

enum status fcgi_request_begin_in_memory(struct fcgi_request *request, int *fd,
                                         const unsigned char *bytes, size_t len)
{
    memory.fd = *fd;
    memory.bytes = bytes;
    memory.left = len;
    enum status status = fcgi_request_begin(request, fd);
    len = memory.left;
    memory.fd = -1;
    memory.left = 0;
    if (status != STATUS_OK)
        return status;
    request->libfcgi.ipcFd = -1; /* so that libfcgi cannot read what lies behind */
    if (len == 0)
        return STATUS_OK;
    (void)fcgi_request_end(request);
    return STATUS_IO;
}

unsigned fcgi_request_id(const struct fcgi_request *request)
{
    return (unsigned)request->libfcgi.requestId;
}

bool fcgi_request_keeps_connection(const struct fcgi_request *request)
{
    return request->libfcgi.keepConnection != 0;
}

const char *const *fcgi_request_params(const struct fcgi_request *request)
{
    return (const char *const *)request->libfcgi.envp;
}

/* Returns how many bytes of the body were left. */
static size_t drain(struct fcgi_request *request)
{
    char bytes[DRAIN_BYTES];
    size_t total = 0;
    int len;

    while ((len = FCGX_GetStr(bytes, sizeof bytes, request->libfcgi.in)) > 0)
        total += (size_t)len;
    request->body_read = true;
    return total;
}

/* Caddy announces a body in chunks as -1. */
static bool is_negative(const char *text)
{
    return text[0] == '-' && text[1] != '\0' &&
           text[1 + strspn(text + 1, "0123456789")] == '\0';
}

static bool agrees_with_content_length(const struct fcgi_request *request, size_t len)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", request->libfcgi.envp);
    char *end;

    if (text == NULL || text[0] == '\0' || is_negative(text))
        return true;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long announced = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 && announced == len;
}

enum status fcgi_request_read_body(struct fcgi_request *request, size_t left_out,
                                   char *buffer, size_t size, size_t *len)
{
    int limit = size < INT32_MAX ? (int)size : INT32_MAX;
    int got = FCGX_GetStr(buffer, limit, request->libfcgi.in);

    *len = got > 0 ? (size_t)got : 0;
    size_t rest = drain(request) + left_out;
    if (FCGX_GetError(request->libfcgi.in) != 0 ||
        !agrees_with_content_length(request, *len + rest))
        return STATUS_INVALID;
    return rest == 0 ? STATUS_OK : STATUS_TOO_LARGE;
}

bool fcgi_request_is_read(const struct fcgi_request *request)
{
    return request->body_read && FCGX_GetError(request->libfcgi.in) == 0;
}

/* FCGX_Finish_r would write the end of the answer; FCGX_Free only frees. */
bool fcgi_request_end(struct fcgi_request *request)
{
    if (!request->has_begun)
        return true;
    if (!request->body_read)
        (void)drain(request);
    bool is_read = fcgi_request_is_read(request);
    FCGX_Free(&request->libfcgi, 0);
    request->libfcgi.ipcFd = -1;
    request->has_begun = false;
    return is_read;
}

/* Whether a request is read as expected, nothing is written to the peer, and the descriptor
 * is left open. */
static bool reads_well(struct fcgi_request *request, int fd, int peer)
{
    char byte;
    size_t len;
    int own = fd;

    if (fcgi_request_begin(request, &own) != STATUS_OK)
        return false;
    const char *value = FCGX_GetParam("N", request->libfcgi.envp);
    bool fits = value != NULL && strcmp(value, "v") == 0 &&
                fcgi_request_id(request) == 258 && fcgi_request_keeps_connection(request) &&
                fcgi_request_read_body(request, 0, &byte, 1, &len) == STATUS_OK && len == 1;
    fits = fcgi_request_end(request) && fits;
    return fits && recv(peer, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The code here uses some fields of FCGX_Request that are private to libfcgi. True when
 * they work as supposed. */
static bool fits(struct fcgi_request *request)
{
    static const unsigned char bytes[] = {
        1, 1, 1, 2, 0, 8, 0, 0, 0,   1, 1,   0,   0, 0, 0, 0, /* begin: responder, keep */
        1, 4, 1, 2, 0, 4, 0, 0, 1,   1, 'N', 'v',             /* a parameter */
        1, 4, 1, 2, 0, 0, 0, 0,      /* the end of the parameters */
        1, 5, 1, 2, 0, 1, 0, 0, 'b', /* a body */
        1, 5, 1, 2, 0, 0, 0, 0,      /* its end */
    };
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return false;
    bool result = write(pair[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes &&
                  reads_well(request, pair[1], pair[0]);
    (void)close(pair[0]);
    if (result) /* else libfcgi may have closed it, and the process ends anyway */
        (void)close(pair[1]);
    return result;
}

/* Whether libfcgi reads a request of the greatest length from memory, all of it at once. If
 * not, it reads from the connection, where there is nothing. */
static bool fits_in_memory(struct fcgi_request *request)
{
    static const unsigned char front[] = {
        1, 1, 1, 2, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, /* begin: responder, keep */
        1, 4, 1, 2, 0, 0, 0, 0,                         /* no parameters */
    };
    enum { BODY_BYTES = FCGI_REQUEST_MEMORY_BYTES - sizeof front - 16 };
    static const unsigned char body[] = {1, 5, 1, 2, BODY_BYTES >> 8, BODY_BYTES & 0xff};
    static const unsigned char end[] = {1, 5, 1, 2};
    static unsigned char bytes[FCGI_REQUEST_MEMORY_BYTES];
    static char buffer[FCGI_REQUEST_MEMORY_BYTES];
    size_t len = 0;
    int pair[2];

    memcpy(bytes, front, sizeof front);
    memcpy(bytes + sizeof front, body, sizeof body);
    memcpy(bytes + sizeof bytes - 8, end, sizeof end);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return false;
    bool result =
        fcgi_request_begin_in_memory(request, &pair[1], bytes, sizeof bytes) == STATUS_OK &&
        fcgi_request_read_body(request, 0, buffer, sizeof buffer, &len) == STATUS_OK &&
        len == BODY_BYTES && fcgi_request_end(request);
    (void)close(pair[0]);
    if (pair[1] >= 0)
        (void)close(pair[1]);
    return result;
}

enum status fcgi_request_init(void)
{
    if (FCGX_Init() != 0)
        return STATUS_INTERNAL;
    struct fcgi_request *request = fcgi_request_create();
    enum status status = request != NULL && fits(request) ? STATUS_OK : STATUS_INTERNAL;
    memory_works = status == STATUS_OK && fits_in_memory(request);
    fcgi_request_free(request);
    return status;
}
