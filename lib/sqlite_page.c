#include "lib/sqlite_page.h"

#include <string.h>

enum {
    INDEX_INTERIOR = 2,
    TABLE_INTERIOR = 5,
    INDEX_LEAF = 10,
    TABLE_LEAF = 13,
    LEAF_HEADER_BYTES = 8,
    INTERIOR_HEADER_BYTES = 12,
    CELL_MIN_BYTES = 4,
    FREE_BLOCK_HEADER_BYTES = 4,
};

static size_t get16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

bool sqlite_page_is_tree(const uint8_t *page)
{
    return page[0] == INDEX_INTERIOR || page[0] == TABLE_INTERIOR ||
           page[0] == INDEX_LEAF || page[0] == TABLE_LEAF;
}

/* A page, and which of its bytes are used. */
struct map {
    const uint8_t *page;
    size_t usable;
    uint8_t used[SQLITE_PAGE_MAX_BYTES];
};

static bool mark(struct map *map, size_t first, size_t bytes)
{
    if (first > map->usable || bytes > map->usable - first)
        return false;
    memset(map->used + first, 1, bytes);
    return true;
}

/* Reads a variable-length integer at *at, and goes behind it. False: it is not complete. */
static bool get_number(uint64_t *out, const struct map *map, size_t *at)
{
    *out = 0;
    for (int i = 0; i < 9; i++) {
        if (*at >= map->usable)
            return false;
        uint8_t byte = map->page[(*at)++];
        if (i == 8) {
            *out = *out << 8 | byte;
            return true;
        }
        *out = *out << 7 | (byte & 0x7f);
        if (byte < 0x80)
            return true;
    }
    return true;
}

/* How many bytes of a content stand in the cell. */
static size_t local_bytes(const struct map *map, uint64_t content)
{
    const bool is_table = map->page[0] == TABLE_LEAF;
    const uint64_t most = is_table ? map->usable - 35 : (map->usable - 12) * 64 / 255 - 23;
    const uint64_t least = (map->usable - 12) * 32 / 255 - 23;

    if (content <= most)
        return (size_t)content;
    const uint64_t some = least + (content - least) % (map->usable - 4);
    return (size_t)(some <= most ? some : least);
}

/* Marks the cell at that place; chain->first is 0 where it is complete. */
static bool mark_cell(struct map *map, size_t place, struct sqlite_page_chain *chain)
{
    const uint8_t type = map->page[0];
    const bool is_interior = type == INDEX_INTERIOR || type == TABLE_INTERIOR;
    size_t at = place + (is_interior ? 4 : 0);
    uint64_t content = 0, key;

    *chain = (struct sqlite_page_chain){0, 0};
    if (type != TABLE_INTERIOR && !get_number(&content, map, &at))
        return false;
    if ((type == TABLE_INTERIOR || type == TABLE_LEAF) && !get_number(&key, map, &at))
        return false;
    const size_t local = local_bytes(map, content);
    size_t end = at + local;
    if (local < content) {
        if (end + 4 > map->usable)
            return false;
        *chain = (struct sqlite_page_chain){sqlite_page_number(map->page + end),
                                            (size_t)content - local};
        end += 4;
    }
    const size_t bytes = end - place;
    return mark(map, place, bytes < CELL_MIN_BYTES ? CELL_MIN_BYTES : bytes);
}

static bool mark_cells(struct map *map, size_t header, sqlite_page_each_chain *each,
                       void *arg)
{
    const size_t count = get16(map->page + 3);

    if (!mark(map, 0, header) || !mark(map, header, 2 * count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct sqlite_page_chain chain;
        const size_t place = get16(map->page + header + 2 * i);
        if (place < header + 2 * count || !mark_cell(map, place, &chain))
            return false;
        if (chain.first != 0 && each != NULL && !each(arg, &chain))
            return false;
    }
    return true;
}

/* The list of free blocks goes forward, so it ends. */
static bool mark_free_blocks(struct map *map)
{
    size_t at = get16(map->page + 1);

    while (at != 0) {
        const size_t next = at + 4 <= map->usable ? get16(map->page + at) : 0;
        if (!mark(map, at, FREE_BLOCK_HEADER_BYTES) || (next != 0 && next <= at))
            return false;
        at = next;
    }
    return true;
}

bool sqlite_page_clean(uint8_t *page, size_t usable, sqlite_page_each_chain *each,
                       void *arg)
{
    const bool is_leaf = page[0] == INDEX_LEAF || page[0] == TABLE_LEAF;
    struct map map;

    map.page = page;
    map.usable = usable;
    memset(map.used, 0, usable);
    if (!mark_cells(&map, is_leaf ? LEAF_HEADER_BYTES : INTERIOR_HEADER_BYTES, each, arg) ||
        !mark_free_blocks(&map))
        return false;
    for (size_t i = 0; i < usable; i++)
        if (!map.used[i])
            page[i] = 0;
    return true;
}
