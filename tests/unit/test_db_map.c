/* The database file as memory of those who read (lib/sqlite_map.c, lib/mapped.c). */
#include "lib/db.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/mapped.h"
#include "tests/unit/parents.h"

enum {
    MANY = 2000, /* parents, of which a page holds about 15 */
    NAME_BYTES = 120,
};

static const char get_name[] = "SELECT name FROM parents WHERE id = ?1";

/* Adds parents from first on, and empties the WAL into the file. */
static void add_many(int64_t first)
{
    struct db *db = must_open(DB_WRITE);
    char name[NAME_BYTES + 1];

    begin(db);
    for (int64_t id = first; id < first + MANY; id++) {
        (void)snprintf(name, sizeof name, "%0*ld", NAME_BYTES, (long)id);
        assert_int_equal(add_parent(db, id, name), STATUS_OK);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
    db_finish(db);
    db_close(db);
}

static enum status compare_name(void *arg, const struct db_rows *row)
{
    struct span name = db_text(row, 0);
    char wanted[NAME_BYTES + 1];

    (void)snprintf(wanted, sizeof wanted, "%0*ld", NAME_BYTES, (long)*(int64_t *)arg);
    assert_true(span_equals(name, span_of(wanted)));
    return STATUS_OK;
}

static enum status look(struct db *db, int64_t id)
{
    return DB_FIRST(db, compare_name, &id, get_name, DB_INT(id));
}

static void all_is_found_in_a_file_that_grows(void **state)
{
    (void)state;
    add_many(1);
    struct db *reader = must_open(DB_READ);
    for (int64_t round = 0; round < 4; round++) {
        for (int64_t id = 1; id <= (round + 1) * MANY; id++)
            assert_int_equal(look(reader, id), STATUS_OK);
        add_many((round + 1) * MANY + 1);
    }
    db_close(reader);
}

/* Cuts off all but the first pages, as if the disk could not read the rest. */
static void lose(char *kept, size_t bytes)
{
    FILE *file = fopen(scratch_path("db"), "rb");

    assert_non_null(file);
    assert_int_equal(fread(kept, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(truncate(scratch_path("db"), 4096), 0);
}

static void find_again(const char *kept, size_t bytes)
{
    FILE *file = fopen(scratch_path("db"), "r+be");

    assert_non_null(file);
    assert_int_equal(fwrite(kept, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void what_cannot_be_read_is_a_fault_and_no_answer(void **state)
{
    struct stat info;

    (void)state;
    add_many(1);
    assert_int_equal(stat(scratch_path("db"), &info), 0);
    char *kept = malloc((size_t)info.st_size);
    assert_non_null(kept);
    struct db *reader = must_open(DB_READ);
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(look(reader, 1), STATUS_OK);
    lose(kept, (size_t)info.st_size);
    assert_int_equal(look(reader, MANY), STATUS_IO);
    assert_non_null(strstr(db_message(reader), "cannot be read"));
    find_again(kept, (size_t)info.st_size);
    /* neither the zeros nor what SQLite made of them is used any more */
    assert_int_equal(look(reader, MANY), STATUS_IO);
    assert_int_equal(look(reader, 1), STATUS_IO);
    db_read_end(reader);
    db_close(reader);
    reader = must_open(DB_READ);
    assert_int_equal(look(reader, MANY), STATUS_OK);
    db_close(reader);
    free(kept);
}

/* To map the file, a descriptor of it is opened and closed, which would drop the locks of a
 * connection that this process has already. */
static int lock_is_held(int to_parent)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(scratch_path("db"), O_RDWR | O_CLOEXEC);

    (void)to_parent;
    return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1;
}

static void other_connections_keep_their_locks(void **state)
{
    (void)state;
    add_many(1);
    struct db *first = must_open(DB_READ);
    assert_int_equal(look(first, 1), STATUS_OK);
    struct db *second = must_open(DB_READ);
    assert_int_equal(look(second, MANY), STATUS_OK);
    struct child child = child_start(lock_is_held);
    assert_int_equal(child_end(&child), 0);
    db_close(second);
    child = child_start(lock_is_held);
    assert_int_equal(child_end(&child), 0);
    db_close(first);
    child = child_start(lock_is_held);
    assert_int_equal(child_end(&child), 1);
}

/* Of a mapping that is watched, and of one that is not any more. */
static int use_memory_without_a_file(bool is_watched)
{
    static struct mapped mapping = {.bytes = 8192, .protection = PROT_READ};
    int fd = open(scratch_path("db"), O_RDWR | O_CLOEXEC);

    if (fd < 0 || ftruncate(fd, 0) != 0)
        return 2;
    mapping.memory = mmap(NULL, mapping.bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (mapping.memory == MAP_FAILED)
        return 2;
    mapped_watch(&mapping);
    if (!is_watched)
        mapped_forget(&mapping);
    char byte = *(volatile char *)(mapping.memory + 5000);
    return byte == 0 && mapping.is_lost == 1 ? 0 : 1;
}

static int use_watched(int to_parent)
{
    (void)to_parent;
    return use_memory_without_a_file(true);
}

static int use_forgotten(int to_parent)
{
    (void)to_parent;
    (void)signal(SIGBUS, SIG_DFL); /* a sanitizer's would end the process otherwise */
    return use_memory_without_a_file(false);
}

static void only_memory_that_is_watched_outlives_its_file(void **state)
{
    (void)state;
    struct child child = child_start(use_watched);
    assert_int_equal(child_end(&child), 0);
    child = child_start(use_forgotten);
    assert_int_equal(child_end(&child), 128 + SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_found_in_a_file_that_grows),
        TEST(what_cannot_be_read_is_a_fault_and_no_answer),
        TEST(other_connections_keep_their_locks),
        TEST(only_memory_that_is_watched_outlives_its_file),
    };

    db_read_as_memory();
    return db_init(NULL) == STATUS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
