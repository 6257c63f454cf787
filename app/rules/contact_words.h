/*
 * How contacts are found by what people know of them: their texts in the form in which
 * they are compared, and the comparison with a text that is looked for.
 *
 * Case does not matter (lib/casefold.h), and of telephone numbers only the digits. A text
 * is found in the name, first and last name, role label, both e-mail addresses, both
 * telephone numbers and the company's name: as a part of them if it has at least 3
 * characters, else as a whole.
 */
#ifndef APP_RULES_CONTACT_WORDS_H
#define APP_RULES_CONTACT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/contact_texts.h"
#include "lib/casefold.h"
#include "lib/uuid.h"

enum {
    CONTACT_WORDS_BYTES =
        CASEFOLD_GROWTH * (CONTACT_TEXTS_BYTES + NAME_MAX_BYTES) + CONTACT_TEXTS + 4,
    CONTACT_QUERY_MAX_BYTES = 256, /* of the text that is looked for */
    CONTACT_PART_CHARACTERS = 3,   /* from which on a part is enough */
};

/* How well a contact fits, the best first. */
enum contact_match {
    MATCH_EMAIL, /* a whole e-mail address */
    MATCH_PHONE, /* a whole telephone number */
    MATCH_NAME,  /* the whole name */
    MATCH_PART,  /* anything else */
    MATCH_NONE,
};

/* The texts in the form in which they are compared, see contact_words in
 * migrations/0006_contacts.sql. */
struct contact_words {
    size_t len;
    char bytes[CONTACT_WORDS_BYTES];
};

/* False: no memory. */
bool contact_words_make(struct contact_words *out, const struct span texts[CONTACT_TEXTS],
                        struct span entity_name);

/* A text that is looked for. */
struct contact_query {
    struct span part;   /* folded; empty: too short to be found as a part */
    struct span whole;  /* folded, without white space around it */
    struct span digits; /* empty: it is no telephone number */
    char bytes[CASEFOLD_GROWTH * CONTACT_QUERY_MAX_BYTES];
    char digit_bytes[CONTACT_QUERY_MAX_BYTES];
};

/* text has at most CONTACT_QUERY_MAX_BYTES. False: no memory. */
bool contact_query_make(struct contact_query *out, struct span text);

/* How well words (of struct contact_words) fit. */
enum contact_match contact_words_match(struct span words,
                                       const struct contact_query *query);

/* The number by which whole texts are found: a hash of the organization, of kind (one
 * of the first three of enum contact_match) and of the folded text or the digits. 0:
 * an empty text, which has none. */
int64_t contact_key(const struct uuid *org_id, enum contact_match kind, struct span text);

/* Calls each with all keys of words. */
void contact_words_keys(struct span words, const struct uuid *org_id,
                        void (*each)(void *arg, int64_t key), void *arg);

#endif
