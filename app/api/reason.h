/*
 * The words for reasons in the log.
 */
#ifndef APP_API_REASON_H
#define APP_API_REASON_H

#include "app/api/field.h"
#include "app/rules/reason.h"

/* The word of a reason; empty for REASON_NONE. */
const char *reason_word(enum reason reason);

/* The word for what is wrong with a field, to be put behind the field's name; empty for
 * FIELD_GOOD. */
const char *reason_field_word(enum field_fault fault);

#endif
