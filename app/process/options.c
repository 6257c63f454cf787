#include "autoconfig.h"

#include "app/process/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/process/report.h"

static const char version[] = PACKAGE_STRING "\n";

static const char help[] =
    "Usage: crmnotes.fcgi [OPTION]...\n"
    "Serves notes and contacts of a CRM by FastCGI: \"Add Notes to Contact\" and the\n"
    "calls around it.\n"
    "\n"
    "  --config FILE      read FILE, else $CRMNOTES_CONFIG, else\n"
    "                     /etc/crmnotes/crmnotes.conf if there is one\n"
    "  --database FILE    the SQLite database\n"
    "  --listen WHERE     unix:PATH, 127.0.0.1:PORT or [::1]:PORT; without it the\n"
    "                     socket that LISTEN_FDS or descriptor 0 hands over\n"
    "  --workers N        processes that serve; 0: two for each core, at least 4\n"
    "  --single           serve in this one process, for mod_fcgid\n"
    "  --check-config     say what would keep the service from starting, and end\n"
    "  --show-config      print the settings with their origin, and end\n"
    "  --print-openapi    print the description of the calls as OpenAPI 3.1, and end\n"
    "  --print-reference  print the reference for people as HTML, and end\n"
    "  --version          print the version, and end\n"
    "  --help             print this, and end\n"
    "\n"
    "Signals: TERM, INT and QUIT end after the requests in hand; HUP reloads the\n"
    "configuration and the workers; USR1 opens the log anew.\n";

static bool misused(const char *word, const char *complaint)
{
    (void)fprintf(stderr, "%s: '%s' %s: see --help\n", report_program, word, complaint);
    return false;
}

/* Reports what getopt_long rejected; code is what it returned. */
static bool misused_option(int code, const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    bool has_value = strchr(word, '=') != NULL;

    if (code == ':')
        return misused(word, "needs a value");
    if (optopt != 0 && !has_value) /* a letter: there are no short options */
        return misused(letter, "is no option");
    return misused(word, optopt != 0 ? "takes no value" : "is no option");
}

bool options_read(struct options *out, int argc, char **argv, int *exit_status)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"database", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {"single", no_argument, NULL, 's'},
        {"check-config", no_argument, NULL, 'k'},
        {"show-config", no_argument, NULL, 'o'},
        {"print-openapi", no_argument, NULL, 'p'},
        {"print-reference", no_argument, NULL, 'r'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char **const texts[] = {
        ['c'] = &out->arguments.config,
        ['d'] = &out->arguments.database,
        ['l'] = &out->arguments.listen,
        ['w'] = &out->arguments.workers,
    };
    int option;

    *exit_status = EX_USAGE;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (option == ':' || option == '?')
            return misused_option(option, argv[optind - 1]);
        if (option == 'v' || option == 'h') {
            *exit_status =
                fputs(option == 'h' ? help : version, stdout) < 0 ? EX_IOERR : EX_OK;
            return false;
        }
        if (option == 's')
            out->single = true;
        else if (option == 'k')
            out->check_config = true;
        else if (option == 'o')
            out->show_config = true;
        else if (option == 'p')
            out->print_openapi = true;
        else if (option == 'r')
            out->print_reference = true;
        else
            *texts[option] = optarg;
    }
    if (optind == argc)
        return true;
    return misused(argv[optind], "is unexpected");
}
