#include "lib/sqlite.h"

#include <stdlib.h>
#include <string.h>

/*
 * A VFS (https://sqlite.org/vfs.html) over the one of the system that gathers what is
 * written to a WAL. SQLite writes two pieces for each page of a commit, and reads none of
 * them before it syncs them. They are written together when the WAL is synced, or is
 * accessed in any other way. Only a commit may write to the WAL, since it ends with a sync
 * or fails: hence cache_spill=OFF. All other files are those of the VFS below.
 */
enum {
    GATHERED_MAX_BYTES = 124 * 1024, /* SQLite's functions for Unix write up to 128 KiB */
};

/* A WAL; the file of the VFS below follows it in memory. */
struct wal_file {
    sqlite3_file base;
    char *bytes; /* gathered, which belong at offset; NULL: there is no memory to gather */
    size_t len;
    sqlite3_int64 offset;
};

static sqlite3_vfs ours;

static sqlite3_vfs *below(void)
{
    return ours.pAppData;
}

static struct wal_file *wal_of(sqlite3_file *file)
{
    return (struct wal_file *)file;
}

static sqlite3_file *file_below(sqlite3_file *file)
{
    return (sqlite3_file *)(wal_of(file) + 1);
}

/* What cannot be written is dropped: the caller is told, and rolls back. */
static int flush(sqlite3_file *file)
{
    struct wal_file *wal = wal_of(file);
    sqlite3_file *real = file_below(file);
    size_t len = wal->len;

    wal->len = 0;
    return len == 0 ? SQLITE_OK
                    : real->pMethods->xWrite(real, wal->bytes, (int)len, wal->offset);
}

/* What is gathered at the end was not committed, and its place may be another process's. */
static int wal_close(sqlite3_file *file)
{
    sqlite3_file *real = file_below(file);

    free(wal_of(file)->bytes);
    return real->pMethods->xClose(real);
}

static int wal_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = file_below(file);
    int code = flush(file);

    return code != SQLITE_OK ? code : real->pMethods->xRead(real, out, len, offset);
}

static bool continues(const struct wal_file *wal, size_t len, sqlite3_int64 offset)
{
    return wal->len == 0 || (offset == wal->offset + (sqlite3_int64)wal->len &&
                             len <= GATHERED_MAX_BYTES - wal->len);
}

static int wal_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    struct wal_file *wal = wal_of(file);
    sqlite3_file *real = file_below(file);
    int code = continues(wal, (size_t)len, offset) ? SQLITE_OK : flush(file);

    if (code != SQLITE_OK)
        return code;
    if (wal->bytes == NULL || len > GATHERED_MAX_BYTES)
        return real->pMethods->xWrite(real, data, len, offset);
    if (wal->len == 0)
        wal->offset = offset;
    memcpy(wal->bytes + wal->len, data, (size_t)len);
    wal->len += (size_t)len;
    return SQLITE_OK;
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = file_below(file);
    int code = flush(file);

    return code != SQLITE_OK ? code : real->pMethods->xTruncate(real, size);
}

static int wal_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = file_below(file);
    int code = flush(file);

    return code != SQLITE_OK ? code : real->pMethods->xSync(real, flags);
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = file_below(file);
    int code = flush(file);

    return code != SQLITE_OK ? code : real->pMethods->xFileSize(real, size);
}

static int wal_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xLock(real, level);
}

static int wal_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xUnlock(real, level);
}

static int wal_check_lock(sqlite3_file *file, int *reserved)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xCheckReservedLock(real, reserved);
}

/* Does not flush, because it is also asked why the last flush failed. */
static int wal_control(sqlite3_file *file, int operation, void *arg)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xFileControl(real, operation, arg);
}

static int wal_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xSectorSize(real);
}

static int wal_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = file_below(file);

    return real->pMethods->xDeviceCharacteristics(real);
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_check_lock,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector_size,
    .xDeviceCharacteristics = wal_characteristics,
};

static int open_wal(sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    struct wal_file *wal = wal_of(file);
    int code = below()->xOpen(below(), name, file_below(file), flags, out_flags);

    *wal = (struct wal_file){.base.pMethods = NULL};
    if (code != SQLITE_OK)
        return code;
    wal->base.pMethods = &wal_methods;
    /* without it, SQLite fills up a sector behind the commit after the sync */
    if ((wal_characteristics(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0)
        wal->bytes = malloc(GATHERED_MAX_BYTES);
    return SQLITE_OK;
}

static int open_any(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *out_flags)
{
    (void)vfs;
    return (flags & SQLITE_OPEN_WAL) != 0
               ? open_wal(name, file, flags, out_flags)
               : below()->xOpen(below(), name, file, flags, out_flags);
}

int sqlite_register_over_system(sqlite3_vfs *vfs, const char *name, size_t more_bytes,
                                sqlite_open_file *open_file)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);

    if (system == NULL)
        return SQLITE_ERROR;
    *vfs = *system; /* its functions but xOpen do not look at what they are called for */
    vfs->pNext = NULL;
    vfs->zName = name;
    vfs->szOsFile = system->szOsFile + (int)more_bytes;
    vfs->pAppData = system;
    vfs->xOpen = open_file;
    return sqlite3_vfs_register(vfs, 0);
}

int sqlite_add_vfs(void)
{
    return sqlite_register_over_system(&ours, SQLITE_GATHERING_VFS, sizeof(struct wal_file),
                                       open_any);
}
