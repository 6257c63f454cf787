/*
 * FastCGI records (specification 1.0): judges bytes that came from a peer, and writes the
 * records of answers.
 *
 * Has no state and does no I/O. Requests are judged here before libfcgi reads them, because
 * libfcgi trusts their lengths and waits for missing bytes.
 */
#ifndef LIB_FCGI_RECORD_H
#define LIB_FCGI_RECORD_H

#include <stddef.h>

enum {
    FCGI_RECORD_ANSWER_BYTES = 48, /* the longest of fcgi_record_answer */
    FCGI_RECORD_HEADER_BYTES = 8,
    FCGI_RECORD_CONTENT_BYTES = 65528, /* of one record; more could not be padded to 8 */
    FCGI_RECORD_END_BYTES = 24,        /* of fcgi_record_end */
};

enum fcgi_record_verdict {
    FCGI_RECORD_HEAD_MISSING, /* more of parameters or of a single record is to come */
    FCGI_RECORD_BODY_MISSING, /* all parameters are there, more of the body is to come */
    FCGI_RECORD_COMPLETE,     /* a whole request */
    FCGI_RECORD_MANAGEMENT,   /* a whole record that belongs to no request */
    FCGI_RECORD_UNKNOWN_ROLE, /* a request for something other than an HTTP answer */
    FCGI_RECORD_WRONG,        /* no FastCGI, aborted, or against its rules */
};

/* Judges bytes that begin with the first byte of a record. */
enum fcgi_record_verdict fcgi_record_judge(const unsigned char *bytes, size_t len);

/*
 * Removes records of the body from a request once those before them hold more than
 * max_bytes of it; a record that is not whole stays. Returns the new length; *left_out
 * grows by the bytes of the body that were removed.
 */
size_t fcgi_record_shorten(unsigned char *bytes, size_t len, size_t max_bytes,
                           size_t *left_out);

/* The length of the first record, header and padding included. */
size_t fcgi_record_bytes(const unsigned char *bytes);

/* Writes the answer to a first record that was judged FCGI_RECORD_MANAGEMENT or
 * FCGI_RECORD_UNKNOWN_ROLE, and returns its length. */
size_t fcgi_record_answer(const unsigned char *bytes,
                          unsigned char out[FCGI_RECORD_ANSWER_BYTES]);

/* Writes the header of a record with len (at most FCGI_RECORD_CONTENT_BYTES) bytes of an
 * answer to the request `id`. */
void fcgi_record_stdout(unsigned char out[FCGI_RECORD_HEADER_BYTES], unsigned id,
                        size_t len);

/* Writes what follows the last byte of an answer: the end of the stream and of the
 * request. */
void fcgi_record_end(unsigned char out[FCGI_RECORD_END_BYTES], unsigned id);

#endif
