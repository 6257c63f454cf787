#include "app/serve/client_address.h"

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

struct address client_address(struct span remote_addr, struct span forwarded_for,
                              const struct config_blocks *trusted)
{
    struct address address;
    struct span list = forwarded_for.data != NULL ? forwarded_for : span_of("");
    bool first = true;

    (void)address_parse(&address, remote_addr);
    while (is_trusted(trusted, &address) && (first || list.len > 0)) {
        (void)address_parse(&address, take_last(&list));
        first = false;
    }
    return address;
}
