#include "app/monitor/metrics.h"

#include <stdlib.h>

#include "app/ctl/service.h"

static enum status print_metrics(struct ctl *ctl)
{
    static const struct service_document document = {"/metrics", metrics_write};
    char *text = NULL;
    size_t len = 0;
    enum status status = service_ask(&text, &len, ctl, &document);

    if (status == STATUS_OK)
        status = service_print(ctl, text, len);
    free(text);
    return status;
}

static const struct verb verbs[] = {
    {.name = "",
     .help = "Print the figures of the service in the format of Prometheus",
     .more = "For the textfile collector of node_exporter, where Prometheus cannot ask the "
             "service\nitself. Under mod_fcgid they are read from <database>.metrics.",
     .access = CTL_ALONE,
     .one = true,
     .parameters = (const struct parameter[]){{.name = NULL}},
     .run = print_metrics},
    {.name = NULL},
};

const struct noun noun_metrics = {"metrics", "Figures of the service, for Prometheus",
                                  verbs};
