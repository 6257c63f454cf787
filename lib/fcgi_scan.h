/*
 * Goes through the records of one FastCGI connection as their bytes arrive: which bytes
 * belong to the next request, and what has to be answered to the peer at once. Does no I/O.
 *
 * A connection carries one request at a time, and the next one begins behind the last byte
 * of that before. While a request is unfinished,
 *
 *   - another one that begins is refused (FCGI_CANT_MPX_CONN);
 *   - records that belong to no request are answered, as they are between two requests;
 *   - records of requests that have not begun, were refused or have ended are ignored
 *     (specification 1.0, section 3.3);
 *   - its own records have to come in order, and FCGI_ABORT_REQUEST ends it.
 *
 * Requests are checked here before libfcgi reads them, because libfcgi trusts their
 * lengths, waits for missing bytes, and reads beyond the end of a request.
 */
#ifndef LIB_FCGI_SCAN_H
#define LIB_FCGI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fcgi_pairs.h"
#include "lib/fcgi_record.h"

enum fcgi_scan_state {
    FCGI_SCAN_BETWEEN,  /* no request has begun */
    FCGI_SCAN_PARAMS,   /* more of its parameters is to come */
    FCGI_SCAN_BODY,     /* all parameters are there, more of the body is to come */
    FCGI_SCAN_COMPLETE, /* the request is complete but for padding */
    FCGI_SCAN_WRONG,    /* no FastCGI, or against its rules: close the connection */
};

/* What the present record is for. */
enum fcgi_scan_use {
    FCGI_SCAN_IGNORE,
    FCGI_SCAN_ITS_PARAMS,
    FCGI_SCAN_ITS_BODY,
    FCGI_SCAN_VALUES,  /* a question that is answered at its end */
    FCGI_SCAN_UNKNOWN, /* likewise */
};

/* {0}: at the start of a connection. */
struct fcgi_scan {
    enum fcgi_scan_state state;
    unsigned id; /* of the request that has begun */
    bool keep;   /* and whether its connection may stay */
    /* True when libfcgi cannot read the request as it came: other records lie between its
     * own, or it has more body than max_body_bytes. */
    bool mixed;
    size_t body_bytes; /* that belong to the request */
    size_t left_out;   /* further bytes of the body, beyond max_body_bytes */
    /* the present record: */
    unsigned char head[FCGI_RECORD_BEGIN_BYTES]; /* its header; of a begin all of it */
    unsigned have;                               /* bytes of head; 0: a record is next */
    enum fcgi_scan_use use;
    size_t content, padding; /* bytes that are still to come */
    unsigned matched;        /* bytes of a value's name; all: it was found */
    struct fcgi_pairs pairs;
};

enum fcgi_scan_kind {
    FCGI_SCAN_NOTHING, /* the bytes are not to be kept */
    FCGI_SCAN_HEAD,    /* keep head_len bytes of scan->head, which says "no padding" */
    FCGI_SCAN_CONTENT, /* keep the bytes that were gone through */
    FCGI_SCAN_GONE,    /* the request was aborted: keep nothing of it */
};

/* The result of a step. */
struct fcgi_scan_step {
    enum fcgi_scan_kind kind;
    size_t head_len;
    size_t reply_len; /* send so many bytes of reply to the peer; 0: nothing */
    unsigned char reply[FCGI_RECORD_REPLY_BYTES];
};

/* Goes through one more piece of the connection's bytes (len > 0), at most to the end of
 * the header, content or padding of a record, and returns its length. The state is neither
 * FCGI_SCAN_COMPLETE nor _WRONG. Of a body those records are kept before which there were
 * at most max_body_bytes. */
size_t fcgi_scan_go_on(struct fcgi_scan *scan, const unsigned char *bytes, size_t len,
                       size_t max_body_bytes, struct fcgi_scan_step *step);

/* After FCGI_SCAN_COMPLETE: goes through the padding at the end of the request, and returns
 * how many of the len bytes that follow it is. More of it may come later. */
size_t fcgi_scan_pad(struct fcgi_scan *scan, size_t len);

/* After FCGI_SCAN_COMPLETE: goes on to the next request. */
void fcgi_scan_next(struct fcgi_scan *scan);

/* True when a part of the present record's header has arrived, so that it is not known what
 * the record is. */
bool fcgi_scan_is_in_head(const struct fcgi_scan *scan);

/* True at the end of a record, but for its padding, where no request has begun. */
bool fcgi_scan_rests(const struct fcgi_scan *scan);

#endif
