/*
 * crmnotes.fcgi: the service.
 */
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>

#include "app/api/openapi.h"
#include "app/api/reference.h"
#include "app/process/check_config.h"
#include "app/process/options.h"
#include "app/process/report.h"
#include "app/process/start.h"
#include "app/settings.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/process_title.h"
#include "lib/signals.h"

static void log_database_problem(int code, const char *message)
{
    LOG(LEVEL_WARNING, "sqlite", LOG_NUMBER("code", code), LOG_TEXT("message", message));
}

static int run(struct state *state)
{
    struct problem why = {""};

    state->settings = settings_create(&state->options.arguments, &why);
    if (state->settings == NULL)
        return report_failure(EX_CONFIG, &why);
    if (state->options.show_config) {
        settings_print(state->settings, stdout);
        return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
    }
    if (state->options.print_openapi)
        return openapi_print(stdout, state->settings) == STATUS_OK && fflush(stdout) == 0
                   ? EX_OK
                   : EX_IOERR;
    if (state->options.print_reference) {
        reference_write(stdout, state->settings);
        return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
    }
    if (start_find_identity(state, &why) != STATUS_OK)
        return report_failure(EX_CONFIG, &why);
    return state->options.check_config ? check_config(state) : start(state);
}

int main(int argc, char **argv)
{
    struct state state = {
        .listening = -1, .status_listening = -1, .give = -1, .take = -1, .slots = INT_MAX};
    int exit_status;

    process_title_init(argc, argv, report_program);
    if (!options_read(&state.options, argc, argv, &exit_status))
        return exit_status;
    privileges_harden();
    signals_init();
    if (secret_init() != STATUS_OK || db_init(log_database_problem) != STATUS_OK)
        return report_failure(EX_SOFTWARE,
                              &(struct problem){"a library cannot be initialised"});
    exit_status = run(&state);
    state_free(&state);
    return exit_status;
}
