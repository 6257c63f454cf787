#include "app/manage/import.h"

#include <string.h>

#include "app/store/member.h"
#include "lib/casefold.h"
#include "lib/clock.h"
#include "lib/utf8.h"

enum {
    SHOWN_BYTES = 80, /* of a text in a sentence */
};

static int shown(struct span text)
{
    return (int)(text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
}

/* The members with an e-mail address. */
struct search {
    struct span folded;
    int active, all;
    struct uuid active_id, id; /* of the last one */
};

static enum status compare(void *arg, const struct member *member)
{
    struct search *search = arg;
    char bytes[CASEFOLD_GROWTH * IMPORT_MEMBER_BYTES];

    if (member->email.len == 0 || member->email.len > IMPORT_MEMBER_BYTES)
        return STATUS_OK;
    const size_t len = casefold(bytes, member->email);
    if (len == SIZE_MAX)
        return STATUS_NO_MEMORY;
    if (!span_equals((struct span){bytes, len}, search->folded))
        return STATUS_OK;
    search->all++;
    search->id = member->id;
    search->active += member->active;
    if (member->active)
        search->active_id = member->id;
    return STATUS_OK;
}

static enum status find_by_email(struct uuid *out, struct db *db, const struct uuid *org_id,
                                 struct span text, struct problem *why)
{
    char bytes[CASEFOLD_GROWTH * IMPORT_MEMBER_BYTES];
    const size_t len = casefold(bytes, text);
    struct search search = {.folded = {bytes, len}};

    if (len == SIZE_MAX)
        return STATUS_NO_MEMORY;
    enum status status = member_list(db, org_id, NULL, compare, &search);
    if (status != STATUS_OK)
        return status;
    *out = search.active == 1 ? search.active_id : search.id;
    if (search.active == 1 || search.all == 1)
        return STATUS_OK;
    return problem_set(why, STATUS_REFUSED,
                       "%s member of the organization has the e-mail "
                       "address %.*s",
                       search.all == 0 ? "no" : "more than one", shown(text), text.data);
}

static enum status take_org(void *arg, const struct member *member)
{
    *(struct uuid *)arg = member->org_id;
    return STATUS_OK;
}

static enum status find_by_id(const struct uuid *id, struct db *db,
                              const struct uuid *org_id, struct problem *why)
{
    struct uuid its_org;
    char text[UUID_TEXT_BYTES];
    enum status status = member_find(db, id, take_org, &its_org);

    if (status == STATUS_OK && uuid_equals(&its_org, org_id))
        return STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    uuid_format(id, text);
    return problem_set(why, STATUS_REFUSED, "there is no member %s in the organization",
                       text);
}

static size_t place_of(const struct uuid *org_id, struct span text)
{
    uint32_t hash = 2166136261; /* FNV-1a */

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619;
    return (hash ^ org_id->bytes[UUID_BYTES - 1]) % IMPORT_MEMBERS;
}

enum status import_find_member(struct uuid *out, struct import_members *members,
                               struct db *db, const struct uuid *org_id, struct span text,
                               struct problem *why)
{
    if (text.len > IMPORT_MEMBER_BYTES || !utf8_valid(text) ||
        memchr(text.data, '\0', text.len) != NULL)
        return problem_set(why, STATUS_REFUSED,
                           "must be the id or the e-mail address of a member");
    const size_t at = place_of(org_id, text);
    const struct span known = {members->places[at].text, members->places[at].len};
    if (span_equals(known, text) && uuid_equals(&members->places[at].org_id, org_id)) {
        *out = members->places[at].id;
        return STATUS_OK;
    }
    enum status status = uuid_parse(out, text) ? find_by_id(out, db, org_id, why)
                                               : find_by_email(out, db, org_id, text, why);
    if (status == STATUS_OK) {
        members->places[at].org_id = *org_id;
        members->places[at].id = *out;
        members->places[at].len = text.len;
        memcpy(members->places[at].text, text.data, text.len);
    }
    return status;
}

enum status import_read_date(int64_t *out_ms, struct span text, const char *name,
                             struct problem *why)
{
    if (clock_parse(out_ms, text) == STATUS_OK)
        return STATUS_OK;
    return problem_set(why, STATUS_REFUSED,
                       "%s: must be a date and time such as 2030-12-31T23:59:59Z, not %.*s",
                       name, shown(text), text.data);
}

enum status import_read_id(struct uuid *out, struct span text, const char *name,
                           struct problem *why)
{
    if (uuid_parse(out, text))
        return STATUS_OK;
    return problem_set(
        why, STATUS_REFUSED,
        "%s: %.*s is no id: one looks like 01890a5d-ac96-774b-bcce-b302099a8057", name,
        shown(text), text.data);
}
