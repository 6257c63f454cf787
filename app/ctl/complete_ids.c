#include "app/ctl/complete_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/ctl/text.h"
#include "app/settings.h"
#include "app/store/key.h"
#include "app/store/member.h"
#include "app/store/org.h"
#include "app/store/schema.h"
#include "lib/acting.h"
#include "lib/casefold.h"
#include "lib/utf8.h"

enum {
    NAME_BYTES = 1024, /* longer ones are cut */
    FOLDED_BYTES = NAME_BYTES * CASEFOLD_GROWTH,
};

struct search {
    const struct complete_sought *sought;
    complete_found *found;
    void *arg;
    struct db *db;
    struct uuid org; /* whose they are */
    bool has_org;
    char folded[FOLDED_BYTES]; /* the word; it is no part of a name where it is too long */
    size_t folded_len;
    size_t read, count;
};

/* SIZE_MAX: it is no text that a name could have in it. */
static size_t fold(char out[FOLDED_BYTES], struct span text)
{
    return text.len < NAME_BYTES && utf8_valid(text) ? casefold(out, text) : SIZE_MAX;
}

/* Appends a text, which may be empty, to a C string of NAME_BYTES. */
static void append(char *name, const char *separator, struct span text)
{
    size_t used = strlen(name);

    if (text.len > 0)
        (void)snprintf(name + used, NAME_BYTES - used, "%s%.*s", used > 0 ? separator : "",
                       (int)text.len, text.data);
}

static bool matches(const struct search *s, const char *id, struct span name)
{
    char folded[FOLDED_BYTES];

    if (strncasecmp(id, s->sought->word, strlen(s->sought->word)) == 0)
        return true;
    size_t len = fold(folded, name);
    return s->folded_len != SIZE_MAX && len != SIZE_MAX &&
           memmem(folded, len, s->folded, s->folded_len) != NULL;
}

/* STATUS_NOT_FOUND, which ends a list, when it is enough. */
static enum status take(struct search *s, const struct uuid *id, struct span name,
                        const char *state)
{
    char text[UUID_TEXT_BYTES], shown[NAME_BYTES] = "";

    uuid_format(id, text);
    if (matches(s, text, name)) {
        append(shown, "", name);
        append(shown, " ", span_of(state));
        text_make_safe(shown);
        s->found(s->arg, text, shown);
        s->count++;
    }
    s->read++;
    return s->count == COMPLETE_MAX || s->read == COMPLETE_READ_MAX ? STATUS_NOT_FOUND
                                                                    : STATUS_OK;
}

static enum status take_org(void *arg, const struct org *org)
{
    return take(arg, &org->id, org->name, "");
}

static enum status take_member(void *arg, const struct member *member)
{
    return take(arg, &member->id, member->name, member->active ? "" : "(deactivated)");
}

static enum status take_members_of(void *arg, const struct org *org)
{
    struct search *s = arg;

    return member_list(s->db, &org->id, NULL, take_member, s);
}

static enum status add_member_name(void *arg, const struct member *member)
{
    append(arg, ", ", member->name);
    return STATUS_OK;
}

/* An API key has its label, which may be empty, and the name of its member. */
static enum status take_key(void *arg, const struct key *key)
{
    struct search *s = arg;
    char name[NAME_BYTES] = "";

    append(name, "", key->name);
    if (key->kind == CREDENTIAL_API_KEY)
        (void)member_find(s->db, &key->member_id, add_member_name, name);
    return take(s, &key->id, span_of(name),
                key->life.revoked_at_ms != 0 ? "(revoked)" : "");
}

static void list_orgs(struct search *s)
{
    (void)org_list(s->db, NULL, take_org, s);
}

static void list_members(struct search *s)
{
    if (s->has_org)
        (void)member_list(s->db, &s->org, NULL, take_member, s);
    else
        (void)org_list(s->db, NULL, take_members_of, s);
}

static void list_keys(struct search *s, enum credential_kind kind)
{
    const struct key_filter filter = {.org_id = s->has_org ? &s->org : NULL};

    (void)key_list(s->db, kind, &filter, NULL, take_key, s);
}

static void list_api_keys(struct search *s)
{
    list_keys(s, CREDENTIAL_API_KEY);
}

static void list_developer_keys(struct search *s)
{
    list_keys(s, CREDENTIAL_DEVELOPER_SECRET);
}

static const struct {
    const char *noun;
    void (*list)(struct search *s);
} lists[] = {
    {"org", list_orgs},
    {"member", list_members},
    {"apikey", list_api_keys},
    {"devkey", list_developer_keys},
};

static void search(struct search *s, const char *database)
{
    if (schema_open(&s->db, database, DB_READ, NULL) != STATUS_OK)
        return;
    if (db_read_begin(s->db) == STATUS_OK)
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
            if (strcmp(lists[i].noun, s->sought->noun) == 0)
                lists[i].list(s);
    db_read_end(s->db);
    db_close(s->db);
}

/* As the verbs do, root reads the database as the user whose it is. */
static void search_as_user(struct search *s, const struct settings *settings)
{
    struct acting user;

    acting_find(&user, settings->database);
    if (acting_as(&user, NULL) == STATUS_OK)
        search(s, settings->database);
    (void)acting_as_before(NULL);
}

void complete_ids(const struct complete_sought *sought, complete_found *found, void *arg)
{
    const struct settings_arguments given = {.config = sought->config,
                                             .database = sought->database};
    struct search s = {.sought = sought, .found = found, .arg = arg};

    if (db_init(NULL) != STATUS_OK)
        return;
    struct settings *settings = settings_create(&given, NULL);
    if (settings == NULL)
        return;
    s.folded_len = fold(s.folded, span_of(sought->word));
    s.has_org = sought->org != NULL && uuid_parse(&s.org, span_of(sought->org));
    search_as_user(&s, settings);
    free(settings);
}
