/*
 * Asks a person on the terminal for parameters of the verb that were not given.
 *
 * Questions are written to standard error, so that standard output has only the answer of
 * the command. A value that breaks its rule is asked for again, with the reason.
 */
#ifndef APP_CTL_ASK_H
#define APP_CTL_ASK_H

#include <stdbool.h>

#include "app/ctl/ctl.h"

/* The arguments of a command line, to be completed by answers. */
struct asked {
    struct args args;
    char *lines[PARAMETERS_MAX]; /* that were typed, by the place of the parameter */
};

struct question {
    const char *parameter;
    const char *text;    /* what is asked for, without a question mark */
    const char *initial; /* what an empty line stands for; NULL: nothing */
    enum status (*check)(struct ctl *ctl); /* of the argument, beyond its rule, which says
                                              into ctl->why what is wrong; NULL: none */
};

/* Whether standard input and standard error are terminals. */
bool ask_is_possible(void);

/* Whether a parameter of PARAMETER_ASKED was not given. */
bool ask_is_needed(const struct args *args);

/* From now on ctl->args are those of *out, which ask_end() frees. */
void ask_begin(struct asked *out, struct ctl *ctl);

/*
 * Asks, unless the argument is given. An empty line stands for the initial value; without
 * one it leaves an optional parameter out. STATUS_REFUSED: the input ended.
 */
enum status ask_for(struct asked *asked, struct ctl *ctl, const struct question *question);

/* Gives ctl the arguments back that it had before. */
void ask_end(struct asked *asked, struct ctl *ctl, const struct args *before);

#endif
