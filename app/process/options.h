/*
 * The command line of crmnotes.fcgi.
 */
#ifndef APP_PROCESS_OPTIONS_H
#define APP_PROCESS_OPTIONS_H

#include <stdbool.h>

#include "app/settings.h"

struct options {
    struct settings_arguments arguments; /* pointers into argv */
    bool single, check_config, show_config;
};

/* Reads argv into *out. False: the program is to end with *exit_status; --help and --version
 * were answered, or a sentence on standard error says what is wrong. */
bool options_read(struct options *out, int argc, char **argv, int *exit_status);

#endif
