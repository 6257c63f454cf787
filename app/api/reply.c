#include "app/api/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "app/api/error.h"

void reply_fail(struct reply *reply, enum error error)
{
    const struct error_text *text = error_text(error);

    reply->error = error;
    reply->http_status = reply->strict ? text->strict_status : text->http_status;
    reply->code = text->code;
    reply->message_count = 0;
}

void reply_add_message(struct reply *reply, const char *message)
{
    assert(reply->message_count < REPLY_MESSAGES_MAX);
    reply->messages[reply->message_count++] = message;
}

void reply_allow(struct reply *reply, const char *method)
{
    size_t used = strlen(reply->allow);
    bool is_get = strcmp(method, "GET") == 0;

    (void)snprintf(reply->allow + used, sizeof reply->allow - used, "%s%s%s",
                   used > 0 ? ", " : "", method, is_get ? ", HEAD" : "");
}
