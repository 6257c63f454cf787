#include "app/manage/change.h"

#include <stdio.h>

#include "app/store/audit.h"

enum {
    WRITE_TIMEOUT_MS = 30000,
};

enum status change_begin(struct change *change)
{
    return db_write_begin(change->db, WRITE_TIMEOUT_MS);
}

void change_made(struct change *change, const char *action, const struct uuid *org_id,
                 const struct uuid *subject)
{
    change->made.done = true;
    change->made.has_org = org_id != NULL;
    change->made.has_subject = subject != NULL;
    (void)snprintf(change->made.action, sizeof change->made.action, "%s", action);
    if (org_id != NULL)
        change->made.org_id = *org_id;
    if (subject != NULL)
        change->made.subject = *subject;
}

static enum status add_audit_row(const struct change *change)
{
    struct audit audit = {
        .at_ms = change->now_ms,
        .actor = change->actor,
        .action = span_of(change->made.action),
        .org_id = change->made.has_org ? &change->made.org_id : NULL,
        .subject = change->made.has_subject ? &change->made.subject : NULL,
        .detail = change->detail,
    };

    uuid_make(&audit.id, change->now_ms);
    return audit_add(change->db, &audit);
}

enum status change_end(struct change *change, enum status status)
{
    if (status == STATUS_OK && change->made.done)
        status = add_audit_row(change);
    if (status != STATUS_OK || !change->made.done) {
        db_write_rollback(change->db);
        return status;
    }
    status = db_write_commit(change->db);
    db_tidy(change->db);
    return status;
}
