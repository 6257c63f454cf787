#include "tests/example/program.h"

static enum status name_program(struct reply_document *out, const struct settings *settings)
{
    (void)settings;
    *out = (struct reply_document){.content_type = "text/plain; charset=utf-8",
                                   .bytes = span_of("crmnotes\n")};
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
    .policy = "default-src 'none'",
};

static enum status point_to_program(struct reply_document *out,
                                    const struct settings *settings)
{
    (void)settings;
    *out = (struct reply_document){.content_type = "text/plain; charset=utf-8",
                                   .location = "program"};
    return STATUS_OK;
}

const struct call moved_program_call = {
    .method = "GET",
    .path = "/apis/v2/public/example/moved",
    .name = "movedProgram",
    .summary = "Says where the program is named.",
    .ours = true,
    .credentials = CREDENTIALS_NONE,
    .document = point_to_program,
};
