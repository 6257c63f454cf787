#include "app/manage/note_import.h"

#include <string.h>

#include "app/manage/manage.h"
#include "app/store/key.h"
#include "app/store/note_write.h"
#include "lib/utf8.h"

/* What a note has that came by no request. */
static const struct span no_request = SPAN("import");

/* A row as it is understood. */
struct meaning {
    struct note note;
    struct uuid org_id;
    int64_t contact; /* its number */
    int64_t number;  /* of the note; 0: it is not there yet */
};

static enum status check_content(const struct note_import *import, struct span content,
                                 struct problem *why)
{
    if (content.len > import->max_note_bytes)
        return problem_set(why, STATUS_REFUSED, "note_content: has over %zu bytes",
                           import->max_note_bytes);
    if (!utf8_valid(content) || memchr(content.data, '\0', content.len) != NULL)
        return problem_set(why, STATUS_REFUSED,
                           "note_content: must be UTF-8 without U+0000");
    if (utf8_blank(content))
        return problem_set(why, STATUS_REFUSED, "note_content: must not be empty or blank");
    return STATUS_OK;
}

static enum status find_contact(struct meaning *out, const struct note_import *import,
                                const struct note_row *row, struct problem *why)
{
    enum status status =
        note_place_find_contact(&out->contact, &out->org_id, import->db, &row->contact_id);

    if (status == STATUS_NOT_FOUND) {
        (void)manage_missing(status, "contact", &row->contact_id, why);
        return STATUS_REFUSED;
    }
    if (status == STATUS_OK && import->org_id != NULL &&
        !uuid_equals(import->org_id, &out->org_id))
        return problem_set(why, STATUS_REFUSED,
                           "contact_id: is a contact of another organization");
    return status;
}

static enum status find_member(struct uuid *out, struct note_import *import,
                               const struct meaning *meaning, struct span text,
                               const char *name, struct problem *why)
{
    enum status status =
        import_find_member(out, &import->members, import->db, &meaning->org_id, text, why);

    if (status == STATUS_REFUSED)
        problem_prefix(why, "%s", name);
    return status;
}

/* The id of a note whose row has none: a hash of what the row says, with its time. */
static void make_content_id(struct uuid *out, const struct meaning *meaning,
                            const struct note_row *row)
{
    struct {
        struct uuid contact_id, author_id;
        struct secret_hash content;
        int64_t created_at_ms;
    } said = {.created_at_ms = row->created_at_ms};
    struct secret_hash hash;

    said.contact_id = row->contact_id;
    said.author_id = meaning->note.author_id;
    secret_hash(&said.content, NULL, "imported content", row->content);
    secret_hash(&hash, NULL, "imported note",
                (struct span){(const char *)&said, sizeof said});
    if (row->created_at_ms >= 0)
        uuid_of_bytes_at(out, hash.bytes, row->created_at_ms);
    else
        uuid_of_bytes(out, hash.bytes);
}

/* Everything but the developer key. */
static void fill_note(struct note *out, const struct note_import *import,
                      const struct note_row *row)
{
    const int64_t now_ms = import->now_ms;

    out->contact_id = row->contact_id;
    out->content = row->content;
    out->editable = row->editable > 0;
    out->visible = row->visible > 0;
    out->version = row->version > 0 ? row->version : 1;
    out->created_at_ms = row->created_at_ms != IMPORT_NO_DATE ? row->created_at_ms : now_ms;
    out->written_at_ms = row->updated_at_ms != IMPORT_NO_DATE ? row->updated_at_ms
                         : out->version == 1                  ? out->created_at_ms
                                                              : now_ms;
    if (row->has_origin)
        out->origin = row->origin;
    if (out->origin.request_id.len == 0)
        out->origin.request_id = no_request;
}

static enum status read_row(struct meaning *out, struct note_import *import,
                            const struct note_row *row, struct problem *why)
{
    *out = (struct meaning){.number = 0};
    enum status status = find_contact(out, import, row, why);
    if (status == STATUS_OK)
        status = check_content(import, row->content, why);
    if (status == STATUS_OK)
        status =
            find_member(&out->note.author_id, import, out, row->author, "note_author", why);
    if (status == STATUS_OK && row->written_by.len > 0)
        status = find_member(&out->note.written_by, import, out, row->written_by,
                             "written_by", why);
    else
        out->note.written_by = out->note.author_id;
    if (status != STATUS_OK)
        return status;
    fill_note(&out->note, import, row);
    if (row->has_id)
        out->note.id = row->id;
    else
        make_content_id(&out->note.id, out, row);
    status = note_place_find(&out->number, import->db, &out->note.id);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The version of a note that a row is compared with. */
struct comparison {
    const struct note_row *row;
    const struct note *wanted;
    int64_t present;        /* the note's present version */
    const char *difference; /* NULL: they are the same, or not compared */
    bool found;
};

static bool is_other_origin(const struct note_row *row, const struct note_origin *there)
{
    const struct note_origin *origin = &row->origin;

    if (!row->has_origin)
        return false;
    return !span_equals(origin->country, there->country) ||
           !span_equals(origin->city, there->city) ||
           !span_equals(origin->network, there->network) ||
           (origin->request_id.len > 0 &&
            !span_equals(origin->request_id, there->request_id)) ||
           memcmp(&origin->address, &there->address, sizeof there->address) != 0 ||
           (row->has_devkey &&
            !uuid_equals(&origin->developer_key_id, &there->developer_key_id));
}

static const char *difference(const struct comparison *c, const struct note *there)
{
    const struct note_row *row = c->row;

    if (!uuid_equals(&there->contact_id, &c->wanted->contact_id))
        return "contact_id";
    if (!uuid_equals(&there->author_id, &c->wanted->author_id))
        return "note_author";
    if (!uuid_equals(&there->written_by, &c->wanted->written_by))
        return "written_by";
    if (!span_equals(there->content, row->content))
        return "note_content";
    if (row->editable >= 0 && row->editable != there->editable)
        return "note_editable";
    if (row->visible >= 0 && row->visible != there->visible)
        return "note_visibility";
    if (row->created_at_ms != IMPORT_NO_DATE && row->created_at_ms != there->created_at_ms)
        return "created_at";
    if (row->updated_at_ms != IMPORT_NO_DATE && row->updated_at_ms != there->written_at_ms)
        return "updated_at";
    return is_other_origin(row, &there->origin) ? "origin" : NULL;
}

static enum status compare(void *arg, const struct note *there)
{
    struct comparison *c = arg;

    c->present = there->version;
    if (there->version == c->wanted->version) {
        c->found = true;
        c->difference = difference(c, there);
    } else if (!uuid_equals(&there->contact_id, &c->wanted->contact_id)) {
        c->difference = "contact_id";
    } else if (!uuid_equals(&there->author_id, &c->wanted->author_id)) {
        c->difference = "note_author";
    }
    return STATUS_OK;
}

static enum status take_org(void *arg, const struct key *key)
{
    *(struct uuid *)arg = key->org_id;
    return STATUS_OK;
}

/* Adds a developer key that nobody can use. */
static enum status add_devkey(struct note_import *import, const struct uuid *id,
                              const struct uuid *org_id)
{
    const struct key key = {
        .kind = CREDENTIAL_DEVELOPER_SECRET,
        .id = *id,
        .org_id = *org_id,
        .name = no_request,
        .created_at_ms = import->now_ms,
    };
    struct secret_hash hash;
    bool revoked;

    if (import->dry)
        return STATUS_OK;
    secret_random(hash.bytes, sizeof hash.bytes);
    enum status status = key_add(import->db, &key, &hash);
    return status == STATUS_OK
               ? key_revoke(import->db, &revoked, key.kind, id, import->now_ms)
               : status;
}

/* The key of an organization's notes that came by none. */
static void make_devkey_id(struct uuid *out, const struct uuid *org_id)
{
    struct secret_hash hash;

    secret_hash(&hash, NULL, "imported notes' key",
                (struct span){(const char *)org_id->bytes, UUID_BYTES});
    uuid_of_bytes(out, hash.bytes);
}

/* Gives the note its developer key, which exists then. */
static enum status set_devkey(struct note_import *import, struct meaning *meaning,
                              const struct note_row *row, struct problem *why)
{
    struct uuid *id = &meaning->note.origin.developer_key_id, org_id;

    if (!row->has_devkey && import->devkey != NULL)
        *id = *import->devkey;
    else if (!row->has_devkey)
        make_devkey_id(id, &meaning->org_id);
    if (uuid_equals(id, &import->known_devkey) &&
        uuid_equals(&meaning->org_id, &import->known_org))
        return STATUS_OK;
    enum status status =
        key_find(import->db, CREDENTIAL_DEVELOPER_SECRET, id, take_org, &org_id);
    if (status == STATUS_NOT_FOUND)
        status = add_devkey(import, id, &meaning->org_id);
    else if (status == STATUS_OK && !uuid_equals(&org_id, &meaning->org_id))
        return problem_set(why, STATUS_REFUSED,
                           "devkey_id: is a developer key of another organization");
    if (status == STATUS_OK && !import->dry) {
        import->known_devkey = *id;
        import->known_org = meaning->org_id;
    }
    return status;
}

/* What is to be done with a version of a note that is there. */
static enum status judge_version(enum import_outcome *out, struct note_import *import,
                                 const struct meaning *meaning, const struct note_row *row,
                                 struct problem *why)
{
    struct comparison c = {.row = row, .wanted = &meaning->note};
    enum status status =
        note_history(import->db, &meaning->note.id, &note_operator, compare, &c);

    if (status != STATUS_OK)
        return status;
    if (c.difference != NULL)
        return problem_set(why, STATUS_REFUSED,
                           "the note is there already, with another %s", c.difference);
    *out = c.found ? IMPORT_UNCHANGED : IMPORT_UPDATED;
    if (c.found)
        return STATUS_OK;
    if (uuid_equals(&import->refused, &meaning->note.id))
        return problem_set(why, STATUS_REFUSED, "the version before was refused");
    return meaning->note.version == c.present + 1
               ? STATUS_OK
               : problem_set(why, STATUS_REFUSED, "version %lld must come first",
                             (long long)c.present + 1);
}

static enum status judge_and_write(enum import_outcome *out, struct note_import *import,
                                   struct meaning *meaning, const struct note_row *row,
                                   struct problem *why)
{
    enum status status = STATUS_OK;

    *out = meaning->note.version == 1 ? IMPORT_ADDED : IMPORT_UPDATED;
    if (meaning->number != 0)
        status = judge_version(out, import, meaning, row, why);
    else if (meaning->note.version != 1 && !import->dry)
        return problem_set(why, STATUS_REFUSED, "version 1 must come first");
    if (status != STATUS_OK || *out == IMPORT_UNCHANGED)
        return status;
    status = set_devkey(import, meaning, row, why);
    if (status != STATUS_OK || import->dry)
        return status;
    return meaning->number == 0
               ? note_place_add(&import->place, import->db, meaning->contact,
                                &meaning->org_id, &meaning->note)
               : note_add_version(import->db, meaning->number, &meaning->note);
}

enum status note_import_row(enum import_outcome *out, struct note_import *import,
                            const struct note_row *row, struct problem *why)
{
    struct meaning meaning;
    enum status status = read_row(&meaning, import, row, why);

    if (status == STATUS_OK)
        status = judge_and_write(out, import, &meaning, row, why);
    if (status != STATUS_REFUSED) {
        import->refused = (struct uuid){{ 0 }};
        return status;
    }
    import->refused = row->has_id ? row->id : (struct uuid){{ 0 }};
    *out = IMPORT_REFUSED;
    return STATUS_OK;
}
