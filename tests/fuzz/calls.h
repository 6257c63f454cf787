/*
 * The calls that fuzz_request serves: those of the program but its documents, and two more, so that answers
 * to GET and HEAD and all types of fields are covered.
 */
#ifndef TESTS_FUZZ_CALLS_H
#define TESTS_FUZZ_CALLS_H

#include "app/api/call.h"

#define CALLS_DOCUMENT_TYPE "text/plain"
#define CALLS_DOCUMENT_TEXT "a document\n"

/* GET, without credentials: answers CALLS_DOCUMENT_TEXT. */
extern const struct call calls_document;

/* GET, with a developer secret: answers the fields that were sent. */
extern const struct call calls_look;

#endif
