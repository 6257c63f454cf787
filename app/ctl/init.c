#include <string.h>

#include "app/ctl/allowed.h"
#include "app/ctl/ask.h"
#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/migration.h"
#include "app/manage/manage_setup.h"
#include "app/store/schema.h"
#include "lib/db_alone.h"
#include "lib/secret.h"

enum {
    URL_BYTES = CONFIG_TEXT_BYTES + 32, /* a path of the configuration, and a host */
    COMMAND_BYTES = 4096, /* an URL, two secrets, three ids, and what is around them */
};

/* The state of the command. */
struct init {
    struct new_setup input;
    struct setup made;
    struct key_secret api_key, developer_secret;
    char url[URL_BYTES];         /* of the service, without a slash at its end */
    char command[COMMAND_BYTES]; /* for curl, which adds a note */
};

struct init_row {
    struct setup made;
    struct span contact_name, api_key, developer_secret;
    struct output_blocks allow;
    struct span command; /* of JSON only; people get it in a line of its own */
};

static const struct column columns[] = {
    {.member = "org_id",
     .heading = "ORG ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(init_row, made.org.id)},
    {.member = "org_name",
     .heading = "ORG NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, made.org.name)},
    {.member = "member_id",
     .heading = "MEMBER ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(init_row, made.member.id)},
    {.member = "member_name",
     .heading = "MEMBER NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, made.member.name)},
    {.member = "member_email",
     .heading = "MEMBER EMAIL",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, made.member.email)},
    {.member = "contact_id",
     .heading = "CONTACT ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(init_row, made.contact_id)},
    {.member = "contact_name",
     .heading = "CONTACT NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, contact_name)},
    {.member = "apikey_id",
     .heading = "API KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(init_row, made.api_key.key.id)},
    {.member = "api_key",
     .heading = "API KEY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, api_key)},
    {.member = "devkey_id",
     .heading = "DEVELOPER KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(init_row, made.developer_key.key.id)},
    {.member = "developer_secret",
     .heading = "SECRET",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, developer_secret)},
    {.member = "allow",
     .heading = "ALLOW",
     .type = COLUMN_BLOCKS,
     OUTPUT_FIELD(init_row, allow)},
    {.member = "curl",
     .heading = "CURL",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(init_row, command),
     .optional = true},
    {.member = NULL},
};

/* Before anything is asked: whether there is something to set up. STATUS_OK also where
 * there is no database yet. */
static enum status look(struct ctl *ctl)
{
    struct db *db = NULL;
    enum status status = schema_open(&db, ctl->settings->database, DB_READ, &ctl->why);

    if (status == STATUS_NOT_FOUND) {
        ctl->why.text[0] = '\0';
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = db_read_begin(db);
    if (status == STATUS_OK)
        status = manage_setup_check(db, ctl_get(ctl, "--another")->given, &ctl->why);
    if (db != NULL)
        db_read_end(db);
    db_close(db);
    return status;
}

static enum status check_allow(struct ctl *ctl)
{
    return allowed_check(ctl, "--allow");
}

static void find_default_url(char out[URL_BYTES], const struct ctl *ctl)
{
    (void)snprintf(out, URL_BYTES, "http://localhost%s", ctl->settings->base_path);
}

/* Asks for all that was not given, if there is something that has to be asked for. */
static enum status ask(struct ctl *ctl, struct asked *asked)
{
    char actor[CTL_ACTOR_BYTES], url[URL_BYTES];
    const struct question questions[] = {
        {"--org", "Name of the organization", NULL, NULL},
        {"--member", "Name of a member", actor, NULL},
        {"--email", "Its e-mail address, or nothing", NULL, NULL},
        {"--contact", "Name of a contact of this member", "Test contact", NULL},
        {"--allow", "Networks from which notes may be sent", "127.0.0.1 ::1", check_allow},
        {"--url", "Where callers reach the service", url, NULL},
    };
    const bool asks = ask_is_needed(ctl->args);
    enum status status = STATUS_OK;

    ctl_find_actor(actor);
    find_default_url(url, ctl);
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (asks && status == STATUS_OK)
            status = ask_for(asked, ctl, &questions[i]);
    return status;
}

static enum status make_database(struct ctl *ctl)
{
    struct migration_run run = {
        .database = ctl->settings->database,
        .key_file = ctl->settings->secret_key_file,
    };
    enum status status = migration_apply(ctl, &run);

    ctl->change = (struct change){.db = NULL}; /* that of the migration is done */
    if (status == STATUS_OK)
        status = schema_open(&ctl->db, ctl->settings->database, DB_WRITE, &ctl->why);
    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

static enum status make_secrets(struct ctl *ctl, struct init *init)
{
    struct key_source source;
    enum status status = issue_open_source(ctl, &source);

    if (status == STATUS_OK) {
        key_secret_make(&init->api_key, &source, CREDENTIAL_API_KEY);
        key_secret_make(&init->developer_secret, &source, CREDENTIAL_DEVELOPER_SECRET);
    }
    key_source_close(&source);
    return status;
}

static void read_arguments(struct ctl *ctl, struct init *init)
{
    const struct argument *program = ctl_get(ctl, "--program");
    const struct argument *url = ctl_get(ctl, "--url");

    init->input = (struct new_setup){
        .org = ctl_get(ctl, "--org")->text,
        .member = ctl_get(ctl, "--member")->text,
        .email = ctl_get(ctl, "--email")->text,
        .contact = ctl_get(ctl, "--contact")->text,
        .program = program->given ? program->text : ctl_get(ctl, "--org")->text,
        .allow = allowed_named(ctl, "--allow"),
        .api_key = &init->api_key,
        .developer_secret = &init->developer_secret,
        .another = ctl_get(ctl, "--another")->given,
    };
    find_default_url(init->url, ctl);
    if (url->given)
        (void)snprintf(init->url, sizeof init->url, "%s", url->text.data);
    for (size_t len = strlen(init->url); len > 0 && init->url[len - 1] == '/'; len--)
        init->url[len - 1] = '\0';
}

/* Nothing in it needs quoting inside of quotes: argument_url allows no quote, and ids and
 * secrets have none. */
static void write_command(struct init *init)
{
    const struct setup *made = &init->made;
    char org[UUID_TEXT_BYTES], member[UUID_TEXT_BYTES], contact[UUID_TEXT_BYTES];
    const struct span api_key = key_secret_text(&init->api_key);
    const struct span secret = key_secret_text(&init->developer_secret);

    uuid_format(&made->org.id, org);
    uuid_format(&made->member.id, member);
    uuid_format(&made->contact_id, contact);
    (void)snprintf(init->command, sizeof init->command,
                   "curl '%s/apis/v2/public/crm/addNotestoContact'"
                   " -H 'Content-Type: application/json'"
                   " -d '{\"api_key\":\"%.*s\",\"developer_secret\":\"%.*s\","
                   "\"org_id\":\"%s\",\"member_id\":\"%s\",\"contact_id\":\"%s\","
                   "\"note\":\"Had a great demo call.\"}'",
                   init->url, (int)api_key.len, api_key.data, (int)secret.len, secret.data,
                   org, member, contact);
}

/* The text for people behind the record. */
static enum status show_command(struct ctl *ctl, const struct init *init)
{
    char text[COMMAND_BYTES + 64];
    int len = snprintf(text, sizeof text, "\nThis adds a note:\n\n%s\n", init->command);
    enum status status = output_set_closing(ctl->output, (struct span){text, (size_t)len});

    secret_wipe(text, sizeof text);
    return status;
}

static enum status show(struct ctl *ctl, const struct init *init)
{
    const struct init_row row = {
        .made = init->made,
        .contact_name = init->input.contact,
        .api_key = key_secret_text(&init->api_key),
        .developer_secret = key_secret_text(&init->developer_secret),
        .allow = {init->input.allow.list, init->input.allow.count},
        .command = span_of(ctl->args->json ? init->command : ""),
    };
    enum status status = output_row(ctl->output, columns, &row);

    return status == STATUS_OK ? show_command(ctl, init) : status;
}

/* Within the transaction, so that there is memory for the answer if the keys are there. */
static enum status set_up(struct ctl *ctl)
{
    struct init *init = ctl->init;
    enum status status = manage_setup(&init->made, &ctl->change, &init->input, &ctl->why);

    if (status != STATUS_OK)
        return status;
    write_command(init);
    return show(ctl, init);
}

static void remark(struct ctl *ctl, const struct init *init)
{
    char org[UUID_TEXT_BYTES], member[UUID_TEXT_BYTES];

    uuid_format(&init->made.org.id, org);
    uuid_format(&init->made.member.id, member);
    (void)problem_set(&ctl->lost, STATUS_OK,
                      "all was set up but could not be shown: issue other keys for "
                      "organization %s and member %s",
                      org, member);
    if (!ctl->args->json)
        ctl_remark(ctl, "Key and secret are shown only once.");
}

static enum status run_asked(struct ctl *ctl, struct asked *asked, struct init *init)
{
    enum status status = check_allow(ctl);

    if (status == STATUS_OK)
        status = ask(ctl, asked);
    if (status == STATUS_OK)
        status = make_database(ctl);
    if (status == STATUS_OK)
        status = make_secrets(ctl, init);
    if (status != STATUS_OK)
        return status;
    read_arguments(ctl, init);
    ctl->init = init;
    status = ctl_write(ctl, set_up);
    if (status == STATUS_OK)
        remark(ctl, init);
    return status;
}

/* All is asked for before the database is made: who gives up leaves nothing behind. */
static enum status run(struct ctl *ctl)
{
    const struct args *given = ctl->args;
    struct init init = {.input = {.another = false}};
    struct asked asked;
    enum status status = look(ctl);

    if (status == STATUS_EXISTS)
        ctl_advise(ctl, ": see 'crmnotesctl org list', or add --another");
    if (status != STATUS_OK)
        return status;
    ask_begin(&asked, ctl);
    status = run_asked(ctl, &asked, &init);
    secret_wipe(&init, sizeof init);
    ask_end(&asked, ctl, given);
    db_close(ctl->db);
    ctl->db = NULL;
    if (status == STATUS_OK)
        db_alone_complete(ctl->settings->database);
    return status;
}

#define ASKED "; asked for on a terminal"

static const struct verb verbs[] = {
    {.name = "",
     .help = "Set up an organization with a member, a contact and keys, and show how to "
             "add a note",
     .more =
         "Makes the database and the key file where there are none, as db migrate does. "
         "All is set\n"
         "up or nothing. On a terminal it asks for what is not given.",
     .access = CTL_ALONE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {.name = "--org",
              .value = "NAME",
              .rule = argument_name,
              .need = PARAMETER_ASKED,
              .help = "the organization" ASKED},
             {.name = "--member",
              .value = "NAME",
              .rule = argument_name,
              .need = PARAMETER_ASKED,
              .personal = true,
              .help = "a member of it" ASKED},
             {PARAMETER_EMAIL},
             {.name = "--contact",
              .value = "NAME",
              .rule = argument_name,
              .need = PARAMETER_ASKED,
              .personal = true,
              .help = "a contact of that member" ASKED},
             {.name = "--allow",
              .value = "CIDR",
              .rule = argument_blocks,
              .need = PARAMETER_ASKED,
              .many = true,
              .help = "the blocks from which the developer key may "
                      "be used" ASKED},
             {.name = "--allow-any",
              .help = "let --allow hold 0.0.0.0/0 or ::/0, that is, "
                      "every address"},
             {.name = "--program",
              .value = "NAME",
              .rule = argument_name,
              .personal = true,
              .help = "who uses the developer key; else as --org"},
             {.name = "--url",
              .value = "URL",
              .rule = argument_url,
              .help = "where callers reach the service; else "
                      "http://localhost"},
             {.name = "--another", .help = "do it though there are organizations already"},
             {.name = NULL}},
     .run = run},
    {.name = NULL},
};

const struct noun noun_init = {"init", "The first organization", verbs};
