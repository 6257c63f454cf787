#include "app/ctl/issue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Reads byte by byte, so that no buffer of the standard library keeps a copy. The text may
 * become one byte longer than a key may be; credential_check() then says so. */
static enum status read_line(struct ctl *ctl)
{
    struct ctl_issue *issue = &ctl->issue;
    char c = '\0';

    while (issue->len < sizeof issue->text && c != '\n') {
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return problem_set(&ctl->why, STATUS_IO, "cannot read standard input: %s",
                               strerror(errno));
        if (got == 0)
            break;
        if (c != '\n')
            issue->text[issue->len++] = c;
    }
    if (c == '\n' && issue->len > 0 && issue->text[issue->len - 1] == '\r')
        issue->len--;
    return STATUS_OK;
}

static enum status take_from_stdin(struct ctl *ctl)
{
    enum status status = read_line(ctl);

    if (status == STATUS_OK)
        status =
            credential_check((struct span){ctl->issue.text, ctl->issue.len}, &ctl->why);
    if (status == STATUS_INVALID)
        problem_prefix(&ctl->why, "standard input");
    return status;
}

static enum status load_key(struct ctl *ctl, struct secret_key *key)
{
    enum status status = secret_key_load(key, ctl->settings->secret_key_file, &ctl->why);

    if (status == STATUS_NOT_FOUND) {
        size_t used = strlen(ctl->why.text);
        (void)snprintf(ctl->why.text + used, sizeof ctl->why.text - used,
                       ": run 'crmnotesctl db migrate'");
    }
    return status == STATUS_NOT_FOUND || status == STATUS_INVALID ? STATUS_CONFIG : status;
}

enum status issue_prepare(struct ctl *ctl, enum credential_kind kind)
{
    struct secret_key key;
    enum status status = load_key(ctl, &key);

    if (status == STATUS_OK) {
        if (ctl_get(ctl, "--stdin")->given) {
            status = take_from_stdin(ctl);
        } else {
            credential_make(ctl->issue.text, kind);
            ctl->issue.len = strlen(ctl->issue.text);
        }
        credential_hash(&ctl->issue.hash, &key, kind,
                        (struct span){ctl->issue.text, ctl->issue.len});
        ctl->issue.mark =
            key_mark_of(&key, ctl->settings->secret_key_file, ctl->settings->database);
    }
    secret_wipe(&key, sizeof key);
    return status;
}

enum status issue_begin(struct ctl *ctl)
{
    return key_mark_settle(ctl->db, NULL, &ctl->issue.mark, ctl->now_ms, &ctl->why);
}

void issue_remark_for_people(struct ctl *ctl)
{
    if (!ctl->args->json)
        ctl_remark(ctl, "This is shown only once.");
}

void issue_shows_once(struct ctl *ctl, const char *noun, const struct uuid *id)
{
    char text[UUID_TEXT_BYTES];

    issue_remark_for_people(ctl);
    uuid_format(id, text);
    (void)problem_set(
        &ctl->lost, STATUS_OK,
        "the key was issued but could not be shown: run 'crmnotesctl %s revoke "
        "%s' and issue another",
        noun, text);
}

enum status issue_result(struct ctl *ctl, enum status status)
{
    if (status != STATUS_EXISTS)
        return status;
    return problem_set(&ctl->why, status,
                       "this key is, or was, in the database already: use another");
}
