/*
 * The parts of the SQLite driver share this. Only lib/sqlite_*.c include this header, and
 * only they use sqlite3.h; callers use lib/db.h and lib/db_files.h.
 *
 *   sqlite_open.c         opening and configuring a connection
 *   sqlite_statement.c    statements, values and rows
 *   sqlite_transaction.c  transactions, and the lock between writers
 *   sqlite_vfs.c          one write for all pages of a commit
 *   sqlite_map.c          the database file as memory, for reading
 *   sqlite_facts.c        facts that a connection remembers
 *   sqlite_wal.c          checkpoints
 *   sqlite_stamp.c        application_id and user_version
 *   sqlite_scrub.c        removing what was deleted from the file
 *   sqlite_page.c         the unused bytes of a page
 *   sqlite_backup.c       checking and copying
 *   sqlite_files.c        names and sizes of the files
 *   sqlite_moved.c        what happens when files are removed while they are in use
 *   sqlite_alone.c        being the only user, and replacing the database
 *
 * SQLite is used in WAL mode with synchronous=FULL, so that a commit is one fdatasync of
 * the WAL. With SQLite's own locks waiting writers poll and can starve, and one connection
 * must not commit while another makes a checkpoint (the WAL-reset bug, before 3.51.3).
 * Therefore a connection takes a flock on "<database>.lock" before it writes or makes a
 * checkpoint.
 */
#ifndef LIB_SQLITE_H
#define LIB_SQLITE_H

#include <sqlite3.h>

#include "lib/db.h"
#include "lib/db_alone.h"
#include "lib/db_files.h"
#include "lib/file.h"
#include "lib/lock.h"

enum {
    STATEMENTS_MAX = 128,   /* a power of two, over twice the number of statements */
    BUSY_TIMEOUT_MS = 2000, /* for SQLite's own locks, such as that of a recovery */
};

/*
 * The bytes of a database file that SQLite locks (https://sqlite.org/src/file/src/os.h,
 * PENDING_BYTE and what follows it). No data are stored there. In WAL mode a connection has
 * a read lock on the last of them from its first statement to its end, and needs one on the
 * first of them to begin.
 */
enum {
    DB_LOCKS_FIRST = 0x40000000,
    DB_LOCKS_BYTES = 512,
    DB_SHARED_FIRST = DB_LOCKS_FIRST + 2,
    DB_SHARED_BYTES = 510,
};

struct prepared {
    const char *sql; /* NULL: a free place */
    sqlite3_stmt *statement;
};

/* A file of the database as it was when the connection was opened. */
struct sqlite_file {
    char *path;
    struct file_id id;
};

struct db {
    sqlite3 *handle;        /* NULL: not opened yet */
    struct db *next;        /* of this process's connections */
    struct lock *lock;      /* NULL when reading only, and for the only user */
    struct db_alone *alone; /* NULL: not the only user */
    struct sqlite_file files[DB_FILES_MAX];
    size_t file_count;
    bool has_saved; /* the content of a WAL that was removed */
    /* Why the last transaction failed where SQLite's own message does not tell; else
     * empty. */
    char failure[256];
    struct sqlite_map *map;   /* of the database file; NULL: none */
    int page_bytes;           /* of the database; when writing */
    int64_t wal_bytes;        /* as of the last commit */
    int64_t checkpoint_bytes; /* of the WAL, from which on a checkpoint is made */
    int64_t restart_at_ms;    /* monotonic clock: when the WAL may be restarted again */
    int restart_pause_ms;     /* that was added at the last restart; 0: it succeeded */
    bool remembers;           /* facts */
    bool others_wrote;        /* since the last commit of this connection */
    unsigned facts_version;   /* of the data that the facts were read from */
    struct fact_cache *facts[FACT_KINDS_MAX]; /* those that are used first */
    struct prepared statements[STATEMENTS_MAX];
};

/* The function of a VFS that opens a file. */
typedef int sqlite_open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file,
                             int flags, int *out_flags);

/* Fills in and registers a VFS over the one of the system, which its pAppData leads to, and
 * whose files get more_bytes. vfs must stay where it is. Returns a result code. */
int sqlite_register_over_system(sqlite3_vfs *vfs, const char *name, size_t more_bytes,
                                sqlite_open_file *open_file);

#define SQLITE_GATHERING_VFS "crmnotes"

/* Registers the VFS of that name. It is the system's, but what is written to a WAL is
 * gathered in memory until the WAL is synced. Only for connections with synchronous=FULL:
 * without a sync, other processes would not find a commit in the file. Once per program,
 * before the first connection. Returns a result code. */
int sqlite_add_vfs(void);

#define SQLITE_MAPPING_VFS "crmnotes-mapping"

/* Registers the VFS of that name, for connections that only read and use a map. Once per
 * program, before the first connection. Returns a result code. */
int sqlite_add_mapping_vfs(void);

/* The file of a database as memory; NULL: that cannot be had, and the file is read as
 * usual. There must be no connection in this process: this closes a descriptor of the file,
 * which would drop the locks that SQLite holds on it. The caller owns it. */
struct sqlite_map *sqlite_map_file(const char *path);

/* NULL is allowed. After the connection that uses it was closed. */
void sqlite_unmap_file(struct sqlite_map *map);

/* Lets a connection of that VFS read from db->map, if there is one. Returns a result
 * code. */
int sqlite_use_map(struct db *db);

/* Whether a part of that memory could not be read, for instance because of a fault of the
 * disk. What a statement has found is wrong then, and the connection can only be closed. */
bool sqlite_lost_file(struct db *db);

/* The status that stands for a result code, which may be an extended one. */
enum status sqlite_status(int code);

/* Opens the file of the lock between writers. */
enum status sqlite_open_lock(struct lock **out, const char *path, struct problem *why);

/* STATUS_BUSY while a service runs, with a connection or without one, for instance because
 * the database is missing. */
enum status sqlite_require_unused(const char *location, struct problem *why);

/* Opens a connection for the process that holds struct db_alone: SQLite takes no locks, and
 * keeps the index of the WAL in memory. Returns a result code. */
int sqlite_open_alone(sqlite3 **out, const char *path);

/* Runs SQL text that is used once; returns a result code. */
int sqlite_exec(struct db *db, const char *sql);

/* Runs a statement without parameters; its text is a constant. */
enum status sqlite_run(struct db *db, const char *sql);

/* Whether a pragma that answers with one text answers with this one. */
bool sqlite_answers(struct db *db, const char *sql, const char *wanted);

/* Notes the files that a connection of this mode opens, before it does. */
enum status sqlite_name_files(struct db *db, const char *location, enum db_mode mode);

/* Notes those that were made by opening. False: one was replaced meanwhile. */
bool sqlite_adopt_files(struct db *db);

void sqlite_forget_files(struct db *db);

/*
 * Whether a path now leads to another file than the one that is open, or to none. In WAL
 * mode SQLite does not check that by itself. Commits would go to removed files, and
 * connections with different WAL files or indexes would not see each other's changes.
 */
bool sqlite_has_moved(const struct db *db);

/*
 * Before a connection is opened: STATUS_OK, or STATUS_UNAVAILABLE with why.
 *
 * While the WAL is missing and other processes use the database, a new connection would not
 * see what is in the removed WAL, so this waits until one of the two changes. In one
 * process SQLite lets all connections to a database share one index, so those whose files
 * have moved have to be closed first. open: the connections that this process has.
 */
enum status sqlite_await_files(const struct db *db, const struct db *open,
                               struct problem *why);

/*
 * After a commit, under the lock: makes sure that it is in files that the next start finds.
 * The content of a WAL that was removed meanwhile is copied into the database file.
 * STATUS_UNKNOWN: it may not be found.
 */
enum status sqlite_keep_commit(struct db *db);

/* Under the lock, of a connection whose files have moved: saves the content of a WAL that
 * was removed. Returns STATUS_UNAVAILABLE, and db_message says which file it was. */
enum status sqlite_leave_files(struct db *db);

/* At the begin of a writing transaction: forgets all facts if another connection has
 * committed. */
void sqlite_begin_facts(struct db *db);

/* After a commit of this connection: what it remembers is still true. */
void sqlite_keep_facts(struct db *db);

/* At the end of the connection. */
void sqlite_drop_facts(struct db *db);

/* Counts the bytes of the WAL after each commit of this connection. */
void sqlite_count_wal_bytes(struct db *db);

#endif
