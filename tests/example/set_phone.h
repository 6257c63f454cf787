/* A call that writes: sets the telephone number of a contact. */
#ifndef TESTS_EXAMPLE_SET_PHONE_H
#define TESTS_EXAMPLE_SET_PHONE_H

#include "app/api/call.h"

extern const struct call set_phone_call;

#endif
