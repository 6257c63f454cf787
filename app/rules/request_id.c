#include "app/rules/request_id.h"

#include <string.h>

#include "app/rules/command.h"

bool request_id_is_acceptable(struct span id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";

    if (id.len < 1 || id.len >= REQUEST_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (memchr(allowed, id.data[i], sizeof allowed - 1) == NULL)
            return false;
    return true;
}
