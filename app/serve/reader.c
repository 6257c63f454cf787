#include "app/serve/reader.h"

#include <stdlib.h>

#include "app/store/key_mark.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/log.h"

struct reader {
    const struct settings *settings;
    const struct secret_key *key;
    reader_outdated *outdated;
    struct db *db;      /* NULL: not open */
    int64_t checked_ms; /* when its schema was checked; monotonic */
    bool renewed;
    bool holds, begun; /* a transaction is to be shared; it was begun */
};

struct reader *reader_create(const struct settings *settings, const struct secret_key *key,
                             reader_outdated *outdated)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->settings = settings;
    reader->key = key;
    reader->outdated = outdated;
    return reader;
}

void reader_free(struct reader *reader)
{
    if (reader == NULL)
        return;
    db_close(reader->db);
    free(reader);
}

static void close_database(struct reader *reader)
{
    db_close(reader->db);
    reader->db = NULL;
    reader->begun = false;
}

void reader_leave_moved(struct reader *reader)
{
    if (reader->db == NULL)
        return;
    if (db_read_begin(reader->db) == STATUS_OK)
        db_read_end(reader->db);
    else
        close_database(reader);
}

/* With a wrong key file no key is found, which would be reported as the caller's mistake.
 * So the database counts as unavailable. */
static enum status open_database(struct reader *reader, struct problem *why)
{
    const struct settings *settings = reader->settings;
    const struct key_mark ours =
        key_mark_of(reader->key, settings->secret_key_file, settings->database);
    enum status status = schema_open(&reader->db, settings->database, DB_READ, why);

    if (status != STATUS_OK)
        return status;
    reader->checked_ms = clock_monotonic_ms();
    status = key_mark_check(reader->db, &ours, why);
    if (status != STATUS_OK)
        close_database(reader);
    return status;
}

bool reader_is_outdated(const struct reader *reader)
{
    return reader->outdated != NULL && reader->outdated();
}

void reader_open(struct reader *reader)
{
    struct problem why = {""};

    if (reader->db != NULL)
        return;
    reader->renewed = true;
    /* an outdated process ends, and says so */
    if (open_database(reader, &why) != STATUS_OK && !reader_is_outdated(reader))
        LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
}

static enum status check_schema(struct reader *reader)
{
    struct problem why = {""};

    if (schema_check(reader->db, &reader->checked_ms, &why) == STATUS_OK)
        return STATUS_OK;
    LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
    close_database(reader);
    return STATUS_UNAVAILABLE;
}

static enum status begin(struct reader *reader)
{
    reader_open(reader);
    enum status status =
        reader->db == NULL ? STATUS_UNAVAILABLE : db_read_begin(reader->db);
    return status == STATUS_OK ? check_schema(reader) : status;
}

/* Files of the database that were replaced since the last request cost no request. */
enum status reader_begin(struct reader *reader, struct db **db)
{
    bool was_open = reader->db != NULL;
    enum status status = reader->begun ? STATUS_OK : begin(reader);

    if (status == STATUS_UNAVAILABLE && was_open && reader->db != NULL) {
        close_database(reader);
        status = begin(reader);
    }
    *db = reader->db;
    reader->begun = reader->holds && status == STATUS_OK;
    return status;
}

void reader_end(struct reader *reader, enum status status)
{
    if (reader->db == NULL)
        return;
    if (!reader->begun)
        db_read_end(reader->db);
    if (status == STATUS_OK || status == STATUS_REFUSED || status == STATUS_BUSY)
        return;
    LOG(LEVEL_ERROR, "read_failed", LOG_TEXT("status", status_name(status)),
        LOG_TEXT("message", db_message(reader->db)));
    close_database(reader);
}

void reader_hold(struct reader *reader)
{
    reader->holds = true;
}

void reader_release(struct reader *reader)
{
    if (reader->begun)
        db_read_end(reader->db);
    reader->holds = reader->begun = false;
}

bool reader_knows_keys(struct reader *reader)
{
    struct db *db;
    enum status status = reader_begin(reader, &db);

    reader_end(reader, status);
    reader_open(reader);
    return reader->db != NULL;
}

bool reader_was_renewed(struct reader *reader)
{
    bool renewed = reader->renewed;

    reader->renewed = false;
    return renewed;
}
