/* Calls without credentials: one that answers text (what program is this?), and one that was
 * the place of that text before. */
#ifndef TESTS_EXAMPLE_PROGRAM_H
#define TESTS_EXAMPLE_PROGRAM_H

#include "app/api/call.h"

extern const struct call program_call;
extern const struct call moved_program_call;

#endif
