#include "tests/fuzz/site.h"

#include <ftw.h>
#include <string.h>
#include <unistd.h>

#include "app/api/add_contacts_full.h"
#include "app/api/add_note.h"
#include "app/rules/credentials.h"
#include "app/store/contact.h"
#include "app/store/contact_write.h"
#include "app/store/key.h"
#include "app/store/key_mark.h"
#include "app/store/member.h"
#include "app/store/network.h"
#include "app/store/org.h"
#include "app/store/schema.h"
#include "lib/log.h"
#include "tests/fuzz/fuzz.h"

enum {
    NOW_MS = 1000000,
    VERSIONS_MAX = 200, /* before site_tidy has something to do */
    TIMEOUT_MS = 10000,
};

static const struct secret_key key = {"the key of a site for fuzzers.."};

static struct {
    char directory[256];
    char database[300];
    struct db *writing, *looking;
    bool soiled; /* contacts were written */
} site;

static struct uuid id(const char *text)
{
    struct uuid out;

    CHECK(uuid_parse(&out, span_of(text)));
    return out;
}

static void must(enum status status)
{
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s: %s\n", status_name(status), db_message(site.writing));
    CHECK(status == STATUS_OK);
}

static void add_org(const char *org)
{
    const struct org row = {.id = id(org), .name = span_of("organization")};

    must(org_add(site.writing, &row));
}

static void add_member(const char *org, const char *member)
{
    const struct member row = {
        .id = id(member), .org_id = id(org), .name = span_of("member"), .active = true};

    must(member_add(site.writing, &row));
}

static void add_contact(const char *org, const char *owner, const char *contact)
{
    struct contact row = {.id = id(contact),
                          .org_id = id(org),
                          .owner_id = id(owner),
                          .texts = {[CONTACT_NAME] = span_of("contact")}};

    must(contact_add(site.writing, &row));
}

static void add_api_key(void)
{
    const struct key row = {.kind = CREDENTIAL_API_KEY,
                            .id = {{4}},
                            .org_id = id(SITE_ORG),
                            .member_id = id(SITE_OWNER)};
    struct secret_hash hash;

    credential_hash(&hash, &key, CREDENTIAL_API_KEY, span_of(SITE_API_KEY));
    must(key_add(site.writing, &row, &hash));
}

static void add_secret(uint8_t number, const char *secret)
{
    const struct key row = {.kind = CREDENTIAL_DEVELOPER_SECRET,
                            .id = {{5, number}},
                            .org_id = id(SITE_ORG),
                            .name = span_of("developer")};
    struct secret_hash hash;

    credential_hash(&hash, &key, CREDENTIAL_DEVELOPER_SECRET, span_of(secret));
    must(key_add(site.writing, &row, &hash));
}

static void add_block(uint8_t number, const char *text)
{
    const struct uuid developer_key_id = {{5, number}}, org_id = id(SITE_ORG);
    struct cidr block;
    bool added;

    must(cidr_parse(&block, span_of(text), NULL));
    must(network_add(site.writing, &added, &developer_key_id, &org_id, &block, NOW_MS));
}

static void add_note(const char *member, const char *note, int editable, int visible)
{
    struct note_command command;
    struct command_result result;

    site_command(&command, span_of("a note"));
    command.member_id.uuid = id(member);
    command.common.new_id = id(note);
    command.editable = editable ? FLAG_ON : FLAG_OFF;
    command.visible = visible ? FLAG_ON : FLAG_OFF;
    must(command_apply(&result, add_note_call.command, site.writing, &command.common));
}

static void own(const char *member)
{
    const struct uuid contact_id = id(SITE_CONTACT);
    struct contact_copy copy;

    must(contact_find(site.writing, &contact_id, contact_keep, &copy));
    struct contact after = copy.contact;
    after.owner_id = id(member);
    after.updated_at_ms = NOW_MS;
    must(contact_update(site.writing, &after, &copy.contact));
}

static void add_notes(void)
{
    own(SITE_OTHER);
    add_note(SITE_OTHER, SITE_VISIBLE_NOTE, 0, 1);
    add_note(SITE_OTHER, SITE_EDITABLE_NOTE, 1, 1);
    add_note(SITE_OTHER, SITE_PRIVATE_NOTE, 1, 0);
    own(SITE_OWNER);
    add_note(SITE_OWNER, SITE_OWN_NOTE, 0, 0);
}

static void add_contacts(void)
{
    add_contact(SITE_ORG, SITE_OWNER, SITE_CONTACT);
    add_contact(SITE_FOREIGN_ORG, SITE_FOREIGN_MEMBER, SITE_FOREIGN_CONTACT);
}

static void fill(void)
{
    add_org(SITE_ORG);
    add_member(SITE_ORG, SITE_OWNER);
    add_member(SITE_ORG, SITE_OTHER);
    add_api_key();
    add_secret(1, SITE_SECRET);
    add_block(1, SITE_BLOCK);
    add_block(1, SITE_BLOCK_6);
    add_secret(2, SITE_SECOND_SECRET);
    add_block(2, SITE_SECOND_BLOCK);
    add_org(SITE_FOREIGN_ORG);
    add_member(SITE_FOREIGN_ORG, SITE_FOREIGN_MEMBER);
    add_contacts();
    add_notes();
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static void remove_directory(void)
{
    db_close(site.writing);
    db_close(site.looking);
    (void)nftw(site.directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_directory(void)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(site.directory, sizeof site.directory, "%s/crmnotes-fuzz-XXXXXX",
                   parent != NULL ? parent : "/dev/shm");
    CHECK(mkdtemp(site.directory) != NULL);
    (void)snprintf(site.database, sizeof site.database, "%s/db", site.directory);
    (void)atexit(remove_directory);
}

void site_make(void)
{
    const struct migrations ours = schema_ours();
    struct problem why;

    CHECK(secret_init() == STATUS_OK && db_init(NULL) == STATUS_OK);
    CHECK(log_open("/dev/null", "fuzz", &why) == STATUS_OK);
    make_directory();
    CHECK(db_open(&site.writing, site.database, DB_CREATE, &why) == STATUS_OK);
    must(migrate_apply(site.writing, &ours, NULL, &why));
    must(db_write_begin(site.writing, TIMEOUT_MS));
    fill();
    const struct key_mark mark = key_mark_of(&key, "key", site.database);
    must(key_mark_settle(site.writing, NULL, &mark, NOW_MS, &why));
    must(db_write_commit(site.writing));
    CHECK(schema_open(&site.looking, site.database, DB_READ, &why) == STATUS_OK);
}

const char *site_database(void)
{
    return site.database;
}

const struct secret_key *site_key(void)
{
    return &key;
}

static int64_t ask(const char *sql)
{
    struct db_rows rows;

    CHECK(db_query(site.looking, &rows, sql, NULL, 0) == STATUS_OK);
    int64_t number = db_int(&rows, 0);
    db_done(&rows);
    return number;
}

static int64_t versions(void)
{
    static const char count[] = "SELECT (SELECT count(*) FROM notes)"
                                " + (SELECT count(*) FROM note_revisions)";

    return ask(count);
}

struct site_count site_count(void)
{
    return (struct site_count){versions(), ask("SELECT count(*) FROM contacts")};
}

void site_check_written(const struct site_count *before, const struct command *command,
                        const struct command_result *result)
{
    const bool stored = result != NULL;
    const bool note = stored && command->kind == call_number(&add_note_call);
    const bool contact = stored && command->kind == call_number(&add_contacts_full_call);
    const struct site_count after = site_count();
    struct contact_result outcome = {.created = 0};

    if (contact)
        memcpy(&outcome, result->value, sizeof outcome);
    CHECK(after.versions - before->versions == note);
    CHECK(after.contacts - before->contacts == outcome.created);
    site.soiled = site.soiled || contact;
}

static bool is_tidy(void)
{
    static const char any_key[] = "SELECT EXISTS (SELECT 1 FROM idempotency_keys)";

    return !site.soiled && versions() < VERSIONS_MAX && !ask(any_key);
}

static void make_contacts_anew(void)
{
    must(db_script(site.writing,
                   "INSERT INTO contact_index (contact_index) VALUES ('delete-all');"
                   "DELETE FROM contact_keys; DELETE FROM contact_words;"
                   "DELETE FROM contacts; DELETE FROM entities"));
    add_contacts();
    site.soiled = false;
}

void site_tidy(void)
{
    if (is_tidy())
        return;
    must(db_write_begin(site.writing, TIMEOUT_MS));
    must(db_script(site.writing, "DELETE FROM idempotency_keys;"
                                 "DELETE FROM note_revisions; DELETE FROM last_notes;"
                                 "DELETE FROM notes;"
                                 "UPDATE api_keys SET last_used_at = NULL;"
                                 "UPDATE developer_keys SET last_used_at = NULL"));
    if (site.soiled)
        make_contacts_anew();
    add_notes();
    must(db_write_commit(site.writing));
}

static struct given_id given(const char *text)
{
    return (struct given_id){.given = true, .is_uuid = true, .uuid = id(text)};
}

static void fill_in_credentials(struct credentials *out)
{
    out->has_api_key = true;
    out->has_secret = true;
    credential_hash(&out->api_key, &key, CREDENTIAL_API_KEY, span_of(SITE_API_KEY));
    credential_hash(&out->secret, &key, CREDENTIAL_DEVELOPER_SECRET, span_of(SITE_SECRET));
    out->address = (struct address){ADDRESS_IPV4, {192, 0, 2, 1}};
}

static void fill_in(struct command *out, const struct call *call)
{
    out->kind = call_number(call);
    fill_in_credentials(&out->credentials);
    out->now_ms = NOW_MS;
    uuid_make(&out->new_id, NOW_MS);
}

void site_contact_command(struct contact_command *out)
{
    memset(out, 0, sizeof *out);
    fill_in(&out->common, &add_contacts_full_call);
    out->org_id = given(SITE_ORG);
    out->member_id = given(SITE_OWNER);
    out->mode = out->lookup_by = -1;
    for (int i = 0; i < CONTACT_TEXTS; i++)
        out->texts[i].given = true;
    out->entity_name.given = out->entity_website.given = true;
}

void site_command(struct note_command *out, struct span content)
{
    memset(out, 0, sizeof *out);
    fill_in(&out->common, &add_note_call);
    out->org_id = given(SITE_ORG);
    out->member_id = given(SITE_OWNER);
    out->contact_id = given(SITE_CONTACT);
    out->content = content;
}

void site_update(struct note_command *command)
{
    command->note_id = given(SITE_OWN_NOTE);
}

static bool is_hash_of(const struct secret_hash *hash, enum credential_kind kind,
                       const char *text)
{
    struct secret_hash right;

    credential_hash(&right, &key, kind, span_of(text));
    return memcmp(hash, &right, sizeof right) == 0;
}

static bool is_in(const struct address *address, const char *text)
{
    struct cidr block;

    must(cidr_parse(&block, span_of(text), NULL));
    return cidr_contains(&block, address);
}

bool site_may_read(const struct credentials *credentials)
{
    const struct address *from = &credentials->address;

    if (!credentials->has_secret)
        return false;
    if (is_hash_of(&credentials->secret, CREDENTIAL_DEVELOPER_SECRET, SITE_SECRET))
        return is_in(from, SITE_BLOCK) || is_in(from, SITE_BLOCK_6);
    return is_hash_of(&credentials->secret, CREDENTIAL_DEVELOPER_SECRET,
                      SITE_SECOND_SECRET) &&
           is_in(from, SITE_SECOND_BLOCK);
}

bool site_may_write(const struct credentials *credentials)
{
    return credentials->has_api_key &&
           is_hash_of(&credentials->api_key, CREDENTIAL_API_KEY, SITE_API_KEY) &&
           site_may_read(credentials);
}
