/*
 * A list by ids that is read in pages: each begins after the last row of the one before.
 */
#ifndef APP_STORE_PAGE_H
#define APP_STORE_PAGE_H

#include "lib/db.h"
#include "lib/uuid.h"

/* What the ids of a page are greater than: that of the row before it, which need not be
 * there any more; or, for NULL, what comes before every id. */
static inline struct db_value page_after(const struct uuid *after)
{
    return after != NULL ? DB_BLOB(after->bytes, UUID_BYTES) : DB_BLOB("", 0);
}

#endif
