#include "app/ctl/import.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/ctl/progress.h"
#include "app/manage/bulk.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/db_alone.h"
#include "lib/file.h"

enum {
    PATH_BYTES = 4096,
    BATCH_ROWS = 4096,
    BATCH_CELLS = 64 * 1024,
    BATCH_BYTES = IMPORT_ROW_MAX_BYTES,
};

/* Rows that were read, with memory of their own: nobody waits for the source while a
 * transaction is open. */
struct batch {
    struct import_row rows[BATCH_ROWS];
    struct span cells[BATCH_CELLS];
    char bytes[BATCH_BYTES];
    size_t row_count, cell_count, used;
};

struct import {
    struct ctl *ctl;
    const struct import_kind *kind;
    void *state;
    int fd;
    struct stat source;
    bool dry;
    bool open; /* a transaction is */
    struct bulk bulk;
    struct progress progress;
    int64_t rows, counts[IMPORT_OUTCOMES];
    char rejects_path[PATH_BYTES];
    FILE *rejects;           /* NULL: nothing was refused */
    struct import_row ahead; /* that has no room in the batch; no cells: none */
    struct batch batch;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

/* Signals end the import behind a transaction, so that it can say how far it is. A read
 * that waits is interrupted. */
static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = stop};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool name_rejects(struct import *import, const char *path)
{
    const struct argument *given = ctl_get(import->ctl, "--rejects");
    const char *name = given->given             ? given->text.data
                       : strcmp(path, "-") == 0 ? "import"
                                                : path;

    return snprintf(import->rejects_path, PATH_BYTES, "%s%s", name,
                    given->given ? "" : ".rejects") < PATH_BYTES;
}

static enum status open_source(struct import *import, const char *path)
{
    struct ctl *ctl = import->ctl;

    import->fd = strcmp(path, "-") == 0 ? STDIN_FILENO
                                        : ctl_open_file(ctl, path, O_RDONLY | O_NOCTTY);
    if (import->fd < 0 || fstat(import->fd, &import->source) != 0)
        return problem_set(&ctl->why, STATUS_INVALID, "cannot open %s: %s", path,
                           strerror(errno));
    return STATUS_OK;
}

enum status import_open(struct import **out, struct ctl *ctl)
{
    const char *path = ctl_get(ctl, "FILE")->text.data;
    struct import *import = *out = calloc(1, sizeof *import);

    if (import == NULL)
        return problem_set(&ctl->why, STATUS_NO_MEMORY, "out of memory");
    import->ctl = ctl;
    import->fd = -1;
    import->dry = ctl_get(ctl, "--dry-run")->given;
    if (!name_rejects(import, path))
        return problem_set(&ctl->why, STATUS_INVALID, "the name %s is too long", path);
    enum status status = open_source(import, path);
    if (status == STATUS_OK)
        status = schema_open(&ctl->db, ctl->settings->database,
                             import->dry ? DB_READ : DB_WRITE, &ctl->why);
    if (status == STATUS_OK && !import->dry)
        db_trust_references(ctl->db);
    import->bulk.db = ctl->db;
    import->bulk.database = ctl->settings->database;
    return status == STATUS_NOT_FOUND ? STATUS_UNAVAILABLE : status;
}

void import_close(struct import *import)
{
    if (import == NULL)
        return;
    if (import->fd > STDIN_FILENO)
        (void)close(import->fd);
    if (import->rejects != NULL)
        (void)fclose(import->rejects);
    free(import);
}

ssize_t import_read(void *arg, char *out, size_t size)
{
    const struct import *import = arg;

    return read(import->fd, out, size);
}

static bool copy_row(struct batch *batch, const struct import_row *row)
{
    struct span *cells = batch->cells + batch->cell_count;
    size_t bytes = 0;

    for (size_t i = 0; i < row->count; i++)
        bytes += row->cells[i].len;
    if (batch->row_count == BATCH_ROWS || bytes > BATCH_BYTES - batch->used ||
        row->count > BATCH_CELLS - batch->cell_count)
        return false;
    for (size_t i = 0; i < row->count; i++) {
        cells[i] = (struct span){batch->bytes + batch->used, row->cells[i].len};
        if (cells[i].len > 0)
            memcpy(batch->bytes + batch->used, row->cells[i].data, cells[i].len);
        batch->used += cells[i].len;
    }
    batch->rows[batch->row_count] = *row;
    batch->rows[batch->row_count++].cells = cells;
    batch->cell_count += row->count;
    return true;
}

/* STATUS_NOT_FOUND: there are no more rows. A failure is returned when the rows before it
 * are done. */
static enum status read_batch(struct import *import)
{
    struct batch *batch = &import->batch;
    struct problem why = {""};
    enum status status = STATUS_OK;

    batch->row_count = batch->cell_count = batch->used = 0;
    for (;;) {
        if (import->ahead.cells == NULL)
            status = import->kind->read(&import->ahead, import->state, &why);
        if (status != STATUS_OK)
            break;
        if (!copy_row(batch, &import->ahead))
            return STATUS_OK;
        import->ahead.cells = NULL;
    }
    if (status != STATUS_NOT_FOUND && !stopped)
        import->ctl->why = why;
    return status;
}

/* Makes the file when the first row is refused. */
static enum status open_rejects(struct import *import)
{
    struct ctl *ctl = import->ctl;
    const char *path = import->rejects_path;
    const int fd = ctl_open_file(ctl, path, O_WRONLY | O_CREAT | O_NOCTTY);
    struct stat info;

    if (fd >= 0 && fstat(fd, &info) == 0 &&
        file_id_equals(file_id_of(&info), file_id_of(&import->source))) {
        (void)close(fd);
        return problem_set(&ctl->why, STATUS_INVALID,
                           "%s is the file that is imported: name another one by --rejects",
                           path);
    }
    if (fd >= 0 && ftruncate(fd, 0) != 0 && errno != EINVAL) {
        (void)close(fd);
        return problem_set(&ctl->why, STATUS_CANT_CREATE, "cannot empty %s: %s", path,
                           strerror(errno));
    }
    import->rejects = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (import->rejects == NULL)
        return problem_set(&ctl->why, STATUS_CANT_CREATE, "cannot write %s: %s", path,
                           strerror(errno));
    import->kind->begin_rejects(import->rejects, import->state);
    return STATUS_OK;
}

static enum status reject(struct import *import, const struct import_row *row,
                          const struct problem *why)
{
    enum status status = import->rejects == NULL ? open_rejects(import) : STATUS_OK;

    if (status == STATUS_OK)
        import->kind->reject(import->rejects, import->state, row, why);
    return status;
}

static enum status begin(struct import *import)
{
    enum status status =
        import->dry ? db_read_begin(import->ctl->db) : bulk_begin(&import->bulk);

    import->open = status == STATUS_OK;
    return status;
}

static enum status end(struct import *import, enum status status)
{
    if (!import->open)
        return status;
    import->open = false;
    if (!import->dry)
        return bulk_end(&import->bulk, status);
    db_read_end(import->ctl->db);
    return status;
}

static enum status apply(struct import *import, const struct import_row *row)
{
    enum import_outcome outcome = IMPORT_REFUSED;
    struct problem why = {""};
    enum status status = import->open ? STATUS_OK : begin(import);

    if (status == STATUS_OK)
        status = import->kind->apply(&outcome, import->state, row, &why);
    if (status != STATUS_OK) {
        if (why.text[0] != '\0')
            import->ctl->why = why;
        return status;
    }
    import->rows++;
    import->counts[outcome]++;
    return outcome == IMPORT_REFUSED ? reject(import, row, &why) : STATUS_OK;
}

static enum status apply_batch(struct import *import)
{
    const struct batch *batch = &import->batch;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < batch->row_count && status == STATUS_OK && !stopped; i++) {
        status = apply(import, &batch->rows[i]);
        if (import->dry || (status == STATUS_OK && bulk_has_time(&import->bulk)))
            continue;
        status = end(import, status);
    }
    if (batch->row_count > 0)
        progress_show(&import->progress, batch->rows[batch->row_count - 1].end,
                      import->rows);
    return status;
}

/* A transaction goes on while the next rows are read from a file, but not from a pipe. */
static enum status apply_all(struct import *import)
{
    const bool waits = !S_ISREG(import->source.st_mode) || import->dry;
    enum status status = STATUS_OK, read_status = STATUS_OK;

    while (status == STATUS_OK && read_status == STATUS_OK && !stopped) {
        read_status = read_batch(import);
        status = apply_batch(import);
        if (waits || status != STATUS_OK)
            status = end(import, status);
    }
    status = end(import, status);
    if (status == STATUS_OK && read_status != STATUS_NOT_FOUND && !stopped)
        status = read_status;
    return status;
}

/* What becomes of the rows, as output. */
struct summary_row {
    int64_t rows, added, updated, unchanged, refused;
    struct span rejects;
    bool dry;
};

static const struct column columns[] = {
    {.member = "rows",
     .heading = "ROWS",
     .type = COLUMN_INT,
     OUTPUT_FIELD(summary_row, rows)},
    {.member = "added",
     .heading = "ADDED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(summary_row, added)},
    {.member = "updated",
     .heading = "UPDATED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(summary_row, updated)},
    {.member = "unchanged",
     .heading = "UNCHANGED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(summary_row, unchanged)},
    {.member = "refused",
     .heading = "REFUSED",
     .type = COLUMN_INT,
     OUTPUT_FIELD(summary_row, refused)},
    {.member = "rejects",
     .heading = "REFUSED ROWS ARE IN",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(summary_row, rejects)},
    {.member = "dry_run",
     .heading = "DRY RUN",
     .type = COLUMN_BOOL,
     OUTPUT_FIELD(summary_row, dry)},
    {.member = NULL},
};

static enum status print_summary(struct import *import)
{
    const struct summary_row row = {
        .rows = import->rows,
        .added = import->counts[IMPORT_ADDED],
        .updated = import->counts[IMPORT_UPDATED],
        .unchanged = import->counts[IMPORT_UNCHANGED],
        .refused = import->counts[IMPORT_REFUSED],
        .rejects = span_of(import->rejects != NULL ? import->rejects_path : NULL),
        .dry = import->dry,
    };

    return output_row(import->ctl->output, columns, &row);
}

static enum status close_rejects(struct import *import)
{
    FILE *rejects = import->rejects;

    if (rejects == NULL)
        return STATUS_OK;
    const bool failed = ferror(rejects) != 0;
    import->rejects = NULL;
    if (fclose(rejects) == 0 && !failed)
        return STATUS_OK;
    return problem_set(&import->ctl->why, STATUS_IO, "cannot write %s: %s",
                       import->rejects_path, strerror(errno));
}

/* The audit says that an import begins, and what it has done. */
static enum status record(struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org");

    ctl_changed(ctl, org->given ? &org->uuid : NULL, NULL);
    return STATUS_OK;
}

static enum status record_figures(struct import *import)
{
    static const char *const names[IMPORT_OUTCOMES] = {"added", "updated", "unchanged",
                                                       "refused"};
    struct ctl *ctl = import->ctl;
    struct json_object *figures = json_object_new_object();

    for (int i = 0; figures != NULL && i < IMPORT_OUTCOMES; i++)
        (void)json_object_object_add(figures, names[i],
                                     json_object_new_int64(import->counts[i]));
    ctl->figures = figures;
    ctl->now_ms = clock_now_ms();
    enum status status = ctl_write(ctl, record);
    ctl->figures = NULL;
    json_object_put(figures);
    return status;
}

static enum status finish(struct import *import, enum status status)
{
    struct ctl *ctl = import->ctl;

    if (status == STATUS_OK && stopped)
        return problem_set(&ctl->why, STATUS_BUSY,
                           "stopped after %lld rows: run the same command again to go on",
                           (long long)import->rows);
    if (status != STATUS_OK) {
        if (import->rows > 0)
            ctl_advise(ctl, " (after %lld rows, which need not be taken out of the file)",
                       (long long)import->rows);
        return status;
    }
    if (import->counts[IMPORT_REFUSED] > 0)
        (void)problem_set(&ctl->refused, STATUS_INVALID,
                          "%lld of %lld rows %s refused: mend them in %s and import that",
                          (long long)import->counts[IMPORT_REFUSED],
                          (long long)import->rows, import->dry ? "would be" : "were",
                          import->rejects_path);
    status = print_summary(import);
    return status;
}

enum status import_run(struct import *import, const struct import_kind *kind, void *state)
{
    struct ctl *ctl = import->ctl;

    import->kind = kind;
    import->state = state;
    catch_signals();
    enum status status = import->dry ? STATUS_OK : ctl_write(ctl, record);
    progress_begin(&import->progress,
                   S_ISREG(import->source.st_mode) ? import->source.st_size : 0);
    if (status == STATUS_OK)
        status = apply_all(import);
    progress_end(&import->progress);
    if (!import->dry && import->rows > 0) {
        enum status recorded = record_figures(import);
        status = status == STATUS_OK ? recorded : status;
    }
    status = finish(import, status);
    enum status closed = close_rejects(import);
    return status == STATUS_OK ? closed : status;
}
