/*
 * The call "Fetch Identifiers": what a program needs for the other calls, by its developer
 * secret alone.
 */
#ifndef APP_API_FETCH_IDENTIFIERS_H
#define APP_API_FETCH_IDENTIFIERS_H

#include "app/api/call.h"

extern const struct call fetch_identifiers_call;

#endif
