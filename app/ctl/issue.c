#include "app/ctl/issue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A line of standard input. One byte more than a key may have, so that a longer line is
 * noticed. */
struct line {
    char text[CREDENTIAL_MAX_BYTES + 1];
    size_t len;
};

/* Reads byte by byte, because a buffer of the standard library would keep a copy of the
 * secret. */
static enum status read_line(struct line *line, struct problem *why)
{
    char c = '\0';

    line->len = 0;
    while (line->len < sizeof line->text && c != '\n') {
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return problem_set(why, STATUS_IO, "cannot read standard input: %s",
                               strerror(errno));
        if (got == 0)
            break;
        if (c != '\n')
            line->text[line->len++] = c;
    }
    if (c == '\n' && line->len > 0 && line->text[line->len - 1] == '\r')
        line->len--;
    return STATUS_OK;
}

static enum status take_from_stdin(struct key_secret *out, struct ctl *ctl,
                                   const struct key_source *source,
                                   enum credential_kind kind)
{
    struct line line;
    enum status status = read_line(&line, &ctl->why);

    if (status == STATUS_OK)
        status = key_secret_take(out, source, kind, (struct span){line.text, line.len},
                                 &ctl->why);
    if (status == STATUS_INVALID)
        problem_prefix(&ctl->why, "standard input");
    secret_wipe(&line, sizeof line);
    return status;
}

enum status issue_open_source(struct ctl *ctl, struct key_source *source)
{
    enum status status = key_source_open(source, ctl->settings->secret_key_file,
                                         ctl->settings->database, &ctl->why);

    if (status == STATUS_NOT_FOUND)
        ctl_advise(ctl, ": put it back; for a new database, run 'crmnotesctl db migrate'");
    return status == STATUS_NOT_FOUND || status == STATUS_INVALID ? STATUS_CONFIG : status;
}

enum status issue_prepare(struct ctl *ctl, enum credential_kind kind)
{
    struct key_source source;
    enum status status = issue_open_source(ctl, &source);

    if (status == STATUS_OK && ctl_get(ctl, "--stdin")->given)
        status = take_from_stdin(&ctl->secret, ctl, &source, kind);
    else if (status == STATUS_OK)
        key_secret_make(&ctl->secret, &source, kind);
    key_source_close(&source);
    return status;
}

enum status issue_prepare_handed_out(struct ctl *ctl)
{
    struct key_source source;

    if (!ctl_get(ctl, "--hands-out")->given)
        return STATUS_OK;
    enum status status = issue_open_source(ctl, &source);
    if (status == STATUS_OK)
        status = take_from_stdin(&ctl->handed_out, ctl, &source, CREDENTIAL_API_KEY);
    key_source_close(&source);
    return status;
}
