#include "autoconfig.h"

#include "lib/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

static const char base62[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

_Static_assert(SECRET_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(SECRET_KEY_BYTES == crypto_generichash_KEYBYTES, "BLAKE2b's usual key");
_Static_assert(SECRET_HASH_BYTES == crypto_secretbox_KEYBYTES,
               "a hash is a key to seal with");
_Static_assert(SECRET_SEAL_BYTES == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES,
               "nonce and tag");

enum status secret_init(void)
{
    return sodium_init() < 0 ? STATUS_INTERNAL : STATUS_OK;
}

void secret_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

void secret_random_base62(char *out, size_t count)
{
    uint8_t pool[64];
    size_t done = 0;

    while (done < count) {
        secret_random(pool, sizeof pool);
        for (size_t i = 0; i < sizeof pool && done < count; i++) {
            if (pool[i] <
                62 * 4) /* 248 and above would make the first characters likelier */
                out[done++] = base62[pool[i] % 62];
        }
    }
    out[count] = '\0';
    secret_wipe(pool, sizeof pool);
}

void secret_hash(struct secret_hash *out, const struct secret_key *key, const char *domain,
                 struct span bytes)
{
    crypto_generichash_state state;

    /* These fail only for lengths out of range; the lengths are constants in range. */
    (void)crypto_generichash_init(&state, key != NULL ? key->bytes : NULL,
                                  sizeof key->bytes, sizeof out->bytes);
    (void)crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain) + 1);
    if (bytes.len > 0)
        (void)crypto_generichash_update(&state, (const uint8_t *)bytes.data, bytes.len);
    (void)crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
    secret_wipe(&state, sizeof state);
}

/* The key to seal with, so that no hash under the installation's key is one of its
 * boxes'. */
static void derive(struct secret_hash *out, const struct secret_key *key,
                   const char *domain)
{
    secret_hash(out, key, "sealing key", (struct span){domain, strlen(domain)});
}

void secret_seal(struct sealed *out, const struct secret_key *key, const char *domain,
                 struct span text)
{
    struct secret_hash derived;

    assert(text.len <= sizeof out->bytes - SECRET_SEAL_BYTES);
    derive(&derived, key, domain);
    secret_random(out->bytes, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(out->bytes + crypto_secretbox_NONCEBYTES,
                                (const uint8_t *)text.data, text.len, out->bytes,
                                derived.bytes);
    out->len = SECRET_SEAL_BYTES + text.len;
    secret_wipe(&derived, sizeof derived);
}

enum status secret_open(char *out, size_t *len, const struct secret_key *key,
                        const char *domain, const struct sealed *sealed)
{
    struct secret_hash derived;
    int failed = -1;

    *len = 0;
    derive(&derived, key, domain);
    if (sealed->len >= SECRET_SEAL_BYTES)
        failed = crypto_secretbox_open_easy(
            (uint8_t *)out, sealed->bytes + crypto_secretbox_NONCEBYTES,
            sealed->len - crypto_secretbox_NONCEBYTES, sealed->bytes, derived.bytes);
    secret_wipe(&derived, sizeof derived);
    if (failed != 0)
        return STATUS_INVALID;
    *len = sealed->len - SECRET_SEAL_BYTES;
    return STATUS_OK;
}

void secret_wipe(void *memory, size_t size)
{
    sodium_memzero(memory, size);
}

static enum status refuse_open(const char *path, struct problem *why)
{
    if (errno == ENOENT)
        return problem_set(why, STATUS_NOT_FOUND, "key file %s does not exist", path);
    if (errno == ELOOP)
        return problem_set(why, STATUS_INVALID,
                           "key file %s is a symbolic link: name the file it points to",
                           path);
    return problem_set(why, STATUS_IO, "cannot open key file %s: %s", path,
                       strerror(errno));
}

static enum status check_key_file(int fd, const char *path, struct problem *why)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return problem_set(why, STATUS_IO, "cannot examine key file %s: %s", path,
                           strerror(errno));
    if (!S_ISREG(info.st_mode))
        return problem_set(why, STATUS_INVALID,
                           "key file %s is no regular file: name another", path);
    if ((info.st_mode & 077) != 0)
        return problem_set(why, STATUS_INVALID,
                           "others than its owner may use key file %s: run 'chmod 600 %s'",
                           path, path);
    if (info.st_size != SECRET_KEY_BYTES)
        return problem_set(why, STATUS_INVALID,
                           "key file %s has %lld bytes and must have %d: restore it from a "
                           "backup",
                           path, (long long)info.st_size, SECRET_KEY_BYTES);
    return STATUS_OK;
}

static bool read_all(int fd, uint8_t *out, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, out + done, size - done);

        if (got == 0)
            errno = EIO; /* the file was shortened after fstat */
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        if (got > 0)
            done += (size_t)got;
    }
    return true;
}

enum status secret_key_load(struct secret_key *out, const char *path, struct problem *why)
{
    /* O_NONBLOCK, because opening a FIFO would wait for a writer. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *out = (struct secret_key){{0}};
    if (fd < 0)
        return refuse_open(path, why);
    enum status status = check_key_file(fd, path, why);
    if (status == STATUS_OK && !read_all(fd, out->bytes, sizeof out->bytes)) {
        status = problem_set(why, STATUS_IO, "cannot read key file %s: %s", path,
                             strerror(errno));
        secret_wipe(out, sizeof *out);
    }
    (void)close(fd);
    return status;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(fd, bytes + done, size - done);

        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            done += (size_t)written;
    }
    return true;
}

/* fchmod, because the umask may have removed permissions of the owner. */
static bool write_key(int fd, const struct secret_key *key, const struct acting *owner)
{
    bool given = owner == NULL || geteuid() != 0 || fchown(fd, owner->uid, owner->gid) == 0;

    return given && fchmod(fd, 0600) == 0 && write_all(fd, key->bytes, sizeof key->bytes) &&
           fsync(fd) == 0;
}

/* Returns an errno, 0 when the key is on the disk. Closes fd. */
static int fill_key_file(int fd, const char *path, const struct acting *owner)
{
    struct secret_key key;

    secret_random(key.bytes, sizeof key.bytes);
    int error = write_key(fd, &key, owner) ? 0 : errno;
    secret_wipe(&key, sizeof key);
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && file_sync_directory_of(path) != STATUS_OK)
        error = errno;
    return error;
}

enum status secret_key_create(const char *path, const struct acting *owner,
                              struct problem *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return problem_set(why, STATUS_EXISTS, "%s exists already: it is left alone", path);
    if (fd < 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot create key file %s: %s", path,
                           strerror(errno));
    int error = fill_key_file(fd, path, owner);
    if (error == 0)
        return STATUS_OK;
    (void)unlink(path);
    return problem_set(why, STATUS_IO, "cannot write key file %s: %s", path,
                       strerror(error));
}
