#include "app/ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

enum {
    TERMINAL_MS = 200, /* between two bars */
    LINE_MS = 60000,   /* between two lines */
    BAR_COLUMNS = 24,
};

void progress_begin(struct progress *progress, int64_t all)
{
    *progress = (struct progress){
        .all = all,
        .terminal = isatty(STDERR_FILENO) == 1,
        .began_ms = clock_monotonic_ms(),
    };
    progress->shown_ms = progress->began_ms;
}

static int64_t percent_of(const struct progress *progress, int64_t done)
{
    return done >= progress->all ? 100 : done * 100 / progress->all;
}

/* The time that is left if it goes on as it did, such as "1:05 left"; empty: not known. */
static void format_left(char *out, size_t size, const struct progress *progress,
                        int64_t done, int64_t passed_ms)
{
    out[0] = '\0';
    if (progress->all == 0 || done == 0)
        return;
    const int64_t rest = progress->all > done ? progress->all - done : 0;
    const int64_t left_s =
        (int64_t)((double)passed_ms * (double)rest / (double)done / 1000);
    (void)snprintf(out, size, ", %lld:%02lld left", (long long)(left_s / 60),
                   (long long)(left_s % 60));
}

static void print_bar(int64_t percent)
{
    char bar[BAR_COLUMNS + 1];
    const int64_t full = percent * BAR_COLUMNS / 100;

    for (int i = 0; i < BAR_COLUMNS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_COLUMNS] = '\0';
    (void)fprintf(stderr, "[%s] ", bar);
}

static void print(const struct progress *progress, int64_t done, int64_t rows,
                  int64_t passed_ms)
{
    char left[48];
    const int64_t rate = passed_ms > 0 ? rows * 1000 / passed_ms : 0;

    format_left(left, sizeof left, progress, done, passed_ms);
    if (progress->terminal)
        (void)fputs("\r\033[K", stderr);
    else
        (void)fputs("crmnotesctl: ", stderr);
    if (progress->terminal && progress->all > 0)
        print_bar(percent_of(progress, done));
    if (progress->all > 0)
        (void)fprintf(stderr, "%lld%%, ", (long long)percent_of(progress, done));
    (void)fprintf(stderr, "%lld rows, %lld/s%s%s", (long long)rows, (long long)rate, left,
                  progress->terminal ? "" : "\n");
    (void)fflush(stderr);
}

void progress_show(struct progress *progress, int64_t done, int64_t rows)
{
    const int64_t now_ms = clock_monotonic_ms();

    if (now_ms - progress->shown_ms < (progress->terminal ? TERMINAL_MS : LINE_MS))
        return;
    progress->shown_ms = now_ms;
    progress->shown = progress->terminal;
    print(progress, done, rows, now_ms - progress->began_ms);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        (void)fputs("\r\033[K", stderr);
    progress->shown = false;
}
