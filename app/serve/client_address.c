#include "app/serve/client_address.h"

#include <stdint.h>
#include <string.h>

static bool is_trusted(const struct config_blocks *trusted, const struct address *address)
{
    for (size_t i = 0; i < trusted->count; i++)
        if (cidr_contains(&trusted->list[i], address))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the last entry off the list, without the blanks around it. */
static struct span take_last(struct span *list)
{
    size_t comma = list->len;

    while (comma > 0 && list->data[comma - 1] != ',')
        comma--;
    struct span entry = {list->data + comma, list->len - comma};
    list->len = comma > 0 ? comma - 1 : 0;
    while (entry.len > 0 && is_blank(entry.data[entry.len - 1]))
        entry.len--;
    while (entry.len > 0 && is_blank(entry.data[0])) {
        entry.data++;
        entry.len--;
    }
    return entry;
}

/* Up to five digits; empty text is none. */
static bool is_port(struct span text)
{
    unsigned long port = 0;

    if (text.len < 1 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text.data[i] - '0');
    }
    return port <= UINT16_MAX;
}

/* The address in an entry that some proxies write with brackets or with the client's port;
 * other entries stay as they are. */
static struct span without_port(struct span entry)
{
    bool brackets = entry.len > 0 && entry.data[0] == '[';
    const char *end =
        entry.len > 0 ? memchr(entry.data, brackets ? ']' : ':', entry.len) : NULL;

    if (end == NULL)
        return entry;
    struct span address = {entry.data + brackets, (size_t)(end - entry.data) - brackets};
    struct span rest = {end + brackets, entry.len - (size_t)(end - entry.data) - brackets};
    bool has_colon = address.len > 0 && memchr(address.data, ':', address.len) != NULL;
    bool ends_well = (brackets && rest.len == 0) ||
                     (rest.len > 0 && rest.data[0] == ':' &&
                      is_port((struct span){rest.data + 1, rest.len - 1}));
    return brackets == has_colon && ends_well ? address : entry;
}

struct address client_address(struct span remote_addr, struct span forwarded_for,
                              const struct config_blocks *trusted)
{
    struct address address;
    struct span list = forwarded_for.data != NULL ? forwarded_for : span_of("");
    bool first = true;

    (void)address_parse(&address, remote_addr);
    while (is_trusted(trusted, &address) && (first || list.len > 0)) {
        (void)address_parse(&address, without_port(take_last(&list)));
        first = false;
    }
    return address;
}
