/*
 * FastCGI records (specification 1.0) as bytes: reads their headers, and writes the records
 * of answers. Has no state and does no I/O.
 */
#ifndef LIB_FCGI_RECORD_H
#define LIB_FCGI_RECORD_H

#include <stdbool.h>
#include <stddef.h>

enum {
    FCGI_RECORD_HEADER_BYTES = 8,
    FCGI_RECORD_BEGIN_BYTES = 16,      /* of a whole record that begins a request */
    FCGI_RECORD_CONTENT_BYTES = 65528, /* of one record; more could not be padded to 8 */
    FCGI_RECORD_END_BYTES = 24,        /* of fcgi_record_end */
    FCGI_RECORD_REPLY_BYTES = 48,      /* the longest of the other records written here */
};

/* What a header says; the first byte, the version, is not looked at. */
unsigned fcgi_record_id(const unsigned char header[FCGI_RECORD_HEADER_BYTES]);
size_t fcgi_record_content(const unsigned char header[FCGI_RECORD_HEADER_BYTES]);
size_t fcgi_record_padding(const unsigned char header[FCGI_RECORD_HEADER_BYTES]);

/* Writes the header of a record with len (at most FCGI_RECORD_CONTENT_BYTES) bytes of an
 * answer to the request `id`. */
void fcgi_record_stdout(unsigned char out[FCGI_RECORD_HEADER_BYTES], unsigned id,
                        size_t len);

/* Writes what follows the last byte of an answer: the end of the stream and of the
 * request. */
void fcgi_record_end(unsigned char out[FCGI_RECORD_END_BYTES], unsigned id);

/* Each writes a record and returns its length. */

/* The end of a request that got no answer; why: a protocol status of the specification. */
size_t fcgi_record_refuse(unsigned char out[FCGI_RECORD_REPLY_BYTES], unsigned id,
                          unsigned why);

/* The answer to a question for values. mpxs_conns: FCGI_MPXS_CONNS was among them; the
 * other values of the specification are not known here. */
size_t fcgi_record_values(unsigned char out[FCGI_RECORD_REPLY_BYTES], bool mpxs_conns);

/* The answer to another record that belongs to no request. */
size_t fcgi_record_unknown_type(unsigned char out[FCGI_RECORD_REPLY_BYTES], unsigned type);

#endif
