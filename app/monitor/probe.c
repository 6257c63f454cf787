#include "app/monitor/probe.h"

#include <string.h>

#include "app/commit/letter.h"

enum {
    BOX = 0,
};

void probe_begin(struct probe *p, struct mailboxes *boxes, size_t client)
{
    *p = (struct probe){.boxes = boxes, .client = client};
    mailboxes_claim(boxes, client);
}

static bool is_fresh(const struct probe *p, int64_t now_ms)
{
    return p->answered_ms != 0 && now_ms - p->answered_ms < PROBE_FRESH_MS;
}

static void settle(struct probe *p, enum status status, int64_t now_ms)
{
    p->waits = false;
    p->status = status;
    p->answered_ms = now_ms;
}

void probe_ask(struct probe *p, int64_t now_ms)
{
    if (p->waits || is_fresh(p, now_ms))
        return;
    p->asked_ms = now_ms;
    p->waits = letter_post_probe(p->boxes, p->client, BOX) == STATUS_OK;
    if (!p->waits) /* the writer still has the one that was given up */
        settle(p, STATUS_NOT_FOUND, now_ms);
}

bool probe_look(struct probe *p, int64_t now_ms)
{
    bool is_late = now_ms - p->asked_ms >= PROBE_PATIENCE_MS;
    char bytes[MAILBOX_ANSWER_BYTES];
    struct letter_answer answer;
    size_t len = 0;

    if (!p->waits)
        return true;
    enum mailbox_state state = is_late
                                   ? mailbox_give_up(p->boxes, p->client, BOX, bytes, &len)
                                   : mailbox_check(p->boxes, p->client, BOX, bytes, &len);
    if (state == MAILBOX_ANSWERED && len == sizeof answer) {
        memcpy(&answer, bytes, sizeof answer);
        settle(p, answer.status, now_ms);
    } else if (state != MAILBOX_WAITING) {
        settle(p, STATUS_NOT_FOUND, now_ms);
    }
    return !p->waits;
}

static bool serves(const struct pool_count *count)
{
    return count->idle + count->busy > 0;
}

static const char *reason_of(enum status status)
{
    switch (status) {
    case STATUS_NOT_FOUND:
        return "The writer does not answer.";
    case STATUS_BUSY:
        return "Another program holds the database's lock.";
    default:
        return "The database cannot be written; the log says why.";
    }
}

struct view_readiness probe_readiness(const struct probe *p,
                                      const struct pool_count *workers,
                                      const struct pool_count *writer, bool can_read)
{
    const char *reason = NULL;

    if (!serves(workers))
        reason = "No worker takes requests.";
    else if (!serves(writer))
        reason = "The writer is not running.";
    else if (!can_read)
        reason = "The database cannot be read; the log says why.";
    else if (p->answered_ms == 0)
        reason = "The writer has not been asked yet.";
    else if (p->status != STATUS_OK)
        reason = reason_of(p->status);
    return (struct view_readiness){.is_ready = reason == NULL, .reason = reason};
}
