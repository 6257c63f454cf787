#include "lib/fcgi_output.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fcgi_record.h"

size_t fcgi_output_bytes(size_t len)
{
    size_t records = (len + FCGI_RECORD_CONTENT_BYTES - 1) / FCGI_RECORD_CONTENT_BYTES;

    return records * FCGI_RECORD_HEADER_BYTES + len + FCGI_RECORD_END_BYTES;
}

/* Copies all records of the answer. */
static enum status copy(struct fcgi_output *output, unsigned id, struct span answer)
{
    size_t len = fcgi_output_bytes(answer.len);
    char *out = malloc(len);

    if (out == NULL)
        return STATUS_NO_MEMORY;
    *output = (struct fcgi_output){.bytes = out, .len = len};
    for (size_t at = 0; at < answer.len; at += FCGI_RECORD_CONTENT_BYTES) {
        size_t left = answer.len - at;
        size_t size = left < FCGI_RECORD_CONTENT_BYTES ? left : FCGI_RECORD_CONTENT_BYTES;
        fcgi_record_stdout((unsigned char *)out, id, size);
        memcpy(out + FCGI_RECORD_HEADER_BYTES, answer.data + at, size);
        out += FCGI_RECORD_HEADER_BYTES + size;
    }
    fcgi_record_end((unsigned char *)out, id);
    return STATUS_OK;
}

/* Sends an answer of one record from where it is. *sent: how much of it the socket took. */
static enum status send_record(int fd, unsigned id, struct span answer, size_t *sent)
{
    unsigned char header[FCGI_RECORD_HEADER_BYTES], end[FCGI_RECORD_END_BYTES];
    struct iovec pieces[] = {
        {header, sizeof header},
        {(void *)(uintptr_t)answer.data, answer.len},
        {end, sizeof end},
    };
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};

    fcgi_record_stdout(header, id, answer.len);
    fcgi_record_end(end, id);
    ssize_t got = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    *sent = got > 0 ? (size_t)got : 0;
    if (got < 0 && errno != EAGAIN)
        return STATUS_IO;
    return *sent == fcgi_output_bytes(answer.len) ? STATUS_OK : STATUS_BUSY;
}

enum status fcgi_output_start(struct fcgi_output *output, int fd, unsigned id,
                              struct span answer, size_t max_bytes)
{
    size_t sent = 0;
    enum status status = STATUS_BUSY;

    if (answer.len > 0 && answer.len <= FCGI_RECORD_CONTENT_BYTES)
        status = send_record(fd, id, answer, &sent);
    if (status != STATUS_BUSY)
        return status;
    if (fcgi_output_bytes(answer.len) > max_bytes)
        return STATUS_TOO_LARGE;
    status = copy(output, id, answer);
    if (status != STATUS_OK)
        return status;
    output->sent = sent;
    status = fcgi_output_go_on(output, fd);
    if (status == STATUS_IO)
        fcgi_output_clear(output);
    return status;
}

enum status fcgi_output_go_on(struct fcgi_output *output, int fd)
{
    while (output->sent < output->len) {
        ssize_t got = send(fd, output->bytes + output->sent, output->len - output->sent,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
        if (got < 0)
            return errno == EAGAIN ? STATUS_BUSY : STATUS_IO;
        output->sent += (size_t)got;
    }
    fcgi_output_clear(output);
    return STATUS_OK;
}

void fcgi_output_clear(struct fcgi_output *output)
{
    free(output->bytes);
    *output = (struct fcgi_output){0};
}
