#include "app/serve/caller_cache.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SET_SIZE = 8, /* a caller may stand in any entry of one set */
    SETS = CALLER_CACHE_MAX / SET_SIZE,
};

struct content {
    uint64_t credentials; /* fingerprint; 0: nobody */
    int64_t until_ms;     /* monotonic */
    struct caller caller;
};

/* The version is odd while somebody writes. Should that process die, the entry is lost. */
struct entry {
    _Atomic uint32_t version;
    struct content content;
};

struct caller_cache {
    struct entry sets[SETS][SET_SIZE];
};

struct caller_cache *caller_cache_create(void)
{
    void *memory = mmap(NULL, sizeof(struct caller_cache), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

void caller_cache_free(struct caller_cache *cache)
{
    if (cache != NULL)
        (void)munmap(cache, sizeof *cache);
}

/* 64 bits that stand for a caller; never 0. The hashes are random enough to be used as they
 * are, and should two callers ever look alike, the transaction tells them apart. */
static uint64_t fingerprint(const struct credentials *credentials)
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

static struct entry *set_of(struct caller_cache *cache, uint64_t credentials)
{
    return cache->sets[(size_t)(credentials * UINT64_C(0x9E3779B97F4A7C15) >> 40) % SETS];
}

/* False when somebody wrote meanwhile. */
static bool read_entry(struct content *out, struct entry *entry)
{
    uint32_t version = atomic_load(&entry->version);

    *out = entry->content;
    atomic_thread_fence(memory_order_acquire);
    return version % 2 == 0 && atomic_load(&entry->version) == version;
}

/* Does nothing when somebody else is writing: it is only a memory. */
static void write_entry(struct entry *entry, const struct content *content)
{
    uint32_t version = atomic_load(&entry->version);

    if (version % 2 != 0 ||
        !atomic_compare_exchange_strong(&entry->version, &version, version + 1))
        return;
    atomic_thread_fence(memory_order_release);
    entry->content = *content;
    atomic_store(&entry->version, version + 2);
}

/* NULL: not there. */
static struct entry *find(struct content *out, struct caller_cache *cache,
                          uint64_t credentials)
{
    struct entry *set = set_of(cache, credentials);

    for (size_t i = 0; i < SET_SIZE; i++)
        if (read_entry(out, &set[i]) && out->credentials == credentials)
            return &set[i];
    return NULL;
}

/* The one in a set that will be missed least. */
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

    if (find(&found, cache, fingerprint(credentials)) == NULL ||
        now_monotonic_ms >= found.until_ms)
        return false;
    *caller = found.caller;
    return true;
}

void caller_cache_put(struct caller_cache *cache, const struct credentials *credentials,
                      int64_t now_monotonic_ms, const struct caller *caller)
{
    const struct content content = {
        .credentials = fingerprint(credentials),
        .until_ms = now_monotonic_ms + CALLER_CACHE_KEEP_MS,
        .caller = *caller,
    };
    struct content former;
    struct entry *entry = find(&former, cache, content.credentials);

    if (entry == NULL)
        entry = oldest(set_of(cache, content.credentials));
    write_entry(entry, &content);
}

void caller_cache_remove(struct caller_cache *cache, const struct credentials *credentials)
{
    static const struct content nobody;
    struct content found;
    struct entry *entry = find(&found, cache, fingerprint(credentials));

    if (entry != NULL)
        write_entry(entry, &nobody);
}
