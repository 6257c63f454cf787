#include "lib/fcgi_record.h"

#include <fastcgi.h>
#include <string.h>

enum {
    BODY_BYTES = sizeof(FCGI_EndRequestBody), /* of begin, end and unknown type alike */
};
_Static_assert(sizeof(FCGI_BeginRequestBody) == BODY_BYTES, "FastCGI 1.0, section 5.1");
_Static_assert(sizeof(FCGI_UnknownTypeBody) == BODY_BYTES, "FastCGI 1.0, section 4.2");
_Static_assert(FCGI_RECORD_HEADER_BYTES == FCGI_HEADER_LEN &&
                   FCGI_RECORD_BEGIN_BYTES == FCGI_HEADER_LEN + BODY_BYTES &&
                   FCGI_RECORD_END_BYTES == 2 * FCGI_HEADER_LEN + BODY_BYTES &&
                   FCGI_RECORD_CONTENT_BYTES <= FCGI_MAX_LENGTH,
               "FastCGI 1.0, section 3.3");

unsigned fcgi_record_id(const unsigned char header[FCGI_RECORD_HEADER_BYTES])
{
    return (unsigned)header[2] << 8 | header[3];
}

size_t fcgi_record_content(const unsigned char header[FCGI_RECORD_HEADER_BYTES])
{
    return (size_t)header[4] << 8 | header[5];
}

size_t fcgi_record_padding(const unsigned char header[FCGI_RECORD_HEADER_BYTES])
{
    return header[6];
}

static void write_header(unsigned char *out, unsigned type, unsigned id, size_t len)
{
    const unsigned char header[FCGI_HEADER_LEN] = {
        FCGI_VERSION_1,    (unsigned char)type,       (unsigned char)(id >> 8),
        (unsigned char)id, (unsigned char)(len >> 8), (unsigned char)len,
    };

    memcpy(out, header, sizeof header);
}

static size_t write_record(unsigned char *out, unsigned type, unsigned id,
                           const void *content, size_t len)
{
    write_header(out, type, id, len);
    memcpy(out + FCGI_HEADER_LEN, content, len);
    return FCGI_HEADER_LEN + len;
}

void fcgi_record_stdout(unsigned char out[FCGI_RECORD_HEADER_BYTES], unsigned id,
                        size_t len)
{
    write_header(out, FCGI_STDOUT, id, len);
}

void fcgi_record_end(unsigned char out[FCGI_RECORD_END_BYTES], unsigned id)
{
    static const FCGI_EndRequestBody complete = {.protocolStatus = FCGI_REQUEST_COMPLETE};

    write_header(out, FCGI_STDOUT, id, 0);
    (void)write_record(out + FCGI_HEADER_LEN, FCGI_END_REQUEST, id, &complete,
                       sizeof complete);
}

size_t fcgi_record_refuse(unsigned char out[FCGI_RECORD_REPLY_BYTES], unsigned id,
                          unsigned why)
{
    const FCGI_EndRequestBody body = {.protocolStatus = (unsigned char)why};

    return write_record(out, FCGI_END_REQUEST, id, &body, sizeof body);
}

size_t fcgi_record_values(unsigned char out[FCGI_RECORD_REPLY_BYTES], bool mpxs_conns)
{
    static const char value[] = "\x0f\x01" FCGI_MPXS_CONNS "0";

    return write_record(out, FCGI_GET_VALUES_RESULT, 0, value,
                        mpxs_conns ? sizeof value - 1 : 0);
}

size_t fcgi_record_unknown_type(unsigned char out[FCGI_RECORD_REPLY_BYTES], unsigned type)
{
    const FCGI_UnknownTypeBody body = {.type = (unsigned char)type};

    return write_record(out, FCGI_UNKNOWN_TYPE, 0, &body, sizeof body);
}
