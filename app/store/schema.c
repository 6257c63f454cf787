#include "autoconfig.h"

#include "app/store/schema.h"

#include <stdbool.h>

#include "app/store/contact.h"
#include "lib/clock.h"
#include "lib/db_alone.h"

enum {
    APPLICATION_ID = 0x43524D4E, /* "CRMN" */
    CHECK_MS = 1000, /* how often a process that serves checks the schema again */
    CONTACTS = 6,    /* the migration that made the index of contacts */
};

static enum status after_migration(struct db *db, int number)
{
    return number == CONTACTS ? contact_place_all(db) : STATUS_OK;
}

struct migrations schema_ours(void)
{
    return (struct migrations){
        .list = schema_migrations,
        .count = schema_migrations_count,
        .application_id = APPLICATION_ID,
        .program_version = PACKAGE_VERSION,
        .after = after_migration,
    };
}

static enum status advise(struct problem *why, enum status status, bool used, int version)
{
    static const char migrate[] = "run 'crmnotesctl db migrate'";
    static const char stop_first[] = "stop the service, then run 'crmnotesctl db migrate'";
    static const char put_back[] =
        "but a service is using it: was a file of it removed? Stop the service, then put "
        "it back, or restore a backup";
    const char *advice = !used ? migrate : version > 0 ? stop_first : put_back;

    if (why == NULL)
        return status;
    const struct problem sentence = *why;
    return problem_set(why, status, "%s: %s", sentence.text, advice);
}

enum status schema_advise(struct problem *why, enum status status, const char *location,
                          int version)
{
    return advise(why, status, db_is_used(location), version);
}

/* *behind: the schema is an earlier one, of *version. */
static enum status check(struct db *db, bool *behind, int *version, struct problem *why)
{
    struct migrations ours = schema_ours();
    enum status status = migrate_check(db, &ours, why);

    *behind = status == STATUS_SCHEMA &&
              migrate_version(db, &ours, version, NULL) == STATUS_OK &&
              *version < (int)ours.count;
    return status;
}

enum status schema_check(struct db *db, int64_t *checked_ms, struct problem *why)
{
    const int64_t now_ms = clock_monotonic_ms();
    bool behind = false;
    int version = 0;

    if (now_ms - *checked_ms < CHECK_MS)
        return STATUS_OK;
    *checked_ms = now_ms;
    enum status status = check(db, &behind, &version, why);

    return behind ? advise(why, status, true, version) : status;
}

/* earliest: the first version of the schema that will do. */
static enum status open_since(struct db **out, int earliest, int *version,
                              const char *location, enum db_mode mode, struct problem *why)
{
    struct problem sentence = {""};
    enum status status = db_open(out, location, mode, &sentence);
    bool behind = status == STATUS_NOT_FOUND || status == STATUS_SCHEMA;

    *version = status == STATUS_SCHEMA ? 1 : 0; /* only the mode is wrong */
    if (status == STATUS_OK) {
        status = check(*out, &behind, version, &sentence);
        if (behind && *version >= earliest)
            return STATUS_OK;
        if (status != STATUS_OK) {
            db_close(*out);
            *out = NULL;
        }
    }
    if (behind)
        (void)schema_advise(&sentence, status, location, *version);
    if (status != STATUS_OK)
        (void)problem_set(why, status, "%s", sentence.text);
    return status;
}

enum status schema_open(struct db **out, const char *location, enum db_mode mode,
                        struct problem *why)
{
    int version = 0;

    return open_since(out, (int)schema_migrations_count, &version, location, mode, why);
}

enum status schema_open_earlier(struct db **out, int *version, const char *location,
                                enum db_mode mode, struct problem *why)
{
    enum status status = open_since(out, 1, version, location, mode, why);

    if (status == STATUS_OK && *version == 0)
        *version = (int)schema_migrations_count;
    return status;
}
