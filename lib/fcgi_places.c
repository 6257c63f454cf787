#include "lib/fcgi_places.h"

#include <assert.h>

#include "lib/clock.h"

_Static_assert(FCGI_PLACES == 64, "a bit for each place");

void fcgi_places_init(struct fcgi_places *p, struct fcgi_connections *all)
{
    *p = (struct fcgi_places){
        .all = all,
        .free = UINT64_MAX,
        .patience_us = (int64_t)all->request_ms * 1000 * 2 / 3,
        .overload.places = FCGI_PLACES,
    };
    all->in_hand_max = FCGI_PLACES;
}

bool fcgi_places_has_free(const struct fcgi_places *p)
{
    return p->free != 0;
}

/* Whether a request that arrives now, and has to queue, is to be refused. While a place is
 * free none is: otherwise nothing would show that the cause has gone. */
static bool comes_too_late(const struct fcgi_places *p)
{
    return p->free == 0 && overload_expected_us(&p->overload, p->all->queued,
                                                clock_monotonic_us()) > p->patience_us;
}

/* Whether too little of its time is left for a request that gets a place now. How long it
 * would take does not count: when the cause has gone, it is not known yet. */
static bool is_too_late(const struct fcgi_places *p, int64_t queued_us)
{
    return clock_monotonic_us() - queued_us > p->patience_us;
}

/* Looks at a connection whose request is to be refused if it is complete. */
static bool look_to_refuse(struct fcgi_places *p, int connection)
{
    p->refusing = fcgi_connections_look(p->all, connection);
    return p->refusing;
}

bool fcgi_places_look(struct fcgi_places *p, int connection)
{
    if (p->all->queued == 0 && p->free != 0)
        return fcgi_connections_look(p->all, connection);
    if (!p->all->at[connection].look && comes_too_late(p))
        return look_to_refuse(p, connection);
    fcgi_connections_mark(p->all, connection);
    return false;
}

int fcgi_places_look_at_queue(struct fcgi_places *p)
{
    while (p->all->queued > 0 && p->free != 0) {
        int first = p->all->first;
        if (is_too_late(p, p->all->at[first].queued_us)
                ? look_to_refuse(p, first)
                : fcgi_connections_look(p->all, first))
            return first;
    }
    return -1;
}

/* Places take turns. One whose request was given up may be of no use for a while, and would
 * be the next one again and again. */
static size_t next_free(const struct fcgi_places *p)
{
    assert(p->free != 0);
    uint64_t later = p->free & ~((UINT64_C(2) << p->last) - 1);

    return (size_t)__builtin_ctzll(later != 0 ? later : p->free);
}

bool fcgi_places_take(struct fcgi_places *p, int connection, size_t *place)
{
    bool refusing = p->refusing;
    int64_t now_us = clock_monotonic_us();

    p->refusing = false;
    *place = refusing ? FCGI_PLACES : next_free(p);
    p->at[*place] = (struct fcgi_place){connection, now_us};
    if (refusing)
        return true;
    p->free &= ~(UINT64_C(1) << *place);
    p->last = *place;
    if (p->free == 0)
        p->overload.full_since_us = now_us;
    return false;
}

int fcgi_places_free(struct fcgi_places *p, size_t place)
{
    const struct fcgi_place *at = &p->at[place];

    if (place < FCGI_PLACES) {
        p->free |= UINT64_C(1) << place;
        p->overload.full_since_us = 0;
        overload_measure(&p->overload, clock_monotonic_us() - at->begun_us);
    }
    return at->connection;
}

int64_t fcgi_places_retry_after_s(const struct fcgi_places *p)
{
    return overload_retry_after_s(&p->overload, p->all->queued, clock_monotonic_us());
}
