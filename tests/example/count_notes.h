/* A call that reads: how many notes has a contact? */
#ifndef TESTS_EXAMPLE_COUNT_NOTES_H
#define TESTS_EXAMPLE_COUNT_NOTES_H

#include "app/api/call.h"

extern const struct call count_notes_call;

#endif
