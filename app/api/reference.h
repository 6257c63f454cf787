/*
 * The reference for people: a page about all calls, made of their table, with its style,
 * its script and its icon.
 */
#ifndef APP_API_REFERENCE_H
#define APP_API_REFERENCE_H

#include <stdio.h>

#include "app/api/call.h"

/* Writes the page, with the limits of settings. Whether writing failed is the stream's to
 * say (ferror). */
void reference_write(FILE *out, const struct settings *settings);

extern const struct call reference_call, reference_style_call, reference_script_call,
    reference_icon_call, reference_moved_call;

#endif
