#include "app/ctl/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/monitor/local.h"
#include "lib/acting.h"
#include "lib/fcgi_client.h"
#include "lib/listener.h"

enum {
    PATIENCE_MS = 5000, /* more than a probe of the writer takes */
};

/* That of crmnotes-status.socket. */
static const char usual_socket[] = "unix:/run/crmnotes/status.sock";

/* Root connects as the user whose directory the socket is in: root itself under systemd,
 * where the socket may belong to the web server's group alone. */
static enum status ask_monitor(struct fcgi_document *out, struct ctl *ctl,
                               const char *where, const char *path, struct problem *why)
{
    const char *file = listener_path(where);
    struct acting peer, user;

    acting_find(&peer, file != NULL ? file : "/");
    acting_find(&user, ctl->settings->database);
    enum status status = acting_as(&peer, &ctl->why);
    if (status == STATUS_OK)
        status = fcgi_client_get(out, where, path, PATIENCE_MS, why);
    return acting_as(&user, &ctl->why) == STATUS_OK ? status : STATUS_INTERNAL;
}

static enum status read_files(char **text, size_t *len, struct ctl *ctl,
                              const struct service_document *document, struct problem *why)
{
    struct view view;
    enum status status = local_view(&view, ctl->settings, why);
    FILE *out = status == STATUS_OK ? open_memstream(text, len) : NULL;

    if (status == STATUS_OK && out == NULL)
        status = STATUS_NO_MEMORY;
    if (out != NULL) {
        document->write(out, &view);
        if (fclose(out) != 0)
            status = STATUS_NO_MEMORY;
    }
    counters_free((struct counters *)view.counters);
    return status;
}

enum status service_ask(char **text, size_t *len, struct ctl *ctl,
                        const struct service_document *document)
{
    const char *given = ctl->settings->status_listen;
    const char *where = given[0] != '\0' ? given : usual_socket;
    struct fcgi_document answer = {.body = NULL};
    struct problem no_monitor = {""}, no_file = {""};
    enum status status = ask_monitor(&answer, ctl, where, document->path, &no_monitor);

    *text = answer.body;
    *len = answer.len;
    if (status == STATUS_OK || status == STATUS_INTERNAL)
        return status;
    if (status == STATUS_NOT_FOUND) {
        status = read_files(text, len, ctl, document, &no_file);
        if (status == STATUS_OK)
            return status;
    }
    return problem_set(&ctl->why, STATUS_UNAVAILABLE,
                       "%s%s%s: does the service run? (systemctl status crmnotes)",
                       no_monitor.text, no_file.text[0] != '\0' ? ", and " : "",
                       no_file.text);
}

enum status service_print(struct ctl *ctl, const char *text, size_t len)
{
    if (fwrite(text, 1, len, stdout) == len && fflush(stdout) == 0)
        return STATUS_OK;
    ctl->nobody_reads = true;
    if (errno == EPIPE)
        return STATUS_OK;
    return problem_set(&ctl->why, STATUS_IO, "cannot write to standard output: %s",
                       strerror(errno));
}
