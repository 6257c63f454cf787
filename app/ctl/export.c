#include "app/ctl/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/store/schema.h"

enum status export_open(struct ctl *ctl)
{
    enum status status = schema_open(&ctl->db, ctl->settings->database, DB_READ, &ctl->why);

    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

/* Reads a page into memory of its own, then writes it. */
static enum status write_page(int64_t *count, struct ctl *ctl, export_page *page,
                              void *state)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (out == NULL)
        return STATUS_NO_MEMORY;
    enum status status = page(count, out, ctl, state);
    if (fclose(out) != 0 && status == STATUS_OK)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK && size > 0 && fwrite(bytes, 1, size, stdout) != size)
        status = STATUS_IO;
    free(bytes);
    return status;
}

enum status export_run(struct ctl *ctl, export_page *page, void *state)
{
    int64_t count = 1;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && count > 0)
        status = write_page(&count, ctl, page, state);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = STATUS_IO;
    if (!ferror(stdout))
        return status;
    if (errno == EPIPE) {
        clearerr(stdout);
        return STATUS_OK;
    }
    return problem_set(&ctl->why, STATUS_IO, "cannot write to standard output: %s",
                       strerror(errno));
}
