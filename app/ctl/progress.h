/*
 * How far a long command is, on standard error: a bar on a terminal, elsewhere one line a
 * minute.
 */
#ifndef APP_CTL_PROGRESS_H
#define APP_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    int64_t all;      /* the bytes of the input; 0: not known */
    bool terminal;    /* standard error is one */
    bool shown;       /* a bar is in the terminal's line */
    int64_t began_ms; /* monotonic clock */
    int64_t shown_ms; /* when it was shown last */
};

void progress_begin(struct progress *progress, int64_t all);

/* To be called at any rate; done: bytes of the input, rows: of any kind. */
void progress_show(struct progress *progress, int64_t done, int64_t rows);

/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
