/*
 * The help of crmnotesctl, made from its tables, and suggestions for misspelled words.
 */
#ifndef APP_CTL_HELP_H
#define APP_CTL_HELP_H

#include <stdio.h>

#include "app/ctl/ctl.h"

/* An option of the program, whatever the verb. */
struct help_option {
    const char *name;  /* with "--" */
    const char *value; /* NULL: takes none */
    const char *help;
};

/* Ends with no name. */
extern const struct help_option help_global_options[];

/* Writes the help on a verb, on a noun (verb NULL), or on the program (both NULL). */
void help_print(FILE *stream, const struct noun *noun, const struct verb *verb);

/* A search for the name that is most similar to a word, ignoring dashes before it. Offer
 * all names, then read best. */
struct help_guess {
    const char *word;
    const char *best; /* NULL: none is similar */
    size_t distance;  /* changes of one character from word to best */
};

void help_guess_offer(struct help_guess *guess, const char *name);

#endif
