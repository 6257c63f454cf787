/* A call without credentials that answers text: what program is this? */
#ifndef TESTS_EXAMPLE_PROGRAM_H
#define TESTS_EXAMPLE_PROGRAM_H

#include "app/api/call.h"

extern const struct call program_call;

#endif
