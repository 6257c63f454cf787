/*
 * The bytes of a page of a database file that hold nothing
 * (https://sqlite.org/fileformat2.html, 1.6 and 1.5). No SQLite in here.
 */
#ifndef LIB_SQLITE_PAGE_H
#define LIB_SQLITE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SQLITE_PAGE_MAX_BYTES = 65536,
};

/* Where the content of a cell goes on. */
struct sqlite_page_chain {
    uint32_t first; /* page; 0: all of it is in the cell */
    size_t bytes;   /* that stand in the chain */
};

/* What the content of a cell that goes on elsewhere is given to. */
typedef bool sqlite_page_each_chain(void *arg, const struct sqlite_page_chain *chain);

/* A number of four bytes, as a page has it. */
static inline uint32_t sqlite_page_number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether a page that is in use is one of a b-tree. In a database of fewer pages than
 * SQLITE_PAGES_MAX a page of a chain does not begin like one. */
bool sqlite_page_is_tree(const uint8_t *page);

enum {
    SQLITE_PAGES_MAX = 0x02000000,
};

/*
 * Zeroes what no cell of a b-tree page uses, and calls each (NULL: none) for the cells
 * whose content goes on elsewhere. usable: the bytes of the page. False: the page is
 * damaged, or each has returned false; then nothing was zeroed.
 */
bool sqlite_page_clean(uint8_t *page, size_t usable, sqlite_page_each_chain *each,
                       void *arg);

#endif
