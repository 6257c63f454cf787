#include "app/commit/writer.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>

#include "app/commit/batch.h"
#include "app/commit/letter.h"
#include "lib/log.h"
#include "lib/signals.h"

enum {
    BATCH_MAX_ITEMS = 256,
    BATCH_MAX_BYTES = 4 * 1024 * 1024, /* of letters */
    GUARD_MS =
        1000, /* how often the database's files are checked while nothing is written */
    PROBE_LOCK_MS = 1000, /* a probe waits for other writers; less than who asks waits */
};

struct writer {
    struct mailboxes *boxes;
    struct pool_worker *self;
    struct batch *batch;
    int lock_timeout_ms;
    struct command_kinds kinds;
    bool (*outdated)(void);
    char *commands; /* COMMAND_MAX_BYTES for each item */
    struct batch_item items[BATCH_MAX_ITEMS];
    size_t letter_numbers[BATCH_MAX_ITEMS];
    size_t count;
    bool is_probed;      /* a probe is to be answered: */
    size_t probe_number; /* of its letter */
};

static void answer(struct writer *w, size_t number, enum status status,
                   const struct command_result *result)
{
    const struct letter_answer letter = {.status = status, .result = *result};

    mailboxes_answer(w->boxes, number, &letter, sizeof letter);
}

/* Of several probes, one is made. */
static void defer_probe(struct writer *w, size_t number)
{
    const struct command_result none = {.refusal = ERROR_NONE};

    if (w->is_probed)
        answer(w, w->probe_number, STATUS_BUSY, &none);
    w->is_probed = true;
    w->probe_number = number;
}

static void gather(struct writer *w)
{
    const size_t max_text_bytes = letter_max_text_bytes(w->boxes);
    size_t number, bytes = 0;
    struct span letter;

    w->count = 0;
    while (w->count < BATCH_MAX_ITEMS && bytes < BATCH_MAX_BYTES &&
           mailboxes_take(w->boxes, &number, &letter)) {
        struct batch_item *item = &w->items[w->count];
        struct command *command = (void *)(w->commands + w->count * COMMAND_MAX_BYTES);

        if (letter_is_probe(letter)) {
            defer_probe(w, number);
            continue;
        }
        *item = (struct batch_item){.command = command};
        if (letter_read(command, &w->kinds, letter, max_text_bytes) != STATUS_OK) {
            LOG(LEVEL_ERROR, "letter_unreadable", LOG_NUMBER("number", (int64_t)number));
            answer(w, number, STATUS_INTERNAL, &item->result);
            continue;
        }
        w->letter_numbers[w->count++] = number;
        bytes += letter.len;
    }
}

/* False when it is unknown whether the batch was stored: then this process must end. */
static bool commit_batch(struct writer *w)
{
    bool certain = true;

    batch_commit(w->batch, w->items, w->count, w->lock_timeout_ms);
    for (size_t i = 0; i < w->count; i++) {
        certain = certain && w->items[i].status != STATUS_UNKNOWN;
        answer(w, w->letter_numbers[i], w->items[i].status, &w->items[i].result);
    }
    mailboxes_tell(w->boxes);
    batch_tidy(w->batch);
    return certain;
}

/* After the commands, which do not wait for it. False: as commit_batch. */
static bool answer_probe(struct writer *w)
{
    const struct command_result none = {.refusal = ERROR_NONE};

    if (!w->is_probed)
        return true;
    bool is_short = w->lock_timeout_ms < PROBE_LOCK_MS;
    enum status status =
        batch_probe(w->batch, is_short ? w->lock_timeout_ms : PROBE_LOCK_MS);
    answer(w, w->probe_number, status, &none);
    mailboxes_tell(w->boxes);
    w->is_probed = false;
    return status != STATUS_UNKNOWN;
}

/* Carries out what was gathered. False: as commit_batch. */
static bool work(struct writer *w)
{
    pool_busy(w->self);
    bool certain = (w->count == 0 || commit_batch(w)) && answer_probe(w);
    pool_idle(w->self);
    return certain;
}

static int loop(struct writer *w)
{
    for (;;) {
        enum pool_order order = pool_order(w->self);

        (void)batch_guard(w->batch);
        /* letters in the boxes are left to the next writer, whose sandbox allows the new
         * database */
        if (!batch_is_open(w->batch) && w->outdated())
            return EXIT_SUCCESS;
        gather(w);
        if (w->count > 0 || w->is_probed) {
            if (!work(w))
                return EX_IOERR;
        } else if (order != POOL_GO_ON) {
            return EXIT_SUCCESS;
        } else {
            (void)mailboxes_wait(w->boxes, GUARD_MS, pool_master_gone_fd(w->self),
                                 signals_waiting_mask());
        }
    }
}

/* The next batch needs the memory that the last one freed: returning it to the kernel each
 * time costs more than it saves. */
static void keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
    (void)mallopt(M_MMAP_THRESHOLD, 4 << 20);
}

static enum status open_writer(struct writer *w, const struct writer_context *context)
{
    w->boxes = context->boxes;
    w->lock_timeout_ms = context->lock_timeout_ms;
    w->kinds = *context->kinds;
    w->outdated = context->outdated;
    w->commands = calloc(BATCH_MAX_ITEMS, COMMAND_MAX_BYTES);
    w->batch = batch_create(context->database_path, context->kinds, context->meter);
    return w->commands != NULL && w->batch != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

int writer_run(const struct writer_context *context, struct pool_worker *self)
{
    struct writer *w = calloc(1, sizeof *w);
    int exit_status = EX_OSERR;

    if (w == NULL)
        return exit_status;
    keep_memory();
    w->self = self;
    if (open_writer(w, context) == STATUS_OK) {
        mailboxes_recover(w->boxes);
        batch_open(w->batch); /* what is in the WAL can only be saved by a connection */
        pool_ready(self);
        exit_status = loop(w);
    }
    batch_free(w->batch);
    free(w->commands);
    free(w);
    return exit_status;
}
