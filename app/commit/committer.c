#include "app/commit/committer.h"

#include <stdlib.h>

#include "app/commit/batch.h"
#include "app/commit/letter.h"
#include "lib/clock.h"

struct committer {
    const struct committer_kind *kind;
    struct command_kinds kinds;
    struct batch *batch;     /* NULL unless it writes directly */
    struct mailboxes *boxes; /* NULL unless it uses mailboxes */
    size_t client;
};

struct committer_kind {
    void (*start)(struct committer *committer, size_t place, const struct command *command,
                  int timeout_ms, struct commit *commit);
    void (*look)(struct committer *committer, size_t place, struct commit *commit);
};

static void finish(struct commit *commit, enum status status)
{
    commit->done = true;
    commit->status = status;
}

static void start_directly(struct committer *committer, size_t place,
                           const struct command *command, int timeout_ms,
                           struct commit *commit)
{
    struct batch_item item = {.command = command};

    (void)place;
    batch_commit(committer->batch, &item, 1, timeout_ms);
    batch_tidy(committer->batch);
    commit->result = item.result;
    finish(commit, item.status);
}

static void look_at_nothing(struct committer *committer, size_t place,
                            struct commit *commit)
{
    (void)committer;
    (void)place;
    (void)commit;
}

static void post(struct committer *committer, size_t place, const struct command *command,
                 int timeout_ms, struct commit *commit)
{
    enum status status = letter_post(committer->boxes, committer->client, place,
                                     command_kind_of(&committer->kinds, command), command);

    commit->begin_by_ms = clock_monotonic_ms() + timeout_ms;
    commit->end_by_ms = commit->begin_by_ms + timeout_ms;
    if (status != STATUS_OK)
        finish(commit, status);
}

static enum mailbox_state check(struct committer *committer, size_t place,
                                const struct commit *commit, void *answer, size_t *len)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms >= commit->end_by_ms)
        return mailbox_give_up(committer->boxes, committer->client, place, answer, len);
    if (now_ms >= commit->begin_by_ms)
        return mailbox_withdraw(committer->boxes, committer->client, place, answer, len);
    return mailbox_check(committer->boxes, committer->client, place, answer, len);
}

/* Other processes can write into a mailbox. */
static bool is_sound(const struct letter_answer *letter, size_t len)
{
    return len == sizeof *letter && (unsigned)letter->status < STATUS_COUNT &&
           (unsigned)letter->result.refusal < ERROR_COUNT;
}

static void look_into_box(struct committer *committer, size_t place, struct commit *commit)
{
    union {
        struct letter_answer letter;
        char bytes[MAILBOX_ANSWER_BYTES];
    } answer;
    size_t len = 0;

    switch (check(committer, place, commit, &answer, &len)) {
    case MAILBOX_WAITING:
        break;
    case MAILBOX_ANSWERED:
        if (is_sound(&answer.letter, len))
            commit->result = answer.letter.result;
        finish(commit,
               is_sound(&answer.letter, len) ? answer.letter.status : STATUS_UNKNOWN);
        break;
    case MAILBOX_LOST:
        finish(commit, STATUS_UNKNOWN);
        break;
    case MAILBOX_WITHDRAWN:
        finish(commit, STATUS_BUSY);
        break;
    }
}

static const struct committer_kind direct = {start_directly, look_at_nothing};
static const struct committer_kind mailbox = {post, look_into_box};

struct committer *committer_create_direct(const char *database_path,
                                          const struct command_kinds *kinds,
                                          struct meter meter)
{
    struct committer *committer = calloc(1, sizeof *committer);

    if (committer == NULL)
        return NULL;
    committer->kind = &direct;
    committer->kinds = *kinds;
    committer->batch = batch_create(database_path, kinds, meter);
    if (committer->batch == NULL) {
        free(committer);
        return NULL;
    }
    batch_open(committer->batch);
    return committer;
}

struct committer *committer_create_mailbox(struct mailboxes *boxes, size_t client,
                                           const struct command_kinds *kinds)
{
    struct committer *committer = calloc(1, sizeof *committer);

    if (committer == NULL)
        return NULL;
    committer->kind = &mailbox;
    committer->kinds = *kinds;
    committer->boxes = boxes;
    committer->client = client;
    mailboxes_claim(boxes, client);
    return committer;
}

void committer_free(struct committer *committer)
{
    if (committer == NULL)
        return;
    batch_free(committer->batch);
    free(committer);
}

void committer_start(struct committer *committer, size_t place,
                     const struct command *command, int timeout_ms, struct commit *commit)
{
    *commit = (struct commit){.done = false};
    committer->kind->start(committer, place, command, timeout_ms, commit);
}

bool committer_guard(struct committer *committer)
{
    return committer->batch == NULL || batch_guard(committer->batch);
}

void committer_hurry(struct commit *commit, int64_t at_ms)
{
    if (commit->begin_by_ms > at_ms)
        commit->begin_by_ms = at_ms;
    if (commit->end_by_ms > at_ms)
        commit->end_by_ms = at_ms;
}

void committer_look(struct committer *committer, size_t place, struct commit *commit)
{
    if (!commit->done)
        committer->kind->look(committer, place, commit);
}
