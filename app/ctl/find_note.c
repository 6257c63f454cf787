#include "app/ctl/find_note.h"

#include "app/ctl/note.h"
#include "app/store/note_search.h"

_Static_assert((int)ARGUMENT_WORDS_MAX == (int)NOTE_WORDS_MAX &&
                   (int)ARGUMENT_WORD_MAX_BYTES == (int)NOTE_WORD_MAX_BYTES,
               "the search takes the words of an argument");

#define CRITERION(option, shown, checked_by, says)                                         \
    {                                                                                      \
        .name = (option), .value = (shown), .rule = (checked_by), .need = PARAMETER_ANY,   \
        .help = (says)                                                                     \
    }

const struct parameter find_note_parameters[] = {
    CRITERION("--org", "ID", argument_uuid, "the organization"),
    CRITERION("--contact", "ID", argument_uuid, "the contact"),
    CRITERION("--author", "MEMBER", argument_uuid, "the member who made the note"),
    CRITERION("--request", "REQUEST", argument_request_id,
              "X-Request-Id of the answer, for the present version"),
    CRITERION("--since", "TIME", argument_past,
              "made from then on: 2030-12-31, 2030-12-31T23:59:59Z, or 90d for a time "
              "before now"),
    CRITERION("--until", "TIME", argument_past, "made until then, in the same forms"),
    {.name = "WORDS",
     .rule = argument_words,
     .need = PARAMETER_ANY,
     .many = true,
     .personal = true,
     .help = "parts of the text, all of which must occur"},
    {.name = "--member",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only what this member may see"},
    {PARAMETER_LIMIT},
    {PARAMETER_AFTER},
    {.name = NULL},
};

/* NULL: it was not given. */
static const struct uuid *given_id(const struct ctl *ctl, const char *parameter)
{
    const struct argument *argument = ctl_get(ctl, parameter);

    return argument->given ? &argument->uuid : NULL;
}

static int64_t given_time(const struct ctl *ctl, const char *parameter, int64_t without)
{
    const struct argument *argument = ctl_get(ctl, parameter);

    return argument->given ? argument->time_ms : without;
}

enum status find_note_run(struct ctl *ctl)
{
    const struct argument *words = ctl_get(ctl, "WORDS");
    const struct uuid *member = given_id(ctl, "--member");
    const struct note_viewer viewer =
        member != NULL ? (struct note_viewer){.member = member} : note_operator;
    struct note_criteria criteria = {
        .org_id = given_id(ctl, "--org"),
        .contact_id = given_id(ctl, "--contact"),
        .author_id = given_id(ctl, "--author"),
        .request_id = ctl_get(ctl, "--request")->text,
        .since_ms = given_time(ctl, "--since", note_search_from_ever),
        .until_ms = given_time(ctl, "--until", note_search_to_ever),
        .word_count = words->word_count,
        .after = ctl->after,
    };

    for (size_t i = 0; i < words->word_count; i++)
        criteria.words[i] = words->words[i];
    return manage_missing(note_search(ctl->db, &criteria, &viewer, note_print, ctl->output),
                          "note", ctl->after, &ctl->why);
}
