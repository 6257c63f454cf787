/*
 * How a version of a note is printed, which several nouns do.
 */
#ifndef APP_CTL_NOTE_H
#define APP_CTL_NOTE_H

#include "app/ctl/output.h"

/* Of a struct note. */
extern const struct column note_version_columns[];

#endif
