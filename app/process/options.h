/*
 * The command line of crmnotes.fcgi.
 */
#ifndef APP_PROCESS_OPTIONS_H
#define APP_PROCESS_OPTIONS_H

#include <stdbool.h>

#include "app/settings.h"

struct options {
    struct settings_arguments arguments; /* pointers into argv */
    bool single, check_config, show_config, print_openapi, print_reference;
};

/* Reads argv into *out. False: the program must end with *exit_status, because --help or
 * --version was answered, or because of a mistake that was reported on standard error. */
bool options_read(struct options *out, int argc, char **argv, int *exit_status);

#endif
