#include "app/store/note.h"

#include "app/ctl/ctl.h"
#include "app/ctl/note.h"

enum {
    BEFORE_MS = 1000, /* clocks are set back a little now and then */
    AFTER_MS = 60 * 1000,
};

/* An id that the service made holds the time of the request, and so does that of a note
 * that the request created: only notes of that time are read. */
static enum status find_by_time(struct ctl *ctl, struct span request_id)
{
    struct note_range range;
    struct uuid id;
    int64_t ms;

    if (!uuid_parse(&id, request_id) || !uuid_time_ms(&ms, &id))
        return STATUS_OK;
    uuid_first_at(&range.first, ms - BEFORE_MS);
    uuid_last_at(&range.last, ms + AFTER_MS);
    return note_written_by(ctl->db, request_id, &range, &note_operator, note_print_version,
                           ctl->output);
}

static enum status find_among_all(struct ctl *ctl, struct span request_id)
{
    return note_written_by(ctl->db, request_id, NULL, &note_operator, note_print_version,
                           ctl->output);
}

static enum status show(struct ctl *ctl)
{
    struct span id = ctl_get(ctl, "REQUEST")->text;
    enum status status = STATUS_OK;

    if (!ctl_get(ctl, "--all")->given)
        status = find_by_time(ctl, id);
    if (status == STATUS_OK && output_count(ctl->output) == 0)
        status = find_among_all(ctl, id);
    if (status != STATUS_OK || output_count(ctl->output) > 0)
        return status;
    return problem_set(&ctl->why, STATUS_NOT_FOUND,
                       "no note was written by request %.*s: it was refused, repeated an "
                       "earlier one, or came to another database; the log says which",
                       (int)id.len, id.data);
}

static const struct verb verbs[] = {
    {.name = "show",
     .help = "Show the note that a request created or updated, as the request wrote it",
     .more =
         "What was created under an id that the service made is found at once. For an\n"
         "update, or an id that the caller chose, all notes are read, which takes seconds\n"
         "where there are millions. Writers are not held up.",
     .access = CTL_READ,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {.name = "REQUEST",
              .rule = argument_request_id,
              .need = PARAMETER_REQUIRED,
              .help = "X-Request-Id of the answer, request_id in the log"},
             {.name = "--all",
              .help = "read all notes in any case: callers may use an id several times"},
             {.name = NULL}},
     .run = show},
    {.name = NULL},
};

const struct noun noun_request = {"request", "Requests, and the notes that they wrote",
                                  verbs};
