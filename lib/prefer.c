#include "lib/prefer.h"

#include <strings.h>

static const char blanks[] = " \t";

static bool is_one_of(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static struct span trimmed(struct span text)
{
    while (text.len > 0 && is_one_of(blanks, text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_one_of(blanks, text.data[text.len - 1]))
        text.len--;
    return text;
}

/* Takes what stands before the first separator that is not in quotes, or all, off *rest,
 * with the separator. False: nothing is left. */
static bool take(struct span *out, struct span *rest, char separator)
{
    bool quoted = false;
    size_t len = 0;

    if (rest->len == 0)
        return false;
    for (; len < rest->len && (quoted || rest->data[len] != separator); len++) {
        if (quoted && rest->data[len] == '\\' && len + 1 < rest->len)
            len++;
        else if (rest->data[len] == '"')
            quoted = !quoted;
    }
    *out = trimmed((struct span){rest->data, len});
    len += len < rest->len;
    *rest = (struct span){rest->data + len, rest->len - len};
    return true;
}

static bool matches(struct span text, const char *wanted)
{
    return text.len == strlen(wanted) && strncasecmp(text.data, wanted, text.len) == 0;
}

/* The same for a token or a quoted string, in which a backslash quotes the next character
 * (RFC 9110 5.6.4). */
static bool matches_word(struct span text, const char *wanted)
{
    if (text.len < 2 || text.data[0] != '"' || text.data[text.len - 1] != '"')
        return matches(text, wanted);
    for (size_t i = 1; i < text.len - 1; i++) {
        i += text.data[i] == '\\';
        if (*wanted == '\0' || strncasecmp(&text.data[i], wanted, 1) != 0)
            return false;
        wanted++;
    }
    return *wanted == '\0';
}

bool prefer_has(struct span header, const char *name, const char *value)
{
    struct span preference, pair, word;

    while (take(&preference, &header, ',')) {
        if (!take(&pair, &preference, ';') || !take(&word, &pair, '='))
            continue;
        if (matches(word, name))
            return matches_word(trimmed(pair), value);
    }
    return false;
}
