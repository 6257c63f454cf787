/*
 * What the nouns apikey and devkey share: rows to print, and the verbs list, show, rotate
 * and revoke.
 */
#ifndef APP_CTL_KEYS_H
#define APP_CTL_KEYS_H

#include "app/ctl/ctl.h"
#include "app/manage/manage_key.h"

/* A key as it is printed. */
struct keys_row {
    struct key key;
    const struct uuid *org_id;  /* of a list of all organizations; NULL: not shown */
    struct span secret;         /* empty: not known */
    struct output_blocks allow; /* of a developer key */
    int64_t former_until_ms;    /* 0: no former secret works */
};

/* Columns that both nouns have. */
#define KEY_CREATED_COLUMN                                                                 \
    .member = "created_at", .heading = "CREATED", .type = COLUMN_DATE,                     \
    OUTPUT_FIELD(keys_row, key.created_at_ms), .rank = 7
#define KEY_USED_COLUMN                                                                    \
    .member = "last_used_at", .heading = "LAST USED", .type = COLUMN_DATE,                 \
    OUTPUT_FIELD(keys_row, key.last_used_at_ms), .rank = 5
#define KEY_USED_FROM_COLUMN                                                               \
    .member = "last_used_from", .heading = "LAST USED FROM", .type = COLUMN_ADDRESS,       \
    OUTPUT_FIELD(keys_row, key.last_used_from), .rank = 8
#define KEY_FORMER_COLUMN                                                                  \
    .member = "former_secret_until", .heading = "FORMER SECRET UNTIL",                     \
    .type = COLUMN_DATE, OUTPUT_FIELD(keys_row, former_until_ms), .rank = 9
#define KEY_REVOKED_COLUMN                                                                 \
    .member = "revoked_at", .heading = "REVOKED", .type = COLUMN_DATE,                     \
    OUTPUT_FIELD(keys_row, key.life.revoked_at_ms), .rank = 3

/* A noun for one kind of keys. */
struct keys_noun {
    const struct noun *noun;
    enum credential_kind kind;
    const char *word;             /* for a sentence */
    const struct column *columns; /* of a struct keys_row */
};

extern const struct keys_noun keys_apikey, keys_devkey;

/* Parameters of the verbs that are the same for both nouns. */
extern const struct parameter keys_rotate_parameters[], keys_only_id[];
extern const char keys_list_more[], keys_rotate_more[];

/* The row of the parameter that names a key. */
#define PARAMETER_KEY                                                                      \
    .name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED, .help = "the key's id"

/* Prints the key of that id, without its secret. */
enum status keys_show_one(struct ctl *ctl, const struct uuid *id);

/* Prints a key that was just issued, with its secret, and says that it is shown once. */
enum status keys_show_issued(struct ctl *ctl, const struct key_result *result);

/* A page of the list, of keys as the filter says. */
enum status keys_list(struct ctl *ctl, const struct key_filter *filter);

/* The verbs; which noun is in ctl->args. */
enum status keys_show(struct ctl *ctl);
enum status keys_prepare_rotate(struct ctl *ctl);
enum status keys_rotate(struct ctl *ctl);
enum status keys_revoke(struct ctl *ctl);

#endif
