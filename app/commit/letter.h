/*
 * The messages between worker and writer in a mailbox. A letter is the struct of a command
 * followed by the bytes of its texts, in the order of its kind; an answer is a struct
 * letter_answer. Both processes run the same program, so structs are sent as they are.
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

/* The greatest length of a letter whose texts have up to max_text_bytes in all. */
size_t letter_max_bytes(size_t max_text_bytes);

/* What these mailboxes were made for by letter_max_bytes. */
size_t letter_max_text_bytes(const struct mailboxes *boxes);

/* Posts a command; as mailbox_post. */
enum status letter_post(struct mailboxes *boxes, size_t client, size_t box,
                        const struct command_kind *kind, const struct command *command);

/* Posts the question whether a command could be stored now, which batch_probe answers; as
 * mailbox_post. */
enum status letter_post_probe(struct mailboxes *boxes, size_t client, size_t box);

/* Whether a letter is such a question. */
bool letter_is_probe(struct span letter);

/*
 * Reads a letter into *out, which has room for COMMAND_MAX_BYTES; its texts point into the
 * letter. STATUS_INVALID: the kind does not exist, lengths do not agree, the texts have
 * more than max_text_bytes in all, one is no UTF-8 or holds U+0000, or a field holds a
 * value that a correct worker never puts there. Credentials are checked by command_apply.
 */
enum status letter_read(struct command *out, const struct command_kinds *kinds,
                        struct span letter, size_t max_text_bytes);

#endif
