/*
 * The table of calls with three more in it, linked in place of app/api/calls.c by
 * tests/example/crmnotes.fcgi. Each of them is a row, a handler and, where it needs the
 * database, store functions; tests/e2e/test_example_calls.py calls them through nginx.
 */
#include "app/api/add_note.h"
#include "app/api/call.h"
#include "tests/example/count_notes.h"
#include "tests/example/program.h"
#include "tests/example/set_phone.h"

const struct call *const calls[] = {
    &add_note_call, &count_notes_call, &set_phone_call, &program_call, &moved_program_call,
};

const size_t call_count = sizeof calls / sizeof calls[0];
