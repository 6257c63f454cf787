#include "autoconfig.h"

#include "lib/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum {
    SECONDS_PER_DAY = 86400,
    MS_PER_DAY = 86400000,
    DAYS_PER_ERA = 146097, /* 400 years, after which the calendar repeats */
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
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

/* Counting years from March puts the leap day last, so that one formula serves all. */
static unsigned days_before_month(unsigned months_from_march)
{
    return (153 * months_from_march + 2) / 5;
}

static int64_t days_from_date(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year + 400 - (month < 3); /* one era up: January of 0 is no -1 */
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400;

    return days + days_before_month((month + 9) % 12) + day - 1 - DAYS_PER_ERA -
           DAYS_TO_1970;
}

static void date_from_days(struct date_time *out, int64_t days)
{
    unsigned from_march = (unsigned)(days + DAYS_TO_1970 + DAYS_PER_ERA);
    unsigned era = from_march / DAYS_PER_ERA;
    unsigned day = from_march % DAYS_PER_ERA;
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * day_of_year + 2) / 153;

    out->day = day_of_year - days_before_month(month) + 1;
    out->month = month < 10 ? month + 3 : month - 9;
    out->year = era * 400 + year - 400 + (out->month < 3);
}

void clock_format(int64_t ms, char out[CLOCK_TEXT_BYTES])
{
    struct date_time date;

    if (ms < earliest_ms)
        ms = earliest_ms;
    if (ms > latest_ms)
        ms = latest_ms;
    int64_t since_year_0 = ms - earliest_ms;
    unsigned in_day = (unsigned)(since_year_0 % MS_PER_DAY);
    date_from_days(&date, since_year_0 / MS_PER_DAY + earliest_ms / MS_PER_DAY);
    (void)snprintf(out, CLOCK_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                   date.year % 10000, date.month % 100, date.day % 100, in_day / 3600000,
                   in_day / 60000 % 60, in_day / 1000 % 60, in_day % 1000);
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

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool exists(const struct date_time *t)
{
    return t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= days_of_month(t->year, t->month) && t->hour < 24 && t->minute < 60 &&
           t->second <= 60;
}

enum status clock_parse(int64_t *out_ms, struct span text)
{
    struct date_time t;

    *out_ms = 0;
    if (!take_date_time(&text, &t) || !exists(&t))
        return STATUS_INVALID;
    bool is_leap_second = t.second == 60;
    int64_t seconds = days_from_date(t.year, t.month, t.day) * SECONDS_PER_DAY;
    seconds += (int64_t)t.hour * 3600 + ((int64_t)t.minute - t.offset_minutes) * 60;
    seconds += t.second - is_leap_second;
    /* Leap seconds end a day of UTC; which days had one is not for this program to know. */
    if (is_leap_second && (seconds + 1) % SECONDS_PER_DAY != 0)
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
