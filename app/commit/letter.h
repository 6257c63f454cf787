/*
 * What worker and writer say to each other through a mailbox: a letter is a struct
 * note_command with the bytes of the note behind it, an answer is a struct letter_answer.
 * Both sides are processes of one program, so structs travel as they are.
 */
#ifndef APP_COMMIT_LETTER_H
#define APP_COMMIT_LETTER_H

#include "app/store/note_write.h"
#include "lib/mailbox.h"
#include "lib/span.h"
#include "lib/status.h"

struct letter_answer {
    enum status status; /* as committer_commit returns it */
    struct note_result result;
};

_Static_assert(sizeof(struct letter_answer) <= MAILBOX_ANSWER_BYTES, "answers must fit");

/* How long a letter can get whose note has up to max_note_bytes. */
size_t letter_max_bytes(size_t max_note_bytes);

/* Reads a letter; the command's content points into it. STATUS_INVALID when lengths do not
 * agree, a text in it has no end, or a field holds what no worker in order puts there. Who
 * sends it is not judged: that is for note_write. */
enum status letter_read(struct note_command *out, struct span letter);

#endif
