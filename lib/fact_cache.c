#include "lib/fact_cache.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    SET_SIZE = 4, /* places in which the same key may be */
};

/* A place: the generation in which it was filled, its key, and its value. */
struct fact_cache {
    const struct fact_kind *kind;
    size_t place_bytes;
    uint64_t generation; /* places of another one are free */
    size_t replaced;     /* how many places were filled: which one of a set is next */
    char *places;
};

static size_t place_bytes(const struct fact_kind *kind)
{
    size_t bytes = sizeof(uint64_t) + kind->key_bytes + kind->value_bytes;

    return (bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

struct fact_cache *fact_cache_create(const struct fact_kind *kind)
{
    struct fact_cache *cache = calloc(1, sizeof *cache);

    assert(kind->key_bytes % sizeof(uint64_t) == 0 && kind->count >= SET_SIZE &&
           (kind->count & (kind->count - 1)) == 0);
    if (cache == NULL)
        return NULL;
    cache->kind = kind;
    cache->place_bytes = place_bytes(kind);
    cache->generation = 1;
    cache->places = calloc(kind->count, cache->place_bytes);
    if (cache->places == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void fact_cache_free(struct fact_cache *cache)
{
    if (cache == NULL)
        return;
    free(cache->places);
    free(cache);
}

const struct fact_kind *fact_cache_kind(const struct fact_cache *cache)
{
    return cache->kind;
}

/* The first place of the set that this key belongs to. */
static char *set_of(const struct fact_cache *cache, const void *key)
{
    const size_t sets = cache->kind->count / SET_SIZE;
    uint64_t hash = 0, word;

    for (size_t at = 0; at < cache->kind->key_bytes; at += sizeof word) {
        memcpy(&word, (const char *)key + at, sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 32;
    }
    return cache->places + (size_t)(hash & (sets - 1)) * SET_SIZE * cache->place_bytes;
}

static bool is_free(const struct fact_cache *cache, const char *place)
{
    return memcmp(place, &cache->generation, sizeof cache->generation) != 0;
}

static char *key_in(char *place)
{
    return place + sizeof(uint64_t);
}

static char *value_in(const struct fact_cache *cache, char *place)
{
    return key_in(place) + cache->kind->key_bytes;
}

/* NULL: not there. */
static char *find(struct fact_cache *cache, const void *key)
{
    char *place = set_of(cache, key);

    for (size_t i = 0; i < SET_SIZE; i++, place += cache->place_bytes)
        if (!is_free(cache, place) &&
            memcmp(key_in(place), key, cache->kind->key_bytes) == 0)
            return place;
    return NULL;
}

/* A free place of the key's set, or one in turn. */
static char *make_room(struct fact_cache *cache, const void *key)
{
    char *set = set_of(cache, key), *place = set;

    for (size_t i = 0; i < SET_SIZE; i++, place += cache->place_bytes)
        if (is_free(cache, place))
            return place;
    return set + cache->replaced++ % SET_SIZE * cache->place_bytes;
}

bool fact_cache_find(struct fact_cache *cache, const void *key, void *value)
{
    char *place = find(cache, key);

    if (place != NULL)
        memcpy(value, value_in(cache, place), cache->kind->value_bytes);
    return place != NULL;
}

void fact_cache_put(struct fact_cache *cache, const void *key, const void *value)
{
    char *place = find(cache, key);

    if (place == NULL) {
        place = make_room(cache, key);
        memcpy(place, &cache->generation, sizeof cache->generation);
        memcpy(key_in(place), key, cache->kind->key_bytes);
    }
    memcpy(value_in(cache, place), value, cache->kind->value_bytes);
}

void fact_cache_forget(struct fact_cache *cache)
{
    cache->generation++;
}
