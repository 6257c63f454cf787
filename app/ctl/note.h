/*
 * How a version of a note is printed, which several nouns do.
 */
#ifndef APP_CTL_NOTE_H
#define APP_CTL_NOTE_H

#include "app/store/note.h"

/* As note_print_version, without what tells versions apart. */
enum status note_print(void *output, const struct note *note);

/* A note_each; arg is the struct output. */
enum status note_print_version(void *arg, const struct note *note);

#endif
