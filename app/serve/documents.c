#include "app/serve/documents.h"

#include <stdlib.h>

#include "lib/etag.h"

struct documents {
    /* By the numbers of their calls; without content_type: not made yet. */
    struct reply_document made[CALLS_MAX];
    char etags[CALLS_MAX][ETAG_BYTES];
};

struct documents *documents_create(void)
{
    return calloc(1, sizeof(struct documents));
}

void documents_free(struct documents *documents)
{
    for (size_t i = 0; documents != NULL && i < CALLS_MAX; i++)
        free(documents->made[i].owned);
    free(documents);
}

static enum status make(struct reply_document *out, char etag[ETAG_BYTES],
                        const struct call *call, const struct settings *settings)
{
    struct reply_document document = {.content_type = NULL};
    enum status status = call->document(&document, settings);

    if (status != STATUS_OK)
        return status;
    etag_make(etag, document.bytes);
    document.etag = document.location == NULL ? etag : NULL;
    document.policy = call->policy;
    *out = document;
    return STATUS_OK;
}

static int status_of(const struct reply_document *document, struct span if_none_match)
{
    if (document->location != NULL)
        return 308;
    return etag_is_listed(if_none_match, document->etag) ? 304 : 200;
}

enum status documents_answer(struct reply *reply, struct documents *documents,
                             const struct call *call, const struct settings *settings,
                             struct span if_none_match)
{
    const uint32_t number = call_number(call);
    struct reply_document *made = &documents->made[number];
    enum status status = STATUS_OK;

    if (made->content_type == NULL)
        status = make(made, documents->etags[number], call, settings);
    if (status != STATUS_OK)
        return status;
    reply->document = *made;
    reply->http_status = status_of(made, if_none_match);
    return STATUS_OK;
}
