/*
 * FastCGI records as bytes, for tests that need no server.
 */
#ifndef TESTS_UNIT_FCGI_BYTES_H
#define TESTS_UNIT_FCGI_BYTES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fastcgi.h>
#include <string.h>

struct fcgi_bytes {
    unsigned char data[256 * 1024];
    size_t len;
};

static inline void fcgi_bytes_put(struct fcgi_bytes *out, int type, int id,
                                  const void *content, size_t len, size_t padding)
{
    const unsigned char head[FCGI_HEADER_LEN] = {
        FCGI_VERSION_1,         (unsigned char)type,       (unsigned char)(id >> 8),
        (unsigned char)id,      (unsigned char)(len >> 8), (unsigned char)len,
        (unsigned char)padding,
    };

    assert_true(out->len + sizeof head + len + padding <= sizeof out->data);
    memcpy(out->data + out->len, head, sizeof head);
    memcpy(out->data + out->len + sizeof head, content, len);
    memset(out->data + out->len + sizeof head + len, 0, padding);
    out->len += sizeof head + len + padding;
}

static inline void fcgi_bytes_begin(struct fcgi_bytes *out, int id, int role, int keep)
{
    const FCGI_BeginRequestBody body = {.roleB0 = (unsigned char)role,
                                        .flags = (unsigned char)keep};

    fcgi_bytes_put(out, FCGI_BEGIN_REQUEST, id, &body, sizeof body, 0);
}

/* One parameter of short lengths, and no end. */
static inline void fcgi_bytes_param(struct fcgi_bytes *out, int id, const char *name,
                                    const char *value)
{
    unsigned char pair[256];
    size_t name_len = strlen(name), value_len = strlen(value);

    assert_true(name_len < 100 && value_len < 100);
    pair[0] = (unsigned char)name_len;
    pair[1] = (unsigned char)value_len;
    memcpy(pair + 2, name, name_len);
    memcpy(pair + 2 + name_len, value, value_len);
    fcgi_bytes_put(out, FCGI_PARAMS, id, pair, 2 + name_len + value_len, 0);
}

/* A whole request of the parameter NAME=value and the body "abc". */
static inline void fcgi_bytes_request(struct fcgi_bytes *out, int id, int keep)
{
    fcgi_bytes_begin(out, id, FCGI_RESPONDER, keep);
    fcgi_bytes_param(out, id, "NAME", "value");
    fcgi_bytes_put(out, FCGI_PARAMS, id, "", 0, 0);
    fcgi_bytes_put(out, FCGI_STDIN, id, "abc", 3, 0);
    fcgi_bytes_put(out, FCGI_STDIN, id, "", 0, 0);
}

#endif
