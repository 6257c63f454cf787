#include "app/serve/caller_cache.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "lib/shared.h"

enum {
    SET_SIZE = 8, /* entries in which the same caller may be */
    SETS = CALLER_CACHE_MAX / SET_SIZE,
};

struct content {
    uint64_t fingerprint; /* of the credentials; 0: a free entry */
    int64_t until_ms;     /* monotonic */
    struct caller caller;
};

enum {
    WORD_BYTES = sizeof(uint64_t),
    WORDS = (sizeof(struct content) + WORD_BYTES - 1) / WORD_BYTES,
    FINGERPRINT_WORD = offsetof(struct content, fingerprint) / WORD_BYTES,
};

/* A sequence lock: the version is odd while a process writes. The words are atomic because
 * another process may read them at the same time; it notices by the version. If the process
 * that writes dies, the entry stays unusable. */
struct entry {
    _Atomic uint32_t version;
    _Atomic uint64_t words[WORDS];
};

struct caller_cache {
    struct entry sets[SETS][SET_SIZE];
};

struct caller_cache *caller_cache_create(void)
{
    return shared_create(sizeof(struct caller_cache));
}

void caller_cache_free(struct caller_cache *cache)
{
    shared_free(cache, sizeof *cache);
}

/* 64 bits that identify a caller; never 0. The hashes are random enough to be used as they
 * are. If two callers have the same bits, the transaction still tells them apart. */
static uint64_t fingerprint_of(const struct credentials *credentials)
{
    uint64_t key, secret, high, low;

    memcpy(&key, credentials->api_key.bytes, sizeof key);
    memcpy(&secret, credentials->secret.bytes, sizeof secret);
    memcpy(&high, credentials->address.bytes, sizeof high);
    memcpy(&low, credentials->address.bytes + sizeof high, sizeof low);
    uint64_t address = (high * 31 + low) * 31 + credentials->address.family;
    uint64_t all = key ^ (secret << 1 | secret >> 63) ^ address;
    return all != 0 ? all : 1;
}

static struct entry *set_of(struct caller_cache *cache, uint64_t fingerprint)
{
    return cache->sets[(size_t)(fingerprint * UINT64_C(0x9E3779B97F4A7C15) >> 40) % SETS];
}

/* False when another process wrote meanwhile. */
static bool read_entry(struct content *out, struct entry *entry)
{
    uint64_t words[WORDS];
    uint32_t version = atomic_load_explicit(&entry->version, memory_order_acquire);

    for (size_t i = 0; i < WORDS; i++)
        words[i] = atomic_load_explicit(&entry->words[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    memcpy(out, words, sizeof *out);
    return version % 2 == 0 &&
           atomic_load_explicit(&entry->version, memory_order_relaxed) == version;
}

/* Does nothing when another process is writing. Losing an entry is harmless. */
static void write_entry(struct entry *entry, const struct content *content)
{
    uint64_t words[WORDS] = {0};
    uint32_t version = atomic_load_explicit(&entry->version, memory_order_relaxed);

    if (version % 2 != 0 ||
        !atomic_compare_exchange_strong(&entry->version, &version, version + 1))
        return;
    memcpy(words, content, sizeof *content);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < WORDS; i++)
        atomic_store_explicit(&entry->words[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&entry->version, version + 2, memory_order_release);
}

static bool may_be_of(struct entry *entry, uint64_t fingerprint)
{
    return atomic_load_explicit(&entry->words[FINGERPRINT_WORD], memory_order_relaxed) ==
           fingerprint;
}

/* NULL: not there. */
static struct entry *find(struct content *out, struct caller_cache *cache,
                          uint64_t fingerprint)
{
    struct entry *set = set_of(cache, fingerprint);

    for (size_t i = 0; i < SET_SIZE; i++)
        if (may_be_of(&set[i], fingerprint) && read_entry(out, &set[i]) &&
            out->fingerprint == fingerprint)
            return &set[i];
    return NULL;
}

/* The entry of a set to overwrite: the one that expires first. */
static struct entry *oldest(struct entry *set)
{
    struct entry *found = &set[0];
    int64_t until_ms = INT64_MAX;
    struct content content;

    for (size_t i = 0; i < SET_SIZE; i++) {
        if (!read_entry(&content, &set[i]) || content.until_ms >= until_ms)
            continue;
        until_ms = content.until_ms;
        found = &set[i];
    }
    return found;
}

bool caller_cache_find(struct caller_cache *cache, const struct credentials *credentials,
                       int64_t now_monotonic_ms, struct caller *caller)
{
    struct content found;

    if (find(&found, cache, fingerprint_of(credentials)) == NULL ||
        now_monotonic_ms >= found.until_ms)
        return false;
    *caller = found.caller;
    return true;
}

void caller_cache_put(struct caller_cache *cache, const struct credentials *credentials,
                      int64_t now_monotonic_ms, const struct caller *caller)
{
    const struct content content = {
        .fingerprint = fingerprint_of(credentials),
        .until_ms = now_monotonic_ms + CALLER_CACHE_KEEP_MS,
        .caller = *caller,
    };
    struct content former;
    struct entry *entry = find(&former, cache, content.fingerprint);

    if (entry == NULL)
        entry = oldest(set_of(cache, content.fingerprint));
    write_entry(entry, &content);
}

void caller_cache_remove(struct caller_cache *cache, const struct credentials *credentials)
{
    static const struct content nobody;
    struct content found;
    struct entry *entry = find(&found, cache, fingerprint_of(credentials));

    if (entry != NULL)
        write_entry(entry, &nobody);
}
