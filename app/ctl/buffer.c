#include "app/ctl/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/secret.h"

void buffer_free(struct buffer *buffer)
{
    if (buffer->data != NULL)
        secret_wipe(buffer->data, buffer->size);
    free(buffer->data);
    *buffer = (struct buffer){.data = NULL};
}

static bool grow(struct buffer *buffer, size_t more)
{
    size_t size = buffer->size < 4096 ? 4096 : buffer->size * 2;

    if (buffer->failed || more <= buffer->size - buffer->len)
        return !buffer->failed;
    while (size - buffer->len < more)
        size *= 2;
    struct buffer grown = {.data = malloc(size), .len = buffer->len, .size = size};
    if (grown.data == NULL) {
        buffer->failed = true;
        return false;
    }
    if (buffer->len > 0)
        memcpy(grown.data, buffer->data, buffer->len);
    buffer_free(buffer);
    *buffer = grown;
    return true;
}

void buffer_add(struct buffer *buffer, struct span bytes)
{
    if (bytes.len == 0 || !grow(buffer, bytes.len))
        return;
    memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len += bytes.len;
}
