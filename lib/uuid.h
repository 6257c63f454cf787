/*
 * UUIDs (RFC 9562): 16 bytes, written as 36 characters in lower case.
 */
#ifndef LIB_UUID_H
#define LIB_UUID_H

#include "lib/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    UUID_BYTES = 16,
    UUID_TEXT_BYTES = 37, /* with the closing NUL */
};

struct uuid {
    uint8_t bytes[UUID_BYTES];
};

/* Reads the form 8-4-4-4-12 in either case, of any version. False for everything else,
 * and then *out is all zero. */
bool uuid_parse(struct uuid *out, struct span text);

/* Writes the lower-case form with its NUL. */
void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES]);

/* Makes a version 7 UUID: 48 bits of now_ms (milliseconds since 1970, UTC), the rest
 * random, so that later ones sort behind earlier ones. secret_init() comes first. */
void uuid_make(struct uuid *out, int64_t now_ms);

/* Makes a version 8 UUID of 122 of these bits, such as those of a hash. */
void uuid_of_bytes(struct uuid *out, const uint8_t bytes[UUID_BYTES]);

/* The same, but of version 7 with that time, so that it sorts as one of uuid_make does. */
void uuid_of_bytes_at(struct uuid *out, const uint8_t bytes[UUID_BYTES], int64_t ms);

/* The time that uuid_make was given. False for a UUID of another version. */
bool uuid_time_ms(int64_t *ms, const struct uuid *uuid);

/* What sorts before, or behind, all UUIDs that uuid_make makes at that time. */
void uuid_first_at(struct uuid *out, int64_t ms);
void uuid_last_at(struct uuid *out, int64_t ms);

bool uuid_equals(const struct uuid *a, const struct uuid *b);

#endif
