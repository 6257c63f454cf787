#include "autoconfig.h"

#include "lib/secret.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

static struct {
    int files, directories;
} synced;

/* Stands in for the function of libc. */
int fsync(int fd)
{
    struct stat info;

    assert_int_equal(fstat(fd, &info), 0);
    if (S_ISDIR(info.st_mode))
        synced.directories++;
    else
        synced.files++;
    return (int)syscall(SYS_fsync, fd);
}

static int start_sodium(void **state)
{
    (void)state;
    return secret_init() == STATUS_OK ? 0 : -1;
}

static void write_file(const char *path, size_t size, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        assert_int_not_equal(fputc((int)(i + 1), file), EOF);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void expect_refusal(const char *path, enum status expected, const char *sentence)
{
    static const struct secret_key zero = {{0}};
    struct secret_key key;
    struct problem why = {""};

    memset(&key, 0xff, sizeof key);
    assert_int_equal(secret_key_load(&key, path, &why), expected);
    assert_string_equal(why.text, sentence);
    assert_memory_equal(&key, &zero, sizeof key);
    assert_int_equal(secret_key_load(&key, path, NULL), expected);
}

static void random_bytes_differ_and_stay_in_their_bounds(void **state)
{
    uint8_t a[40] = {0};
    uint8_t b[40] = {0};

    (void)state;
    secret_random(a + 4, 32);
    secret_random(b + 4, 32);
    assert_memory_not_equal(a + 4, b + 4, 32);
    assert_memory_equal(a, "\0\0\0", 4);
    assert_memory_equal(a + 36, "\0\0\0", 4);
    secret_random(a, 0);
}

static void base62_has_the_length_asked_for(void **state)
{
    static const size_t counts[] = {0, 1, 43, 63, 64, 65, 200};
    char text[202];

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        memset(text, '#', sizeof text);
        secret_random_base62(text, counts[i]);
        assert_int_equal(strlen(text), counts[i]);
        assert_int_equal(text[counts[i] + 1], '#');
    }
}

static void base62_uses_all_characters_alike(void **state)
{
    enum { DRAWS = 620000, EXPECTED = DRAWS / 62 };
    static char text[DRAWS + 1];
    unsigned seen[256] = {0};
    unsigned kinds = 0;

    (void)state;
    secret_random_base62(text, DRAWS);
    for (size_t i = 0; i < DRAWS; i++)
        seen[(unsigned char)text[i]]++;
    for (int c = 0; c < 256; c++) {
        bool wanted =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        kinds += seen[c] > 0;
        if (wanted) /* ten standard deviations; bytes modulo 62 would be off by 2500 */
            assert_in_range(seen[c], EXPECTED - 1000, EXPECTED + 1000);
    }
    assert_int_equal(kinds, 62);
}

static struct secret_hash hash_of(uint8_t key_byte, const char *domain, struct span bytes)
{
    struct secret_key key;
    struct secret_hash hash;

    memset(&key, key_byte, sizeof key);
    secret_hash(&hash, &key, domain, bytes);
    return hash;
}

static void hashes_are_keyed_blake2b_256_of_domain_and_bytes(void **state)
{
    /* Python: hashlib.blake2b(b"api\0abc", digest_size=32, key=bytes([7] * 32)) */
    static const uint8_t expected[SECRET_HASH_BYTES] = {
        0x9e, 0x68, 0x20, 0x71, 0x1f, 0xce, 0xca, 0xeb, 0x02, 0x3c, 0x60,
        0x83, 0x78, 0x6f, 0x12, 0xa1, 0xb1, 0x1d, 0x78, 0xa6, 0xd6, 0x67,
        0x71, 0xf6, 0xb3, 0x51, 0x99, 0xcb, 0xf1, 0xa5, 0x70, 0x76};
    struct secret_hash hash = hash_of(7, "api", span_of("abc"));

    (void)state;
    assert_memory_equal(hash.bytes, expected, sizeof expected);
}

static void hashes_depend_on_key_domain_and_bytes(void **state)
{
    struct secret_hash hash = hash_of(7, "api", span_of("abc"));
    struct secret_hash again = hash_of(7, "api", span_of("abc"));
    struct secret_hash others[] = {
        hash_of(8, "api", span_of("abc")),
        hash_of(7, "dev", span_of("abc")),
        hash_of(7, "api", span_of("abd")),
        hash_of(7, "api", (struct span){"abc", 4}),
        hash_of(7, "apia", span_of("bc")),
        hash_of(7, "", span_of("apiabc")),
        hash_of(7, "api", (struct span){NULL, 0}),
    };

    (void)state;
    assert_memory_equal(&hash, &again, sizeof hash);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_memory_not_equal(&hash, &others[i], sizeof hash);
}

static void wiping_leaves_zeros_and_touches_nothing_else(void **state)
{
    char text[] = "xsecretx";

    (void)state;
    secret_wipe(text + 1, 6);
    assert_memory_equal(text, "x\0\0\0\0\0\0x", 9);
    secret_wipe(text, 0);
    assert_int_equal(text[0], 'x');
}

static void a_created_key_can_be_loaded(void **state)
{
    struct secret_key first;
    struct secret_key again;
    struct secret_key other;
    struct problem why = {""};

    (void)state;
    assert_int_equal(secret_key_create("key", NULL, &why), STATUS_OK);
    assert_int_equal(secret_key_create("key2", NULL, NULL), STATUS_OK);
    assert_string_equal(why.text, "");
    assert_int_equal(secret_key_load(&first, "key", &why), STATUS_OK);
    assert_int_equal(secret_key_load(&again, "key", &why), STATUS_OK);
    assert_int_equal(secret_key_load(&other, "key2", &why), STATUS_OK);
    assert_memory_equal(&first, &again, sizeof first);
    assert_memory_not_equal(&first, &other, sizeof first);
}

static void a_new_key_file_is_for_its_owner_whatever_the_umask(void **state)
{
    static const mode_t masks[] = {0, 022, 077, 0777};

    (void)state;
    for (size_t i = 0; i < COUNT(masks); i++) {
        struct stat info;
        mode_t before = umask(masks[i]);
        enum status status = secret_key_create("key", NULL, NULL);

        (void)umask(before);
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(stat("key", &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
        assert_int_equal(info.st_size, SECRET_KEY_BYTES);
        assert_int_equal(unlink("key"), 0);
    }
}

static void a_new_key_and_its_name_are_on_the_disk(void **state)
{
    (void)state;
    synced.files = synced.directories = 0;
    assert_int_equal(secret_key_create("key", NULL, NULL), STATUS_OK);
    assert_int_equal(synced.files, 1);
    assert_int_equal(synced.directories, 1);
}

static void keys_are_created_in_any_directory(void **state)
{
    struct secret_key key;

    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(secret_key_create("sub/key", NULL, NULL), STATUS_OK);
    assert_int_equal(secret_key_load(&key, "sub/key", NULL), STATUS_OK);
    assert_int_equal(secret_key_create(scratch_path("key"), NULL, NULL), STATUS_OK);
    assert_int_equal(secret_key_load(&key, "key", NULL), STATUS_OK);
}

static void what_is_there_is_never_overwritten(void **state)
{
    struct problem why = {""};
    struct secret_key key;

    (void)state;
    write_file("key", SECRET_KEY_BYTES, 0600);
    assert_int_equal(secret_key_create("key", NULL, &why), STATUS_EXISTS);
    assert_string_equal(why.text, "key exists already: it is left alone");
    assert_int_equal(secret_key_load(&key, "key", NULL), STATUS_OK);
    assert_int_equal(key.bytes[0], 1);
    assert_int_equal(key.bytes[31], 32);
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_int_equal(secret_key_create("link", NULL, &why), STATUS_EXISTS);
    assert_int_equal(access("nowhere", F_OK), -1);
}

static void a_key_that_cannot_be_created_comes_with_a_sentence(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(secret_key_create("sub/key", NULL, &why), STATUS_CANT_CREATE);
    assert_string_equal(why.text,
                        "cannot create key file sub/key: No such file or directory");
    assert_int_equal(secret_key_create("", NULL, NULL), STATUS_CANT_CREATE);
}

static void a_key_that_cannot_be_written_leaves_no_file(void **state)
{
    struct problem why = {""};
    struct rlimit before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit sixteen = {16, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &sixteen), 0);
    enum status status = secret_key_create("key", NULL, &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(status, STATUS_IO);
    assert_string_equal(why.text, "cannot write key file key: File too large");
    assert_int_equal(access("key", F_OK), -1);
}

static void files_that_are_no_key_are_refused_with_advice(void **state)
{
    static const struct {
        size_t size;
        mode_t mode;
        const char *why;
    } rows[] = {
        {0, 0600, "key file key has 0 bytes and must have 32: restore it from a backup"},
        {31, 0600, "key file key has 31 bytes and must have 32: restore it from a backup"},
        {33, 0600, "key file key has 33 bytes and must have 32: restore it from a backup"},
        {32, 0640, "others than its owner may use key file key: run 'chmod 600 key'"},
        {32, 0604, "others than its owner may use key file key: run 'chmod 600 key'"},
        {32, 0620, "others than its owner may use key file key: run 'chmod 600 key'"},
        {32, 0602, "others than its owner may use key file key: run 'chmod 600 key'"},
        {32, 0601, "others than its owner may use key file key: run 'chmod 600 key'"},
        {32, 0644, "others than its owner may use key file key: run 'chmod 600 key'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_file("key", rows[i].size, rows[i].mode);
        expect_refusal("key", STATUS_INVALID, rows[i].why);
        assert_int_equal(unlink("key"), 0);
    }
}

static void a_read_only_key_file_is_good(void **state)
{
    struct secret_key key;

    (void)state;
    write_file("key", SECRET_KEY_BYTES, 0400);
    assert_int_equal(secret_key_load(&key, "key", NULL), STATUS_OK);
    assert_int_equal(key.bytes[31], 32);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    expect_refusal("sub", STATUS_INVALID, "key file sub is no regular file: name another");
    assert_int_equal(mkfifo("fifo", 0600), 0); /* must not wait for a writer */
    expect_refusal("fifo", STATUS_INVALID,
                   "key file fifo is no regular file: name another");
    expect_refusal("/dev/zero", STATUS_INVALID,
                   "key file /dev/zero is no regular file: name another");
    write_file("key", SECRET_KEY_BYTES, 0600);
    assert_int_equal(symlink("key", "link"), 0);
    expect_refusal("link", STATUS_INVALID,
                   "key file link is a symbolic link: name the file it points to");
}

static void an_absent_key_is_told_from_an_unreadable_one(void **state)
{
    (void)state;
    expect_refusal("key", STATUS_NOT_FOUND, "key file key does not exist");
    expect_refusal("sub/key", STATUS_NOT_FOUND, "key file sub/key does not exist");
    write_file("key", SECRET_KEY_BYTES, 0600);
    expect_refusal("key/key", STATUS_IO, "cannot open key file key/key: Not a directory");
}

#define in_directory(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_differ_and_stay_in_their_bounds),
        cmocka_unit_test(base62_has_the_length_asked_for),
        cmocka_unit_test(base62_uses_all_characters_alike),
        cmocka_unit_test(hashes_are_keyed_blake2b_256_of_domain_and_bytes),
        cmocka_unit_test(hashes_depend_on_key_domain_and_bytes),
        cmocka_unit_test(wiping_leaves_zeros_and_touches_nothing_else),
        in_directory(a_created_key_can_be_loaded),
        in_directory(a_new_key_file_is_for_its_owner_whatever_the_umask),
        in_directory(a_new_key_and_its_name_are_on_the_disk),
        in_directory(keys_are_created_in_any_directory),
        in_directory(what_is_there_is_never_overwritten),
        in_directory(a_key_that_cannot_be_created_comes_with_a_sentence),
        in_directory(a_key_that_cannot_be_written_leaves_no_file),
        in_directory(files_that_are_no_key_are_refused_with_advice),
        in_directory(a_read_only_key_file_is_good),
        in_directory(what_is_no_regular_file_is_refused),
        in_directory(an_absent_key_is_told_from_an_unreadable_one),
    };

    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
