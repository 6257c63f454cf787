#include "autoconfig.h"

#include "app/store/schema.h"

#include <string.h>

enum {
    APPLICATION_ID = 0x43524D4E, /* "CRMN" */
};

struct migrations schema_ours(void)
{
    return (struct migrations){
        .list = schema_migrations,
        .count = schema_migrations_count,
        .application_id = APPLICATION_ID,
        .program_version = PACKAGE_VERSION,
    };
}

static void say_what_to_run(struct problem *why)
{
    (void)strncat(why->text, ": run 'crmnotesctl db migrate'",
                  sizeof why->text - strlen(why->text) - 1);
}

enum status schema_check(struct db *db, struct problem *why)
{
    struct migrations ours = schema_ours();
    enum status status = migrate_check(db, &ours, why);
    int version = 0;

    if (status == STATUS_SCHEMA &&
        migrate_version(db, &ours, &version, NULL) == STATUS_OK &&
        version < (int)ours.count)
        say_what_to_run(why);
    return status;
}

enum status schema_open(struct db **out, const char *location, enum db_mode mode,
                        struct problem *why)
{
    struct problem sentence = {""};
    enum status status = db_open(out, location, mode, &sentence);

    if (status == STATUS_NOT_FOUND || status == STATUS_SCHEMA)
        say_what_to_run(&sentence);
    if (status == STATUS_OK) {
        status = schema_check(*out, &sentence);
        if (status != STATUS_OK) {
            db_close(*out);
            *out = NULL;
        }
    }
    if (status != STATUS_OK)
        (void)problem_set(why, status, "%s", sentence.text);
    return status;
}
