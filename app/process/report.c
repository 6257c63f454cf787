#include "app/process/report.h"

#include <stdio.h>

const char report_program[] = "crmnotes.fcgi";

int report_failure(int exit_status, const struct problem *why)
{
    (void)fprintf(stderr, "%s: %s\n", report_program, why->text);
    return exit_status;
}

void report_warning(const char *path, const char *sentence)
{
    (void)fprintf(stderr, "%s: warning: %s: %s\n", report_program, path, sentence);
}
