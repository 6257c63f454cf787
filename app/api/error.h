/*
 * The texts of each error: code, HTTP status, message, and for the documentation when it
 * comes and what to do.
 */
#ifndef APP_API_ERROR_H
#define APP_API_ERROR_H

#include "app/rules/error.h"

struct error_text {
    int http_status;     /* as published */
    int strict_status;   /* the status that HTTP defines for such an error */
    const char *code;    /* of the header X-Error-Code and of the log */
    const char *message; /* NULL: the call's table has it */
    const char *when;    /* a sentence */
    const char *remedy;  /* a sentence */
};

/* The row of an error; not for ERROR_NONE. */
const struct error_text *error_text(enum error error);

#endif
