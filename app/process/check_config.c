#include "app/process/check_config.h"

#include <stdio.h>
#include <sysexits.h>

#include "app/process/check_database.h"
#include "app/process/report.h"
#include "lib/geo.h"
#include "lib/listener.h"
#include "lib/log.h"

static void warn_of_geo_file(void *arg, const char *path, const char *sentence)
{
    (void)arg;
    report_warning(path, sentence);
}

/* The service starts without these files, too. */
static void check_geo_files(const struct settings *settings)
{
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};

    geo_free(geo_create(&paths, warn_of_geo_file, NULL));
}

/* Reports a problem; the exit status is that of the first one. */
static void note_problem(int *exit_status, int found, const struct problem *why)
{
    if (found == EX_OK)
        return;
    (void)report_failure(found, why);
    if (*exit_status == EX_OK)
        *exit_status = found;
}

static int exit_status_of_place(enum status status)
{
    return status == STATUS_OK            ? EX_OK
           : status == STATUS_CANT_CREATE ? EX_CANTCREAT
                                          : EX_CONFIG;
}

static void check_key_and_database(int *exit_status, struct state *state)
{
    const struct check check = {
        .settings = state->settings,
        .config = settings_config_path(&state->options.arguments),
        .become = state->drop ? &state->identity : NULL,
    };
    struct problem why = {""};
    bool has_key = check_key_file(&state->key, state->settings, &why) == STATUS_OK;

    note_problem(exit_status, has_key ? EX_OK : EX_CONFIG, &why);
    enum status status = check_database(&check, has_key, &why);
    note_problem(exit_status, check_exit_status(status), &why);
}

int check_config(struct state *state)
{
    const struct settings *s = state->settings;
    int exit_status = EX_OK;
    struct problem why = {""};

    settings_print_files(s, stdout);
    if (fflush(stdout) != 0)
        exit_status = EX_IOERR;
    check_key_and_database(&exit_status, state);
    if (s->listen[0] != '\0') {
        enum status status = listener_check(s->listen, s->socket_group, &why);
        note_problem(&exit_status, exit_status_of_place(status), &why);
    }
    if (s->status_listen[0] != '\0') {
        enum status status = listener_check(s->status_listen, s->socket_group, &why);
        note_problem(&exit_status, exit_status_of_place(status), &why);
    }
    note_problem(&exit_status, exit_status_of_place(log_check(s->log, &why)), &why);
    check_geo_files(s);
    return exit_status;
}
