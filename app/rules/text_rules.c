#include "app/rules/text_rules.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/utf8.h"

/* Text is valid UTF-8. */
static bool has_controls(struct span text)
{
    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = utf8_decode(text, &c);

        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return true;
        text = (struct span){text.data + len, text.len - len};
    }
    return false;
}

static enum status check(struct span text, size_t max_bytes, struct problem *why)
{
    if (text.len > max_bytes)
        return problem_set(why, STATUS_INVALID, "must have at most %zu bytes, not %zu",
                           max_bytes, text.len);
    if (!utf8_valid(text))
        return problem_set(why, STATUS_INVALID, "must be UTF-8");
    if (has_controls(text))
        return problem_set(why, STATUS_INVALID, "must not hold control characters");
    if (utf8_blank(text))
        return problem_set(why, STATUS_INVALID, "must not be empty or blank");
    return STATUS_OK;
}

enum status text_rules_name(struct span text, struct problem *why)
{
    return check(text, NAME_MAX_BYTES, why);
}

enum status text_rules_phone(struct span text, struct problem *why)
{
    return check(text, PHONE_MAX_BYTES, why);
}

enum status text_rules_website(struct span text, struct problem *why)
{
    return check(text, WEBSITE_MAX_BYTES, why);
}

enum status text_rules_email(struct span text, struct problem *why)
{
    enum status status = check(text, EMAIL_MAX_BYTES, why);

    if (status != STATUS_OK)
        return status;
    const char *end = text.data + text.len;
    const char *at = memchr(text.data, '@', text.len);
    bool one_inside = at != NULL && at > text.data && at + 1 < end &&
                      memchr(at + 1, '@', (size_t)(end - at - 1)) == NULL;
    if (!one_inside || memchr(text.data, ' ', text.len) != NULL)
        return problem_set(why, STATUS_INVALID, "must look like name@example.com");
    return STATUS_OK;
}
