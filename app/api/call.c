#include "app/api/call.h"

#include "app/api/add_note.h"

static const struct call *const calls[] = {
    &add_note_call,
};

const struct call *call_find(struct span method, struct span path, struct reply *reply)
{
    const struct call *same_path = NULL;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!span_equals(path, span_of(calls[i]->path)))
            continue;
        if (span_equals(method, span_of(calls[i]->method)))
            return calls[i];
        same_path = calls[i];
    }
    reply_fail(reply,
               same_path != NULL ? ERROR_METHOD_NOT_ALLOWED : ERROR_UNKNOWN_ENDPOINT);
    reply->allow = same_path != NULL ? same_path->method : NULL;
    return NULL;
}
