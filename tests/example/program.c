#include "tests/example/program.h"

static enum status name_program(struct reply_document *out, const struct settings *settings,
                                struct arena *arena)
{
    (void)settings;
    (void)arena;
    *out = (struct reply_document){"text/plain; charset=utf-8", span_of("crmnotes\n")};
    return STATUS_OK;
}

const struct call program_call = {
    .method = "GET",
    .path = "/apis/v2/public/example/program",
    .name = "program",
    .summary = "Names the program.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = name_program,
};
