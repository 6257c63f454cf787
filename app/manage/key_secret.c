#include "app/manage/key_secret.h"

#include <string.h>

#include "lib/acting.h"

enum status key_source_open(struct key_source *out, const char *key_file,
                            const char *database, struct problem *why)
{
    struct acting reader, user;

    acting_find(&reader, key_file);
    acting_find(&user, database);
    enum status status = acting_as(&reader, why);
    if (status == STATUS_OK)
        status = secret_key_load(&out->key, key_file, why);
    if (acting_as(&user, why) != STATUS_OK)
        status = STATUS_INTERNAL;
    if (status == STATUS_OK)
        out->mark = key_mark_of(&out->key, key_file, database);
    return status;
}

void key_source_close(struct key_source *source)
{
    secret_wipe(&source->key, sizeof source->key);
}

static void hash(struct key_secret *secret, const struct key_source *source)
{
    credential_hash(&secret->hash, &source->key, secret->kind, key_secret_text(secret));
    secret->mark = source->mark;
    if (secret->kind == CREDENTIAL_API_KEY)
        credential_seal(&secret->sealed, &source->key, key_secret_text(secret));
}

void key_secret_make(struct key_secret *out, const struct key_source *source,
                     enum credential_kind kind)
{
    *out = (struct key_secret){.kind = kind};
    credential_make(out->text, kind);
    out->len = strlen(out->text);
    hash(out, source);
}

enum status key_secret_take(struct key_secret *out, const struct key_source *source,
                            enum credential_kind kind, struct span text,
                            struct problem *why)
{
    enum status status = credential_check(text, why);

    if (status != STATUS_OK)
        return status;
    *out = (struct key_secret){.kind = kind, .len = text.len};
    memcpy(out->text, text.data, text.len);
    hash(out, source);
    return STATUS_OK;
}

struct span key_secret_text(const struct key_secret *secret)
{
    return (struct span){secret->text, secret->len};
}
