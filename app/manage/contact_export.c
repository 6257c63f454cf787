#include "app/manage/contact_export.h"

#include "app/manage/manage.h"
#include "app/store/contact_index.h"
#include "lib/clock.h"

enum {
    PAGE_ROWS = 200,
};

enum status contact_export_begin(struct contact_export *out, struct db *db,
                                 const struct uuid *org_id, struct problem *why)
{
    *out = (struct contact_export){.db = db, .next = 1, .last = INT64_MAX};
    enum status status = db_read_begin(db);

    if (status == STATUS_OK && org_id != NULL)
        status = manage_require_org(db, org_id, why);
    if (status == STATUS_OK && org_id != NULL) {
        status = contact_index_range(&out->next, &out->last, db, org_id);
        if (status == STATUS_NOT_FOUND) { /* it has had no contact yet */
            out->last = 0;
            status = STATUS_OK;
        }
    }
    db_read_end(db);
    return status;
}

/* The callback that gets the contacts of a page. */
struct page {
    struct contact_export *export;
    int64_t count;
    contact_each *each;
    void *arg;
};

static enum status give(void *arg, const struct contact *contact)
{
    struct page *page = arg;

    page->count++;
    page->export->next = contact->place + 1;
    return page->each(page->arg, contact);
}

enum status contact_export_page(int64_t *count, struct contact_export *export,
                                contact_each *each, void *arg)
{
    struct page page = {.export = export, .each = each, .arg = arg};
    enum status status = db_read_begin(export->db);

    if (status == STATUS_OK)
        status = contact_list_places(export->db, export->next, export->last, PAGE_ROWS,
                                     give, &page);
    db_read_end(export->db);
    *count = page.count;
    return status;
}

static struct span put_id(char **at, const struct uuid *id)
{
    char *text = *at;

    uuid_format(id, text);
    *at += UUID_TEXT_BYTES;
    return (struct span){text, UUID_TEXT_BYTES - 1};
}

static struct span put_date(char **at, int64_t ms)
{
    char *text = *at;

    clock_format(ms, text);
    *at += CLOCK_TEXT_BYTES;
    return (struct span){text, CLOCK_TEXT_BYTES - 1};
}

void contact_export_cells(struct span out[CONTACT_FIELDS],
                          char texts[CONTACT_CELL_TEXTS_BYTES],
                          const struct contact *contact)
{
    char *at = texts;

    _Static_assert(3 * UUID_TEXT_BYTES + 2 * CLOCK_TEXT_BYTES <= CONTACT_CELL_TEXTS_BYTES,
                   "all of them have room");
    out[CONTACT_FIELD_ORG] = put_id(&at, &contact->org_id);
    out[CONTACT_FIELD_ID] = put_id(&at, &contact->id);
    out[CONTACT_FIELD_OWNER] = put_id(&at, &contact->owner_id);
    for (int i = 0; i < CONTACT_TEXTS; i++)
        out[CONTACT_FIELD_TEXTS + i] = contact->texts[i];
    out[CONTACT_FIELD_ENTITY_NAME] = contact->entity_name;
    out[CONTACT_FIELD_ENTITY_WEBSITE] = contact->entity_website;
    out[CONTACT_FIELD_CREATED] = put_date(&at, contact->created_at_ms);
    out[CONTACT_FIELD_UPDATED] = put_date(&at, contact->updated_at_ms);
}
