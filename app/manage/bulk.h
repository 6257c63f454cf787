/*
 * Many changes by one operator's command, in transactions that leave room for others.
 *
 * Where a service uses the database, a transaction is short, and after each others get
 * their turn: as much time as it took, if another program has written since the one before.
 * Where none does, transactions are longer, which saves work.
 *
 * The audit gets rows at the begin and at the end of the command, by app/manage/change.h,
 * and none for each change.
 */
#ifndef APP_MANAGE_BULK_H
#define APP_MANAGE_BULK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

enum {
    BULK_SHARED_US = 30000,   /* of a transaction with its commit, while a service runs */
    BULK_ALONE_US = 10000000, /* while none does */
    BULK_ALONE_ROWS = 50000,  /* which bounds the memory */
};

struct bulk {
    /* The caller fills these, which are borrowed; the rest with zeros. */
    struct db *db; /* open for writing */
    const char *database;

    bool is_shared;      /* a service uses the database */
    bool others_write;   /* another program has written since the last transaction */
    int64_t began_us;    /* when this transaction began, by the monotonic clock */
    int64_t rows;        /* changes in this transaction */
    int64_t changes_us;  /* how long its changes may take */
    int64_t commit_us;   /* how long the last commit took */
    int64_t held_us;     /* how long the last transaction took, with its commit */
    int64_t held_max_us; /* the longest of all */
};

/* Gives way, and begins a transaction; waits up to 30 seconds for other writers. On failure
 * nothing is held, as db_write_begin. */
enum status bulk_begin(struct bulk *bulk);

/* After a change: whether the transaction has time for another one. */
bool bulk_has_time(struct bulk *bulk);

/* Commits where status is STATUS_OK, else rolls back. Returns status, or what committing
 * returned (as db_write_commit). */
enum status bulk_end(struct bulk *bulk, enum status status);

#endif
