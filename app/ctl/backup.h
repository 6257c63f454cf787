/* The verb db backup. */
#ifndef APP_CTL_BACKUP_H
#define APP_CTL_BACKUP_H

#include "app/ctl/ctl.h"

enum status backup_run(struct ctl *ctl);

extern const struct parameter backup_parameters[];
extern const char backup_more[];

/* Its row in the table of verbs. */
#define BACKUP_VERB                                                                        \
    {                                                                                      \
        .name = "backup",                                                                  \
        .help = "Write a verified copy of the database while the service goes on",         \
        .more = backup_more, .access = CTL_ALONE, .one = true,                             \
        .parameters = backup_parameters, .run = backup_run                                 \
    }

#endif
