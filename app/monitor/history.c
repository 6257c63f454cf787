#include "app/monitor/history.h"

#include "lib/shared.h"

struct history {
    size_t next, count; /* a ring */
    struct sample samples[HISTORY_SAMPLES];
};

struct history *history_create(void)
{
    return shared_create(sizeof(struct history));
}

void history_free(struct history *history)
{
    shared_free(history, sizeof *history);
}

static const struct sample *last(const struct history *h)
{
    return &h->samples[(h->next + HISTORY_SAMPLES - 1) % HISTORY_SAMPLES];
}

bool history_is_due(const struct history *h, int64_t now_ms)
{
    return h->count == 0 || now_ms - last(h)->at_ms >= HISTORY_STEP_MS;
}

void history_add(struct history *h, const struct sample *sample)
{
    if (!history_is_due(h, sample->at_ms))
        return;
    h->samples[h->next] = *sample;
    h->next = (h->next + 1) % HISTORY_SAMPLES;
    if (h->count < HISTORY_SAMPLES)
        h->count++;
}

size_t history_read(const struct history *h, struct sample out[HISTORY_SAMPLES])
{
    size_t first = (h->next + HISTORY_SAMPLES - h->count) % HISTORY_SAMPLES;

    for (size_t i = 0; i < h->count; i++)
        out[i] = h->samples[(first + i) % HISTORY_SAMPLES];
    return h->count;
}

int64_t history_percentile_us(const struct sample *from, const struct sample *to,
                              double share)
{
    const int64_t *bounds = meter_request_bounds_us;
    int64_t total = 0, below = 0;

    for (size_t i = 0; i < HISTORY_TIMES; i++)
        total += to->times[i] - from->times[i];
    if (total <= 0)
        return 0;
    const double wanted = share * (double)total;
    for (size_t i = 0; i < METER_REQUEST_BUCKETS; i++) {
        int64_t in_bucket = to->times[i] - from->times[i];
        int64_t lower_us = i > 0 ? bounds[i - 1] : 0;
        if (in_bucket > 0 && (double)(below + in_bucket) >= wanted)
            return lower_us + (int64_t)((double)(bounds[i] - lower_us) *
                                        (wanted - (double)below) / (double)in_bucket);
        below += in_bucket;
    }
    return bounds[METER_REQUEST_BUCKETS - 1];
}

double history_rate(int64_t from, int64_t to, const struct sample *first,
                    const struct sample *last_one)
{
    int64_t ms = last_one->at_ms - first->at_ms;

    return ms > 0 ? (double)(to - from) * 1000 / (double)ms : 0;
}
