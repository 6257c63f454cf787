#include "lib/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/sqlite_page.h"

/*
 * With secure_delete SQLite zeroes what it deletes. But a page that was split or merged
 * keeps copies of cells in its unused part, also of cells that are deleted elsewhere later.
 * What was deleted without secure_delete is in free pages, too, and behind the end of
 * chains. No function of SQLite removes it but VACUUM, which writes the whole database anew
 * while nobody else can write.
 *
 * So unused bytes are zeroed in the file, by SQLite's own handle of it, some pages at a
 * time. Each time the WAL is emptied first, so that the file is complete, and nobody can
 * write. Readers may read: they do not look at these bytes. Where something was zeroed, a
 * commit follows before others write, so that they drop the pages that they have in memory:
 * a page is written as a whole, with the unused bytes that it had when it was read.
 */
enum {
    BATCH_PAGES = 4096,
    LOCK_TIMEOUT_MS = 30000,
    READERS_TIMEOUT_MS = 200, /* for which writers are kept waiting */
    PAUSE_MS = 50,            /* before it is tried again */
    HEADER_BYTES = 100,
};

struct header {
    uint32_t pages;
    size_t page_bytes, usable;
    uint32_t first_trunk;
};

enum { IN_USE, FREE, TRUNK };

/* A batch that is being cleaned. */
struct scrub {
    sqlite3_file *file;
    struct header header;
    uint32_t first, end;      /* the pages from first to before end */
    bool dirty;               /* something was zeroed */
    int code;                 /* of the first access that failed */
    uint8_t use[BATCH_PAGES]; /* of the pages of the batch */
    uint8_t page[SQLITE_PAGE_MAX_BYTES], page_before[SQLITE_PAGE_MAX_BYTES];
    uint8_t link[SQLITE_PAGE_MAX_BYTES],
        link_before[SQLITE_PAGE_MAX_BYTES]; /* of a chain */
};

static sqlite3_int64 offset_of(const struct scrub *scrub, uint32_t number)
{
    return (sqlite3_int64)(number - 1) * (sqlite3_int64)scrub->header.page_bytes;
}

static bool read_page(struct scrub *scrub, uint32_t number, uint8_t *out)
{
    const struct header *header = &scrub->header;

    if (scrub->code != SQLITE_OK)
        return false;
    scrub->code =
        number < 1 || number > header->pages
            ? SQLITE_CORRUPT
            : scrub->file->pMethods->xRead(scrub->file, out, (int)header->page_bytes,
                                           offset_of(scrub, number));
    return scrub->code == SQLITE_OK;
}

/* Writes a page if it is another one than before. */
static bool write_page(struct scrub *scrub, uint32_t number, const uint8_t *page,
                       const uint8_t *before)
{
    const size_t bytes = scrub->header.page_bytes;

    if (scrub->code != SQLITE_OK || memcmp(page, before, bytes) == 0)
        return scrub->code == SQLITE_OK;
    scrub->code = scrub->file->pMethods->xWrite(scrub->file, page, (int)bytes,
                                                offset_of(scrub, number));
    scrub->dirty = true;
    return scrub->code == SQLITE_OK;
}

static bool read_header(struct scrub *scrub)
{
    uint8_t bytes[HEADER_BYTES];
    struct header *header = &scrub->header;

    scrub->code = scrub->file->pMethods->xRead(scrub->file, bytes, sizeof bytes, 0);
    if (scrub->code != SQLITE_OK)
        return false;
    header->page_bytes = (size_t)bytes[16] << 8 | bytes[17];
    if (header->page_bytes == 1)
        header->page_bytes = SQLITE_PAGE_MAX_BYTES;
    header->usable = header->page_bytes - bytes[20];
    header->pages = sqlite_page_number(bytes + 28);
    header->first_trunk = sqlite_page_number(bytes + 32);
    /* with auto_vacuum, pages of another kind begin like those of a b-tree */
    if (header->page_bytes < 512 || header->usable < 480 ||
        sqlite_page_number(bytes + 52) != 0 || header->pages >= SQLITE_PAGES_MAX)
        scrub->code = SQLITE_MISUSE;
    return scrub->code == SQLITE_OK;
}

static void set_use(struct scrub *scrub, uint32_t number, uint8_t use)
{
    if (number >= scrub->first && number < scrub->end)
        scrub->use[number - scrub->first] = use;
}

/* Marks the free pages of the batch, along the list of all that there are. */
static bool mark_free(struct scrub *scrub)
{
    uint32_t trunk = scrub->header.first_trunk, seen = 0;

    memset(scrub->use, IN_USE, sizeof scrub->use);
    while (trunk != 0 && read_page(scrub, trunk, scrub->page)) {
        const uint32_t count = sqlite_page_number(scrub->page + 4);
        if (seen++ > scrub->header.pages || count > scrub->header.usable / 4 - 2) {
            scrub->code = SQLITE_CORRUPT;
            break;
        }
        set_use(scrub, trunk, TRUNK);
        for (uint32_t i = 0; i < count; i++)
            set_use(scrub, sqlite_page_number(scrub->page + 8 + 4 * (size_t)i), FREE);
        trunk = sqlite_page_number(scrub->page);
    }
    return scrub->code == SQLITE_OK;
}

/* Zeroes what stands in the last page of a chain behind its content. */
static bool clean_chain(void *arg, const struct sqlite_page_chain *chain)
{
    struct scrub *scrub = arg;
    const size_t room = scrub->header.usable - 4;
    uint32_t number = chain->first;
    size_t left = chain->bytes;

    for (; left > room; left -= room) {
        if (!read_page(scrub, number, scrub->link))
            return false;
        number = sqlite_page_number(scrub->link);
    }
    if (!read_page(scrub, number, scrub->link) || sqlite_page_number(scrub->link) != 0)
        return false;
    memcpy(scrub->link_before, scrub->link, scrub->header.page_bytes);
    memset(scrub->link + 4 + left, 0, room - left);
    return write_page(scrub, number, scrub->link, scrub->link_before);
}

static bool clean_tree_page(struct scrub *scrub, uint32_t number)
{
    memcpy(scrub->page_before, scrub->page, scrub->header.page_bytes);
    if (!sqlite_page_clean(scrub->page, scrub->header.usable, clean_chain, scrub)) {
        scrub->code = scrub->code != SQLITE_OK ? scrub->code : SQLITE_CORRUPT;
        return false;
    }
    return write_page(scrub, number, scrub->page, scrub->page_before);
}

static bool clean_free_page(struct scrub *scrub, uint32_t number, bool is_trunk)
{
    const size_t kept = is_trunk ? 8 + 4 * (size_t)sqlite_page_number(scrub->page + 4) : 0;

    memcpy(scrub->page_before, scrub->page, scrub->header.page_bytes);
    memset(scrub->page + kept, 0, scrub->header.usable - kept);
    return write_page(scrub, number, scrub->page, scrub->page_before);
}

/* The page of the header has the schema in it, which says nothing of anybody. */
static bool clean_batch(struct scrub *scrub)
{
    for (uint32_t number = scrub->first; number < scrub->end; number++) {
        const uint8_t use = scrub->use[number - scrub->first];
        if (number == 1 || number == DB_LOCKS_FIRST / scrub->header.page_bytes + 1)
            continue;
        if (!read_page(scrub, number, scrub->page))
            return false;
        if (use != IN_USE
                ? !clean_free_page(scrub, number, use == TRUNK)
                : sqlite_page_is_tree(scrub->page) && !clean_tree_page(scrub, number))
            return false;
    }
    return true;
}

/* Makes the others forget the pages that they have in memory, and does so itself. */
static enum status make_all_forget(struct db *db)
{
    struct db_stamp stamp;
    enum status status = db_stamp_read(db, &stamp);

    (void)sqlite3_db_release_memory(db->handle);
    if (status == STATUS_OK)
        status = db_stamp_write(db, stamp.application, stamp.version);
    if (status == STATUS_OK)
        return db_write_commit(db);
    db_write_rollback(db);
    return status;
}

static enum status clean(struct db *db, struct scrub *scrub)
{
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &scrub->file) !=
        SQLITE_OK)
        return STATUS_INTERNAL;
    scrub->dirty = false;
    if (!read_header(scrub))
        return sqlite_status(scrub->code);
    scrub->end = scrub->first + BATCH_PAGES;
    if (scrub->end > scrub->header.pages + 1)
        scrub->end = scrub->header.pages + 1;
    if (mark_free(scrub) && clean_batch(scrub) && scrub->dirty)
        scrub->code = scrub->file->pMethods->xSync(scrub->file, SQLITE_SYNC_NORMAL);
    return sqlite_status(scrub->code);
}

/* Takes the lock, empties the WAL, and begins a transaction. STATUS_BUSY: others read or
 * write. */
static enum status begin_batch(struct db *db)
{
    enum status status = lock_take(db->lock, LOCK_TIMEOUT_MS);

    if (status != STATUS_OK)
        return status;
    if (sqlite_has_moved(db)) {
        status = sqlite_leave_files(db);
    } else {
        (void)sqlite3_busy_timeout(db->handle, READERS_TIMEOUT_MS);
        status = sqlite_status(sqlite3_wal_checkpoint_v2(
            db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
        (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    }
    if (status == STATUS_OK)
        status = sqlite_run(db, "BEGIN IMMEDIATE");
    if (status != STATUS_OK)
        lock_release(db->lock);
    return status;
}

static enum status run_batch(struct db *db, struct scrub *scrub)
{
    enum status status = begin_batch(db);

    if (status != STATUS_OK)
        return status;
    status = clean(db, scrub);
    if (!scrub->dirty) {
        db_write_rollback(db);
        return status;
    }
    const enum status committed = make_all_forget(db);
    return status == STATUS_OK ? committed : status;
}

static enum status explain(const struct db *db, int code, enum status status,
                           struct problem *why)
{
    if (code == SQLITE_MISUSE)
        return problem_set(why, STATUS_UNAVAILABLE,
                           "the file is too large, or has auto_vacuum");
    if (code == SQLITE_CORRUPT)
        return problem_set(why, STATUS_INVALID,
                           "the database is damaged: run 'crmnotesctl db check'");
    if (status == STATUS_BUSY)
        return problem_set(why, status,
                           "others read the database all the time, such as a backup");
    return problem_set(why, status, "cannot clean the file of the database: %s",
                       db_message(db));
}

static void pause_a_little(void)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

    (void)nanosleep(&pause, NULL);
}

enum status db_scrub(struct db *db, int timeout_ms, struct problem *why)
{
    struct scrub *scrub = calloc(1, sizeof *scrub);
    int64_t give_up_ms = clock_monotonic_ms() + timeout_ms;
    enum status status = scrub != NULL ? STATUS_OK : STATUS_NO_MEMORY;

    if (scrub != NULL)
        scrub->first = scrub->end = scrub->header.pages = 1; /* at least */
    do {
        if (status == STATUS_OK)
            status = run_batch(db, scrub);
        if (status == STATUS_OK) {
            scrub->first = scrub->end;
            give_up_ms = clock_monotonic_ms() + timeout_ms;
        } else if (status == STATUS_BUSY && clock_monotonic_ms() < give_up_ms) {
            pause_a_little();
            status = STATUS_OK;
        }
    } while (status == STATUS_OK && scrub->first <= scrub->header.pages);
    if (status != STATUS_OK)
        status = explain(db, scrub != NULL ? scrub->code : SQLITE_NOMEM, status, why);
    free(scrub);
    return status;
}
