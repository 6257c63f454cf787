#include "app/api/fetch_identifiers.h"

#include <string.h>

#include "app/api/common_fields.h"
#include "app/store/handed_out.h"
#include "app/store/member.h"
#include "app/store/org.h"

enum {
    MEMBERS_MAX = 10000,
    MEMBERS_FIRST = 64, /* for how many there is room at first */
};

struct member_row {
    struct uuid id;
    struct span name;
};

struct answer {
    struct span api_key;
    struct uuid org_id;
    struct span org_name;
    struct field_list members; /* of struct member_row */
    struct field_list brands;  /* none */
};

static const struct field member[] = {
    {.name = "member_id",
     .type = FIELD_ID,
     .offset = offsetof(struct member_row, id),
     .description = "The member.",
     .example = EXAMPLE_MEMBER},
    {.name = "member_name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct member_row, name),
     .description = "The member's name.",
     .example = "\"Ada Lovelace\""},
};

static const struct field answer[] = {
    {.name = "api_key",
     .type = FIELD_TEXT,
     .nullable = true,
     .offset = offsetof(struct answer, api_key),
     .description =
         "The API key that the operator hands out with this developer key. null: "
         "ask the operator for one.",
     .example = "\"YOUR_API_KEY\""},
    {.name = "org_id",
     .type = FIELD_ID,
     .offset = offsetof(struct answer, org_id),
     .description = "Your organization.",
     .example = EXAMPLE_ORG},
    {.name = "org_name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct answer, org_name),
     .description = "Its name.",
     .example = "\"Example Ltd\""},
    {.name = "members",
     .type = FIELD_LIST,
     .offset = offsetof(struct answer, members),
     .fields = member,
     .field_count = sizeof member / sizeof member[0],
     .description = "Its active members by id, at most 10000."},
    {.name = "brands",
     .type = FIELD_LIST,
     .offset = offsetof(struct answer, brands),
     .description = "Empty: this server has no brands.",
     .example = "[]"},
};

/* A copy in the arena; data is NULL without memory. */
static struct span copy(struct arena *arena, struct span text)
{
    char *bytes = arena_alloc(arena, text.len);

    if (bytes != NULL && text.len > 0)
        memcpy(bytes, text.data, text.len);
    return (struct span){bytes, bytes != NULL ? text.len : 0};
}

/* What a row is kept in. */
struct keeper {
    struct answer *answer;
    struct arena *arena;
    struct member_row *rows;
    size_t count, room;
};

static enum status keep_org(void *arg, const struct org *org)
{
    struct keeper *keeper = arg;

    keeper->answer->org_id = org->id;
    keeper->answer->org_name = copy(keeper->arena, org->name);
    return keeper->answer->org_name.data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static bool make_room(struct keeper *keeper)
{
    const size_t room = keeper->room == 0 ? MEMBERS_FIRST : 2 * keeper->room;
    struct member_row *rows = arena_alloc(keeper->arena, room * sizeof *rows);

    if (rows == NULL)
        return false;
    if (keeper->count > 0)
        memcpy(rows, keeper->rows, keeper->count * sizeof *rows);
    keeper->rows = rows;
    keeper->room = room;
    return true;
}

static enum status keep_member(void *arg, const struct member *member_found)
{
    struct keeper *keeper = arg;

    if (!member_found->active)
        return STATUS_OK;
    if (keeper->count == MEMBERS_MAX)
        return STATUS_NOT_FOUND; /* ends the list */
    if (keeper->count == keeper->room && !make_room(keeper))
        return STATUS_NO_MEMORY;
    struct member_row *row = &keeper->rows[keeper->count++];
    row->id = member_found->id;
    row->name = copy(keeper->arena, member_found->name);
    return row->name.data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status keep_members(struct keeper *keeper, const struct reading *reading)
{
    enum status status =
        member_list(reading->db, &reading->caller->org_id, NULL, keep_member, keeper);

    keeper->answer->members =
        (struct field_list){keeper->rows, keeper->count, sizeof *keeper->rows};
    return status;
}

/* A text that cannot be opened was sealed with another key file, whose keys are all
 * void. */
static enum status open_api_key(struct answer *out, const struct reading *reading)
{
    struct sealed sealed;
    size_t len = 0;
    enum status status =
        handed_out_read(&sealed, reading->db, &reading->caller->developer_key_id);

    if (status != STATUS_OK || sealed.len == 0)
        return status;
    char *text = arena_alloc(reading->arena, sealed.len);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    if (credential_open(text, &len, reading->key, &sealed) == STATUS_OK)
        out->api_key = (struct span){text, len};
    return STATUS_OK;
}

static enum status fetch(void *answer_struct, enum error *refusal,
                         const struct reading *reading, const void *input)
{
    struct keeper keeper = {.answer = answer_struct, .arena = reading->arena};
    enum status status = org_find(reading->db, &reading->caller->org_id, keep_org, &keeper);

    *refusal = ERROR_NONE; /* whoever has the secret may know all this */
    (void)input;
    if (status == STATUS_OK)
        status = keep_members(&keeper, reading);
    return status == STATUS_OK ? open_api_key(answer_struct, reading) : status;
}

const struct call fetch_identifiers_call = {
    .method = "POST",
    .path = "/apis/v2/public/developers/fetchIdentifiers",
    .name = "fetchIdentifiers",
    .title = "Fetch Identifiers",
    .summary =
        "The ids that the other calls take, and the API key where the operator hands "
        "it out, for a developer secret alone.",
    .credentials = CREDENTIALS_SECRET,
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .answer_size = sizeof(struct answer),
    .read = fetch,
};
