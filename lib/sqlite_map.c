#include "lib/sqlite.h"

#include "lib/mapped.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A VFS for connections that only read. They see the database file as memory, so that a
 * page costs neither a call of the kernel nor a copy. SQLite can do that by itself, but it
 * drops the memory whenever another connection has committed, which under load is before
 * each transaction. It need not be dropped: the memory and the file are the same pages of
 * the kernel. As the whole of MAPPED_MAX_BYTES is mapped, a file that grows needs no new
 * mapping either.
 *
 * Where the file cannot be read, or was truncated, its memory becomes zeros. What a
 * statement makes of them never leaves db_next, which asks sqlite_lost_file.
 */
enum {
    /* of the file; what is behind them is read as usual. With the whole of 480 MB mapped,
     * look-ups were 1.2 times as many, but their 99th percentile was 2.5 times as long. */
    MAPPED_MAX_BYTES = 128 << 20,
    ALIGNMENT = 16,
};

struct sqlite_map {
    struct mapped mapped;
    sqlite3_int64 file_bytes; /* which the file had when it was asked for last */
};

/* Of a database file; in memory it follows the file of the VFS below. */
struct view {
    struct sqlite_map *map; /* NULL: not mapped */
};

static sqlite3_vfs ours;
static const sqlite3_io_methods *below; /* of database files */
static sqlite3_io_methods methods;      /* the same but for two of them */

static int size_below(const sqlite3_vfs *system)
{
    return (system->szOsFile + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct view *view_of(sqlite3_file *file)
{
    return (struct view *)((char *)file + size_below(ours.pAppData));
}

/* Gives a page of the memory; NULL: it has to be read. */
static int fetch(sqlite3_file *file, sqlite3_int64 offset, int len, void **page)
{
    struct sqlite_map *map = view_of(file)->map;
    int code = SQLITE_OK;

    *page = NULL;
    if (map == NULL || offset + len > MAPPED_MAX_BYTES)
        return SQLITE_OK;
    if (offset + len > map->file_bytes)
        code = below->xFileSize(file, &map->file_bytes);
    if (code == SQLITE_OK && offset + len <= map->file_bytes)
        *page = map->mapped.memory + offset;
    return code;
}

/* Of a page, or of all when another connection has committed: nothing need be done. */
static int unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
    (void)file;
    (void)offset;
    (void)page;
    return SQLITE_OK;
}

static int open_any(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    sqlite3_vfs *system = vfs->pAppData;
    int code = system->xOpen(system, name, file, flags, out_flags);

    if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0 ||
        file->pMethods->iVersion < 3)
        return code;
    view_of(file)->map = NULL;
    below = file->pMethods;
    methods = *below;
    methods.xFetch = fetch;
    methods.xUnfetch = unfetch;
    file->pMethods = &methods;
    return SQLITE_OK;
}

int sqlite_add_mapping_vfs(void)
{
    return sqlite_register_over_system(&ours, SQLITE_MAPPING_VFS,
                                       ALIGNMENT + sizeof(struct view), open_any);
}

struct sqlite_map *sqlite_map_file(const char *path)
{
    struct sqlite_map *map = calloc(1, sizeof *map);
    int fd = map != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

    if (fd < 0) {
        free(map);
        return NULL;
    }
    void *memory = mmap(NULL, MAPPED_MAX_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (memory == MAP_FAILED) {
        free(map);
        return NULL;
    }
    map->mapped = (struct mapped){
        .memory = memory, .bytes = MAPPED_MAX_BYTES, .protection = PROT_READ};
    mapped_watch(&map->mapped);
    return map;
}

void sqlite_unmap_file(struct sqlite_map *map)
{
    if (map == NULL)
        return;
    mapped_forget(&map->mapped);
    (void)munmap(map->mapped.memory, map->mapped.bytes);
    free(map);
}

int sqlite_use_map(struct db *db)
{
    sqlite3_file *file = NULL;
    char sql[64];

    if (db->map == NULL)
        return SQLITE_OK;
    int code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || file->pMethods != &methods)
        return code;
    view_of(file)->map = db->map;
    (void)snprintf(sql, sizeof sql, "PRAGMA mmap_size=%d", MAPPED_MAX_BYTES);
    return sqlite_exec(db, sql);
}

bool sqlite_lost_file(struct db *db)
{
    if (db->map == NULL || !db->map->mapped.is_lost)
        return false;
    (void)snprintf(db->failure, sizeof db->failure,
                   "a part of the database file cannot be read any more");
    return true;
}
