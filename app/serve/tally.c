#include "app/serve/tally.h"

#include "app/serve/limits.h"

void tally_request(const struct meter *meter, const struct exchange *x, int64_t duration_us)
{
    const struct former *former = &x->caller.former;

    meter_request(meter, x->call != NULL ? call_number(x->call) : call_count,
                  x->reply.error, duration_us);
    if (x->reply.error == ERROR_RATE_LIMITED)
        meter_count(meter, limits_meter_number(x));
    if (former->api_key_until_ms != 0)
        meter_count(meter, METER_FORMER_API_KEYS);
    if (former->secret_until_ms != 0)
        meter_count(meter, METER_FORMER_DEVELOPER_KEYS);
}
