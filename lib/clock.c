#include "autoconfig.h"

#include "lib/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(time_t) >= 8, "years 0 to 9999 are more than 32 bits of seconds");

enum {
    SECONDS_PER_DAY = 86400,
};

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z */
static const int64_t earliest_ms = INT64_C(-62167219200000);
static const int64_t latest_ms = INT64_C(253402300799999);

/* A date and time as written, before its offset is applied. */
struct date_time {
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second; /* 60 is a leap second */
    unsigned ms;
    int offset_minutes; /* east of Greenwich */
};

static struct timespec read_clock(clockid_t id)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(id, &now);
    return now;
}

int64_t clock_now_ms(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);

    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);

    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* Writes the last digits of number. */
static void put(char *out, size_t digits, unsigned number)
{
    for (; digits > 0; number /= 10)
        out[--digits] = (char)('0' + number % 10);
}

enum {
    DAY_MS = 24 * 60 * 60 * 1000,
    DATE_LEN = sizeof "0000-00-00" - 1,
};

/* The date of a day since the year 0. Times that are written one after the other are
 * often of one day, and the calendar takes most of the time. */
static const char *date_of(int64_t day)
{
    static int64_t last_day = -1;
    static char date[] = "0000-00-00";
    struct tm tm;

    if (day == last_day)
        return date;
    time_t seconds = (time_t)(earliest_ms / 1000 + day * (DAY_MS / 1000));
    (void)gmtime_r(&seconds, &tm);
    put(date, 4, (unsigned)(tm.tm_year + 1900));
    put(date + 5, 2, (unsigned)(tm.tm_mon + 1));
    put(date + 8, 2, (unsigned)tm.tm_mday);
    last_day = day;
    return date;
}

void clock_format(int64_t ms, char out[CLOCK_TEXT_BYTES])
{
    if (ms < earliest_ms)
        ms = earliest_ms;
    if (ms > latest_ms)
        ms = latest_ms;
    int64_t since_year_0_ms = ms - earliest_ms;
    unsigned in_day_ms = (unsigned)(since_year_0_ms % DAY_MS);
    memcpy(out, "0000-00-00T00:00:00.000Z", CLOCK_TEXT_BYTES);
    memcpy(out, date_of(since_year_0_ms / DAY_MS), DATE_LEN);
    put(out + 11, 2, in_day_ms / 3600000);
    put(out + 14, 2, in_day_ms / 60000 % 60);
    put(out + 17, 2, in_day_ms / 1000 % 60);
    put(out + 20, 3, in_day_ms % 1000);
}

static bool take(struct span *text, const char *one_of)
{
    if (text->len == 0 || *text->data == '\0' || strchr(one_of, *text->data) == NULL)
        return false;
    text->data++;
    text->len--;
    return true;
}

static bool next_is_digit(const struct span *text)
{
    return text->len > 0 && *text->data >= '0' && *text->data <= '9';
}

static bool take_digits(struct span *text, size_t count, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (!next_is_digit(text))
            return false;
        *out = *out * 10 + (unsigned)(*text->data - '0');
        text->data++;
        text->len--;
    }
    return true;
}

static bool take_fraction(struct span *text, unsigned *ms)
{
    unsigned digit = 0;

    *ms = 0;
    if (!take(text, "."))
        return true;
    if (!next_is_digit(text))
        return false;
    for (unsigned worth = 100; take_digits(text, 1, &digit); worth /= 10)
        *ms += digit * worth;
    return true;
}

static bool take_offset(struct span *text, int *offset_minutes)
{
    unsigned hours = 0;
    unsigned minutes = 0;

    *offset_minutes = 0;
    if (take(text, "Zz"))
        return true;
    bool is_west = text->len > 0 && *text->data == '-';
    if (!take(text, "+-") || !take_digits(text, 2, &hours) || !take(text, ":") ||
        !take_digits(text, 2, &minutes))
        return false;
    *offset_minutes = (int)(hours * 60 + minutes) * (is_west ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static bool take_date_time(struct span *text, struct date_time *out)
{
    return take_digits(text, 4, &out->year) && take(text, "-") &&
           take_digits(text, 2, &out->month) && take(text, "-") &&
           take_digits(text, 2, &out->day) && take(text, "Tt") &&
           take_digits(text, 2, &out->hour) && take(text, ":") &&
           take_digits(text, 2, &out->minute) && take(text, ":") &&
           take_digits(text, 2, &out->second) && take_fraction(text, &out->ms) &&
           take_offset(text, &out->offset_minutes) && text->len == 0;
}

/* False: there is no such date or time. timegm normalizes one that does not exist, such as
 * February 30, which shows in the fields. */
static bool seconds_of(int64_t *out, const struct date_time *t)
{
    bool is_leap_second = t->second == 60;
    struct tm tm = {
        .tm_year = (int)t->year - 1900,
        .tm_mon = (int)t->month - 1,
        .tm_mday = (int)t->day,
        .tm_hour = (int)t->hour,
        .tm_min = (int)t->minute,
        .tm_sec = (int)t->second - is_leap_second,
    };
    const struct tm given = tm;

    *out = timegm(&tm);
    if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
        tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min ||
        tm.tm_sec != given.tm_sec)
        return false;
    *out -= (int64_t)t->offset_minutes * 60;
    /* a leap second is the last one of a day of UTC; which days had one is not known
     * here */
    return !is_leap_second || (*out + 1) % SECONDS_PER_DAY == 0;
}

enum status clock_parse(int64_t *out_ms, struct span text)
{
    struct date_time t;
    int64_t seconds = 0;

    *out_ms = 0;
    if (!take_date_time(&text, &t) || !seconds_of(&seconds, &t))
        return STATUS_INVALID;
    *out_ms = seconds * 1000 + t.ms;
    return STATUS_OK;
}

int64_t clock_unit_s(char unit)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].unit == unit)
            return units[i].seconds;
    return 0;
}
