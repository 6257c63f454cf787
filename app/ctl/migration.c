#include "app/ctl/migration.h"

enum status migration_advise_to_stop(struct ctl *ctl, enum status status)
{
    if (status == STATUS_BUSY)
        ctl_advise(ctl, ": stop it first, the service by "
                        "'systemctl stop crmnotes.socket crmnotes.service'");
    return status;
}

static enum status settle(struct ctl *ctl)
{
    return manage_migrate_settle(&ctl->change, ctl->migration, &ctl->why);
}

enum status migration_apply(struct ctl *ctl, struct migration_run *run)
{
    enum status status = manage_migrate_begin(run, &ctl->why);

    if (status == STATUS_OK && run->db != NULL) {
        ctl->db = run->db;
        ctl->migration = run;
        status = ctl_write(ctl, settle);
        ctl->db = NULL;
    }
    manage_migrate_end(run);
    return migration_advise_to_stop(ctl, status);
}
