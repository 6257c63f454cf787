/*
 * What worker and writer say to each other through a mailbox: a letter is the struct of a
 * command with the bytes of its texts behind it, in the order of its kind; an answer is a
 * struct letter_answer. Both sides are processes of one program, so structs travel as they
 * are.
 */
#ifndef APP_COMMIT_LETTER_H
#define APP_COMMIT_LETTER_H

#include "app/commit/command.h"
#include "lib/mailbox.h"
#include "lib/span.h"
#include "lib/status.h"

enum {
    LETTER_TEXTS_MAX = 16, /* of one kind */
};

struct letter_answer {
    enum status status; /* as in struct commit */
    struct command_result result;
};

_Static_assert(sizeof(struct letter_answer) <= MAILBOX_ANSWER_BYTES, "answers must fit");

/* How long a letter can get whose texts have up to max_text_bytes in all. */
size_t letter_max_bytes(size_t max_text_bytes);

/* Posts a command; as mailbox_post. */
enum status letter_post(struct mailboxes *boxes, size_t client, size_t box,
                        const struct command_kind *kind, const struct command *command);

/*
 * Reads a letter into *out, which has room for COMMAND_MAX_BYTES; its texts point into the
 * letter. STATUS_INVALID when there is no such kind, lengths do not agree, a text in it has
 * no end, or a field holds what no worker in order puts there. Whoever sends it is not
 * judged here: command_apply does that.
 */
enum status letter_read(struct command *out, const struct command_kinds *kinds,
                        struct span letter);

#endif
