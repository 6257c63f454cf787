#include "app/manage/manage.h"

#include "app/store/org.h"

enum status manage_missing(enum status status, const char *what, const struct uuid *id,
                           struct problem *why)
{
    char text[UUID_TEXT_BYTES];

    if (status != STATUS_NOT_FOUND)
        return status;
    uuid_format(id, text);
    return problem_set(why, status, "there is no %s %s", what, text);
}

enum status manage_require_org(struct db *db, const struct uuid *id, struct problem *why)
{
    return manage_missing(org_find(db, id, NULL, NULL), "organization", id, why);
}

enum status manage_check_text(enum status (*rule)(struct span text, struct problem *why),
                              struct span text, const char *field, struct problem *why)
{
    enum status status = rule(text, why);

    if (status != STATUS_OK)
        problem_prefix(why, "%s", field);
    return status;
}

enum status manage_check_optional(enum status (*rule)(struct span text,
                                                      struct problem *why),
                                  struct span text, const char *field, struct problem *why)
{
    return text.len == 0 ? STATUS_OK : manage_check_text(rule, text, field, why);
}

struct uuid manage_new_id(const struct uuid *given, int64_t now_ms)
{
    struct uuid id;

    if (given != NULL)
        return *given;
    uuid_make(&id, now_ms);
    return id;
}
