/*
 * The secret of a key that is about to be issued or rotated: its text, which is shown once,
 * and the hash that is stored.
 *
 * The hash is made with the installation's key file. The mark of that key file comes with
 * it, so that the use case can refuse a key file that the database was not made with.
 */
#ifndef APP_MANAGE_KEY_SECRET_H
#define APP_MANAGE_KEY_SECRET_H

#include "app/rules/credentials.h"
#include "app/store/key_mark.h"
#include "lib/secret.h"
#include "lib/span.h"
#include "lib/status.h"

/* The key file, loaded. Close it as soon as the secret is made. */
struct key_source {
    struct secret_key key;
    struct key_mark mark; /* borrows the names of key file and database */
};

/* Loads the key file, in a process of root with the rights of the user who could put a link
 * in its place (lib/acting.h): so one in a directory of root may be root's alone. Then acts
 * as the user of the database. STATUS_NOT_FOUND when there is none, and otherwise as
 * secret_key_load(). key_source_close() in any case. */
enum status key_source_open(struct key_source *out, const char *key_file,
                            const char *database, struct problem *why);

/* Wipes the key. */
void key_source_close(struct key_source *source);

/* Wipe it with secret_wipe() once its text was shown. */
struct key_secret {
    enum credential_kind kind;
    char text[CREDENTIAL_MAX_BYTES + 1]; /* len bytes, no NUL */
    size_t len;
    struct secret_hash hash;
    struct sealed sealed; /* of an API key: its text, for app/store/handed_out.h */
    struct key_mark mark; /* of the key file that it is hashed with */
};

/* A new one from the kernel's random source. */
void key_secret_make(struct key_secret *out, const struct key_source *source,
                     enum credential_kind kind);

/* One that was made elsewhere. STATUS_INVALID for a text that credential_check() refuses;
 * *out is then untouched. */
enum status key_secret_take(struct key_secret *out, const struct key_source *source,
                            enum credential_kind kind, struct span text,
                            struct problem *why);

/* Its text, as long as the secret is there. */
struct span key_secret_text(const struct key_secret *secret);

#endif
