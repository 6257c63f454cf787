#include "app/ctl/rotate.h"

#include "app/ctl/issue.h"
#include "lib/clock.h"

static const int64_t default_grace_ms = INT64_C(24) * 60 * 60 * 1000;

const struct parameter rotate_parameters[] = {
    {"ID", NULL, argument_uuid, PARAMETER_REQUIRED, .help = "the key's id"},
    {"--grace", "TIME", argument_duration, PARAMETER_OPTIONAL,
     .help = "how long the former one works, such as 90s, 30m, 24h (default), 7d; 0: not "
             "at all"},
    {"--stdin", NULL, NULL, PARAMETER_OPTIONAL,
     .help = "take one that was made elsewhere from the first line of standard input"},
    {.name = NULL},
};

const char rotate_help_more[] =
    "Both work until the time that is shown, and the service logs each use of the former\n"
    "one. Former ones of earlier rotations keep their time, or end with this one's if\n"
    "that is before: --grace 0 ends all of them.";

enum status rotate_check(struct ctl *ctl, const struct rotation *rotation)
{
    bool expired = rotation->expires_at_ms != 0 && rotation->expires_at_ms <= ctl->now_ms;

    if (rotation->revoked_at_ms == 0 && !expired)
        return STATUS_OK;
    return problem_set(&ctl->why, STATUS_REFUSED,
                       "the key is %s and stays so: issue another with '%s issue'",
                       expired ? "expired" : "revoked", rotation->noun);
}

static int64_t grace_ms(const struct ctl *ctl)
{
    const struct argument *grace = ctl_get(ctl, "--grace");

    return grace->given ? grace->duration_ms : default_grace_ms;
}

int64_t rotate_former_until(const struct ctl *ctl, const struct rotation *rotation)
{
    int64_t until_ms = ctl->now_ms + grace_ms(ctl);

    if (grace_ms(ctl) == 0)
        return 0;
    return rotation->expires_at_ms != 0 && rotation->expires_at_ms < until_ms
               ? rotation->expires_at_ms
               : until_ms;
}

static void remark_on_older(struct ctl *ctl, const struct rotation *rotation)
{
    char text[CLOCK_TEXT_BYTES];
    int64_t until_ms = rotate_former_until(ctl, rotation);

    if (rotation->former_until_ms <= ctl->now_ms)
        return;
    if (until_ms == 0) {
        ctl_remark(ctl, "Secrets of earlier rotations have ended, too");
        return;
    }
    clock_format(
        rotation->former_until_ms < until_ms ? rotation->former_until_ms : until_ms, text);
    ctl_remark(ctl, "Secrets of earlier rotations work until %s at the latest", text);
}

void rotate_remark(struct ctl *ctl, const struct rotation *rotation)
{
    char id[UUID_TEXT_BYTES];

    remark_on_older(ctl, rotation);
    issue_remark_for_people(ctl);
    uuid_format(rotation->id, id);
    (void)problem_set(&ctl->lost, STATUS_OK,
                      "the key has a new secret, but it could not be shown: run "
                      "'crmnotesctl %s rotate %s' again",
                      rotation->noun, id);
}

int64_t rotate_shown_until(const struct ctl *ctl, int64_t former_until_ms,
                           int64_t revoked_at_ms)
{
    return revoked_at_ms == 0 && former_until_ms > ctl->now_ms ? former_until_ms : 0;
}
