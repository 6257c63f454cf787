/*
 * FastCGI records (specification 1.0): what stands in the bytes that a connection holds.
 *
 * Keeps nothing. libfcgi gets to see nothing but what was found in order
 * here, because it would wait for more on a connection whose peer believes to be done.
 */
#ifndef LIB_FCGI_RECORD_H
#define LIB_FCGI_RECORD_H

#include <stddef.h>

enum {
    FCGI_RECORD_ANSWER_BYTES = 48, /* the longest of fcgi_record_answer */
};

enum fcgi_record_verdict {
    FCGI_RECORD_HEAD_MISSING, /* more of parameters or of a single record is to come */
    FCGI_RECORD_BODY_MISSING, /* all parameters are there, more of the body is to come */
    FCGI_RECORD_COMPLETE,     /* a whole request */
    FCGI_RECORD_MANAGEMENT,   /* a whole record that belongs to no request */
    FCGI_RECORD_UNKNOWN_ROLE, /* a request for something other than an HTTP answer */
    FCGI_RECORD_WRONG,        /* no FastCGI, aborted, or against its rules */
};

/* Judges the bytes from the first of a record on. */
enum fcgi_record_verdict fcgi_record_judge(const unsigned char *bytes, size_t len);

/*
 * Takes records of the body out of a request as soon as what precedes them holds more than
 * max_bytes of it, and moves what follows up; a record that is not whole stays. Returns what
 * len is then; *left_out grows by the bytes of the body that were taken out.
 */
size_t fcgi_record_shorten(unsigned char *bytes, size_t len, size_t max_bytes,
                           size_t *left_out);

/* The length of the first record, header and padding included. */
size_t fcgi_record_bytes(const unsigned char *bytes);

/* Writes what the first record is to be answered with after FCGI_RECORD_MANAGEMENT or
 * FCGI_RECORD_UNKNOWN_ROLE, and returns its length. */
size_t fcgi_record_answer(const unsigned char *bytes,
                          unsigned char out[FCGI_RECORD_ANSWER_BYTES]);

#endif
