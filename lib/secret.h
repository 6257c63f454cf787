/*
 * Random bytes, keyed hashes, and wiping, by libsodium.
 */
#ifndef LIB_SECRET_H
#define LIB_SECRET_H

#include "lib/acting.h"
#include "lib/span.h"
#include "lib/status.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_KEY_BYTES = 32,
    SECRET_HASH_BYTES = 32,
};

/* The installation's hash key. Wipe it with secret_wipe when done. */
struct secret_key {
    uint8_t bytes[SECRET_KEY_BYTES];
};

struct secret_hash {
    uint8_t bytes[SECRET_HASH_BYTES];
};

/* Once per program, before anything else here. STATUS_INTERNAL if libsodium refuses. */
enum status secret_init(void);

/* Fills out from the kernel's random source. */
void secret_random(void *out, size_t size);

/* Writes count random characters of 0-9A-Za-z, each equally likely, and a NUL. */
void secret_random_base62(char *out, size_t count);

/* BLAKE2b-256 (RFC 7693) of bytes under key. domain (a short constant) is hashed before
 * them with its NUL, so that equal bytes of different kinds have different hashes. A NULL
 * key gives a plain checksum. */
void secret_hash(struct secret_hash *out, const struct secret_key *key, const char *domain,
                 struct span bytes);

enum {
    SECRET_SEALED_MAX_BYTES = 512,
    SECRET_SEAL_BYTES =
        24 + 16, /* what a sealed text is longer than the text: nonce and tag */
};

/* A text that was encrypted with the installation's key. */
struct sealed {
    uint8_t bytes[SECRET_SEALED_MAX_BYTES];
    size_t len; /* 0: none */
};

/* Seals text, of at most SECRET_SEALED_MAX_BYTES - SECRET_SEAL_BYTES, by libsodium's
 * secretbox under a key that is derived from key and domain. */
void secret_seal(struct sealed *out, const struct secret_key *key, const char *domain,
                 struct span text);

/* Opens it: writes the text to out, which has room for sealed->len bytes, and its length.
 * STATUS_INVALID: it was sealed with another key or domain, or changed. */
enum status secret_open(char *out, size_t *len, const struct secret_key *key,
                        const char *domain, const struct sealed *sealed);

/* Sets memory to zero; the compiler does not optimize it away. */
void secret_wipe(void *memory, size_t size);

/* Reads the key file: exactly 32 bytes, a regular file that neither group nor others may
 * read or write. why says what to do otherwise (STATUS_NOT_FOUND, STATUS_INVALID,
 * STATUS_IO). */
enum status secret_key_load(struct secret_key *out, const char *path, struct problem *why);

/* Makes a new key file with mode 0600 and writes it through to the disk; STATUS_EXISTS
 * where a file is already. When root makes it, it gets this owner (NULL: root). */
enum status secret_key_create(const char *path, const struct acting *owner,
                              struct problem *why);

#endif
