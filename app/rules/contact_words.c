#include "app/rules/contact_words.h"

#include <assert.h>
#include <string.h>

#include "lib/secret.h"
#include "lib/utf8.h"

/* Texts hold no control characters. */
enum { AROUND_TEXT = '\1', AROUND_PHONE = '\2' };

/* The fields of words in their order, before the digits of the telephone numbers; the last
 * one is the company's name. */
static const enum contact_text folded_texts[] = {
    CONTACT_NAME,       CONTACT_FIRST_NAME,    CONTACT_LAST_NAME,
    CONTACT_ROLE_LABEL, CONTACT_PRIMARY_EMAIL, CONTACT_SECONDARY_EMAIL,
};
static const enum contact_text phones[] = {CONTACT_PRIMARY_PHONE, CONTACT_SECONDARY_PHONE};

enum {
    FOLDED_TEXTS = sizeof folded_texts / sizeof folded_texts[0],
    PHONES = sizeof phones / sizeof phones[0],
};

static void put(struct contact_words *out, char c)
{
    out->bytes[out->len++] = c;
}

static bool put_folded(struct contact_words *out, struct span text)
{
    size_t len = casefold(out->bytes + out->len, text);

    if (len == SIZE_MAX)
        return false;
    out->len += len;
    put(out, AROUND_TEXT);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_of(char *out, struct span text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        if (is_digit(text.data[i]))
            out[len++] = text.data[i];
    return len;
}

bool contact_words_make(struct contact_words *out, const struct span texts[CONTACT_TEXTS],
                        struct span entity_name)
{
    bool good = true;

    out->len = 0;
    put(out, AROUND_TEXT);
    for (size_t i = 0; i < FOLDED_TEXTS && good; i++)
        good = put_folded(out, texts[folded_texts[i]]);
    good = good && put_folded(out, entity_name);
    put(out, AROUND_PHONE);
    for (size_t i = 0; i < PHONES && good; i++) {
        out->len += digits_of(out->bytes + out->len, texts[phones[i]]);
        put(out, AROUND_PHONE);
    }
    return good;
}

static bool is_phone_mark(char c)
{
    return c != '\0' && strchr("+()-./ ", c) != NULL;
}

/* Telephone numbers are written with digits and these characters. */
static bool looks_like_phone(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]) && !is_phone_mark(text.data[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span trim(struct span text)
{
    while (text.len > 0 && is_space(text.data[0]))
        text = (struct span){text.data + 1, text.len - 1};
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

bool contact_query_make(struct contact_query *out, struct span text)
{
    assert(text.len <= CONTACT_QUERY_MAX_BYTES);
    size_t len = casefold(out->bytes, text);
    if (len == SIZE_MAX)
        return false;
    const struct span folded = {out->bytes, len};
    bool is_long = utf8_count(text) >= CONTACT_PART_CHARACTERS &&
                   utf8_count(folded) >= CONTACT_PART_CHARACTERS;
    out->part = is_long ? folded : (struct span){out->bytes, 0};
    out->whole = trim(folded);
    out->digits = (struct span){out->digit_bytes, 0};
    if (looks_like_phone(text))
        out->digits.len = digits_of(out->digit_bytes, text);
    return true;
}

/* Takes the text up to the next mark off the front of words, which begin with one. */
static struct span next_text(struct span *words, char mark)
{
    const char *begin = words->data + 1;
    const char *end = memchr(begin, mark, words->len - 1);

    assert(end != NULL);
    words->len -= (size_t)(end - words->data);
    words->data = end;
    return (struct span){begin, (size_t)(end - begin)};
}

static bool holds(struct span text, struct span part)
{
    return part.len > 0 && memmem(text.data, text.len, part.data, part.len) != NULL;
}

/* What is found in one text. */
static enum contact_match match_text(struct span text, struct span part, struct span whole,
                                     enum contact_match as_whole)
{
    if (whole.len > 0 && span_equals(text, whole))
        return as_whole;
    return holds(text, part) ? MATCH_PART : MATCH_NONE;
}

static enum contact_match better_of(enum contact_match a, enum contact_match b)
{
    return a < b ? a : b;
}

static enum contact_match kind_of(size_t field)
{
    if (field >= FOLDED_TEXTS)
        return MATCH_PART; /* the company's name */
    const enum contact_text text = folded_texts[field];
    bool is_email = text == CONTACT_PRIMARY_EMAIL || text == CONTACT_SECONDARY_EMAIL;
    return is_email ? MATCH_EMAIL : text == CONTACT_NAME ? MATCH_NAME : MATCH_PART;
}

/* The digits are looked for as a part where the text would be. */
static enum contact_match match_phones(struct span words, const struct contact_query *query)
{
    bool is_long = query->digits.len >= CONTACT_PART_CHARACTERS;
    const struct span part = is_long ? query->digits : (struct span){"", 0};
    enum contact_match best = MATCH_NONE;

    for (size_t i = 0; i < PHONES; i++)
        best = better_of(best, match_text(next_text(&words, AROUND_PHONE), part,
                                          query->digits, MATCH_PHONE));
    return best;
}

/* The part of words that begins with the first telephone number. */
static struct span phones_of(struct span words)
{
    const char *begin = memchr(words.data, AROUND_PHONE, words.len);

    assert(begin != NULL);
    return (struct span){begin, words.len - (size_t)(begin - words.data)};
}

enum contact_match contact_words_match(struct span words, const struct contact_query *query)
{
    enum contact_match best = match_phones(phones_of(words), query);

    for (size_t i = 0; i <= FOLDED_TEXTS; i++)
        best = better_of(best, match_text(next_text(&words, AROUND_TEXT), query->part,
                                          query->whole, kind_of(i)));
    return best;
}

int64_t contact_key(const struct uuid *org_id, enum contact_match kind, struct span text)
{
    char bytes[UUID_BYTES + 1 + CASEFOLD_GROWTH * CONTACT_QUERY_MAX_BYTES];
    struct secret_hash hash;
    uint64_t key = 0;

    if (text.len == 0)
        return 0;
    assert(text.len <= sizeof bytes - UUID_BYTES - 1);
    memcpy(bytes, org_id->bytes, UUID_BYTES);
    bytes[UUID_BYTES] = (char)kind;
    memcpy(bytes + UUID_BYTES + 1, text.data, text.len);
    secret_hash(&hash, NULL, "contact key",
                (struct span){bytes, UUID_BYTES + 1 + text.len});
    for (size_t i = 0; i < sizeof key; i++) /* the same on every processor */
        key = key << 8 | hash.bytes[i];
    return (int64_t)key;
}

void contact_words_keys(struct span words, const struct uuid *org_id,
                        void (*each)(void *arg, int64_t key), void *arg)
{
    struct span numbers = phones_of(words);

    for (size_t i = 0; i < FOLDED_TEXTS; i++) {
        const struct span text = next_text(&words, AROUND_TEXT);
        if (kind_of(i) != MATCH_PART && text.len > 0)
            each(arg, contact_key(org_id, kind_of(i), text));
    }
    for (size_t i = 0; i < PHONES; i++) {
        const struct span digits = next_text(&numbers, AROUND_PHONE);
        if (digits.len > 0)
            each(arg, contact_key(org_id, MATCH_PHONE, digits));
    }
}
