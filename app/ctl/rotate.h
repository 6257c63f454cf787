/*
 * Replacing the secret of a key, as "apikey rotate" and "devkey rotate" share it.
 *
 * The former secret works for the grace time. Whoever rotates once more meanwhile takes
 * nothing away from those who still have it: each former secret keeps its time, unless the
 * new grace time is over before. So --grace 0 ends all of them.
 */
#ifndef APP_CTL_ROTATE_H
#define APP_CTL_ROTATE_H

#include "app/ctl/ctl.h"

/* What matters of the key, as it was before. */
struct rotation {
    const char *noun; /* "apikey" or "devkey" */
    const struct uuid *id;
    int64_t expires_at_ms;   /* 0: never */
    int64_t revoked_at_ms;   /* 0: live */
    int64_t former_until_ms; /* as in struct key_life */
};

extern const struct parameter rotate_parameters[];
extern const char rotate_help_more[];

/* STATUS_REFUSED for a key that is dead, and ctl->why says what to do. */
enum status rotate_check(struct ctl *ctl, const struct rotation *rotation);

/* Until when the former secret is to work, in milliseconds; 0: it ends at once. */
int64_t rotate_former_until(const struct ctl *ctl, const struct rotation *rotation);

/* Remarks on former secrets, and that the new one is shown only once. */
void rotate_remark(struct ctl *ctl, const struct rotation *rotation);

/* The date to show: until when a former secret works; 0: none does. */
int64_t rotate_shown_until(const struct ctl *ctl, int64_t former_until_ms,
                           int64_t revoked_at_ms);

#endif
