/*
 * What the imports of contacts and of notes share: what becomes of a row of a file, and
 * the members whom rows name.
 */
#ifndef APP_MANAGE_IMPORT_H
#define APP_MANAGE_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/uuid.h"

enum import_outcome {
    IMPORT_ADDED,
    IMPORT_UPDATED,
    IMPORT_UNCHANGED, /* it was there already, as it is in the file */
    IMPORT_REFUSED,
    IMPORT_OUTCOMES, /* how many there are */
};

/* Of a date that a row does not give. */
#define IMPORT_NO_DATE INT64_MIN

enum {
    IMPORT_MEMBER_BYTES = 254, /* of the text that names a member */
    IMPORT_MEMBERS = 1024,     /* that are remembered; a power of two */
};

/* Members by the texts that name them. They are remembered for a whole import: a member
 * never leaves its organization. */
struct import_members {
    struct {
        struct uuid org_id;
        struct uuid id;
        size_t len; /* 0: a free place */
        char text[IMPORT_MEMBER_BYTES];
    } places[IMPORT_MEMBERS];
};

/*
 * Finds a member of the organization, active or not, by id or by e-mail address. Of several
 * with the same address the only active one is taken. STATUS_REFUSED with why: there is
 * none, or more than one.
 */
enum status import_find_member(struct uuid *out, struct import_members *members,
                               struct db *db, const struct uuid *org_id, struct span text,
                               struct problem *why);

/* Reads the cell or member of a date. STATUS_REFUSED with why, which begins with name. */
enum status import_read_date(int64_t *out_ms, struct span text, const char *name,
                             struct problem *why);

/* The same for an id. */
enum status import_read_id(struct uuid *out, struct span text, const char *name,
                           struct problem *why);

#endif
