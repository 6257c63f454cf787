#include "lib/fcgi_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STEP_BYTES = 1024 * 1024, /* at once, so that one peer does not occupy the process */
    FILE_MAX_BYTES = 2 * 1024 * 1024, /* beyond twice the longest body */
    FRONT_BYTES = FCGI_RECORD_BEGIN_BYTES,
};

void fcgi_reader_clear(struct fcgi_reader *reader)
{
    for (int i = 0; i < 2; i++) {
        if (reader->pipe[i] >= 0)
            (void)close(reader->pipe[i]);
        reader->pipe[i] = -1;
    }
    reader->pipe_used = false;
}

static bool open_pipe(struct fcgi_reader *reader)
{
    if (reader->pipe[0] >= 0)
        return true;
    fcgi_reader_clear(reader);
    return pipe2(reader->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

/* The pipe is made at once, so that a process has as many descriptors before it has served
 * as afterwards. Where that fails, it is tried again. */
void fcgi_reader_init(struct fcgi_reader *reader, size_t max_body_bytes)
{
    reader->max_body_bytes = max_body_bytes;
    reader->pipe[0] = reader->pipe[1] = -1;
    reader->pipe_used = false;
    reader->replies_len = 0;
    (void)open_pipe(reader);
}

/* ---- Bytes from and to the peer ---- */

/* Peeks at what has arrived: its length; 0: nothing; -1: the connection has ended. */
static ssize_t peek(struct fcgi_reader *reader, int fd)
{
    ssize_t len = recv(fd, reader->bytes + FRONT_BYTES, FCGI_INPUT_PEEK_BYTES,
                       MSG_PEEK | MSG_DONTWAIT);

    if (len > 0)
        return len;
    return len < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Takes len bytes, which have been peeked at, off the connection. */
static bool take(int fd, unsigned char *bytes, size_t len)
{
    return len == 0 || recv(fd, bytes, len, MSG_DONTWAIT) == (ssize_t)len;
}

static bool send_replies(struct fcgi_reader *reader, int fd)
{
    const size_t len = reader->replies_len;

    reader->replies_len = 0;
    return len == 0 ||
           send(fd, reader->replies, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* Many together, so that a peer that makes many of them necessary costs little. */
static bool add_reply(struct fcgi_reader *reader, const struct fcgi_scan_step *step, int fd)
{
    if (step->reply_len == 0)
        return true;
    if (reader->replies_len + step->reply_len > sizeof reader->replies &&
        !send_replies(reader, fd))
        return false;
    memcpy(reader->replies + reader->replies_len, step->reply, step->reply_len);
    reader->replies_len += step->reply_len;
    return true;
}

static bool is_over(const struct fcgi_scan *scan)
{
    return scan->state == FCGI_SCAN_COMPLETE || scan->state == FCGI_SCAN_WRONG;
}

/* ---- A request that is read from the socket ---- */

/* Goes through the len bytes that were peeked at, up to the end of a request or what is to
 * be collected. Of the connection's state, input->scan is left in front of the request.
 * Returns how many bytes lie in front of that. False: a reply could not be sent. */
static bool look_through(struct fcgi_reader *reader, struct fcgi_input *input, size_t len,
                         int fd, size_t *front)
{
    const unsigned char *bytes = reader->bytes + FRONT_BYTES;
    struct fcgi_scan *scan = &reader->behind;
    struct fcgi_scan_step step;
    size_t at = 0;

    *scan = input->scan;
    *front = 0;
    reader->gone = false;
    while (at < len && !is_over(scan) &&
           (scan->state == FCGI_SCAN_BETWEEN || !scan->mixed)) {
        at += fcgi_scan_go_on(scan, bytes + at, len - at, reader->max_body_bytes, &step);
        if (scan->state != FCGI_SCAN_BETWEEN && scan->state != FCGI_SCAN_WRONG)
            continue;
        if (!add_reply(reader, &step, fd))
            return false;
        reader->gone = reader->gone || step.kind == FCGI_SCAN_GONE;
        if (!fcgi_scan_is_in_head(scan)) {
            *front = at;
            input->scan = *scan;
        }
    }
    reader->at = *front;
    reader->len = at - *front;
    return true;
}

/* What look_through has found of a request. */
static enum fcgi_arrived found(const struct fcgi_reader *reader,
                               const struct fcgi_input *input, bool full)
{
    const struct fcgi_scan *scan = &reader->behind;

    if (scan->state == FCGI_SCAN_COMPLETE)
        return FCGI_ARRIVED_ALL;
    if (scan->state != FCGI_SCAN_BETWEEN)
        return full || scan->mixed ? FCGI_ARRIVED_FULL : FCGI_ARRIVED_SOME;
    if (reader->len > 0 || !fcgi_scan_rests(&input->scan))
        return FCGI_ARRIVED_SOME;
    return reader->gone ? FCGI_ARRIVED_GONE : FCGI_ARRIVED_NOTHING;
}

/* One look; *len becomes the number of bytes that were there, *front that of those in front
 * of a request, which were taken. */
static enum fcgi_arrived look(struct fcgi_reader *reader, struct fcgi_input *input, int fd,
                              size_t *len, size_t *front)
{
    ssize_t got = peek(reader, fd);

    *len = *front = 0;
    if (got < 0)
        return FCGI_ARRIVED_END;
    if (got == 0)
        return fcgi_scan_rests(&input->scan) ? FCGI_ARRIVED_NOTHING : FCGI_ARRIVED_SOME;
    *len = (size_t)got;
    if (!look_through(reader, input, *len, fd, front) || !send_replies(reader, fd) ||
        reader->behind.state == FCGI_SCAN_WRONG ||
        !take(fd, reader->bytes + FRONT_BYTES, *front))
        return FCGI_ARRIVED_END;
    return found(reader, input, *len == FCGI_INPUT_PEEK_BYTES);
}

enum fcgi_arrived fcgi_input_peek(struct fcgi_reader *reader, struct fcgi_input *input,
                                  int fd, bool *more)
{
    enum fcgi_arrived arrived;
    size_t len, front, taken = 0;

    reader->replies_len = 0;
    do {
        arrived = look(reader, input, fd, &len, &front);
        taken += front;
    } while (front == FCGI_INPUT_PEEK_BYTES && arrived != FCGI_ARRIVED_END &&
             taken < STEP_BYTES);
    *more = taken >= STEP_BYTES;
    if (arrived == FCGI_ARRIVED_ALL) {
        size_t behind = len - front - reader->len;
        reader->padding = fcgi_scan_pad(&reader->behind, behind);
        *more = behind > reader->padding || len == FCGI_INPUT_PEEK_BYTES;
    }
    return arrived;
}

/* ---- A request that is collected ---- */

enum status fcgi_input_start(struct fcgi_input *input)
{
    input->kept = input->taken = 0;
    input->file = memfd_create("request", MFD_CLOEXEC);
    return input->file >= 0 ? STATUS_OK : STATUS_IO;
}

static bool empty_file(struct fcgi_input *input)
{
    input->kept = 0;
    return ftruncate(input->file, 0) == 0 && lseek(input->file, 0, SEEK_SET) == 0;
}

/* Copies what a step keeps to the front of the reader's bytes, where *kept are already.
 * at: where the bytes of the step are. */
static void keep(struct fcgi_reader *reader, const struct fcgi_scan *scan,
                 const struct fcgi_scan_step *step, const unsigned char *at, size_t size,
                 size_t *kept)
{
    if (step->kind == FCGI_SCAN_HEAD) {
        memcpy(reader->bytes + *kept, scan->head, step->head_len);
        *kept += step->head_len;
    } else if (step->kind == FCGI_SCAN_CONTENT) {
        memmove(reader->bytes + *kept, at, size);
        *kept += size;
    }
}

/* Goes through the len bytes that were peeked at, up to the end of the request. What
 * belongs to it comes to the front of the reader's bytes. Returns how many bytes were gone
 * through; 0: failed. */
static size_t sift(struct fcgi_reader *reader, struct fcgi_input *input, size_t len, int fd,
                   size_t *kept)
{
    const unsigned char *bytes = reader->bytes + FRONT_BYTES;
    struct fcgi_scan *scan = &input->scan;
    struct fcgi_scan_step step;
    size_t at = 0;

    *kept = 0;
    while (at < len && !is_over(scan)) {
        size_t size =
            fcgi_scan_go_on(scan, bytes + at, len - at, reader->max_body_bytes, &step);
        keep(reader, scan, &step, bytes + at, size, kept);
        at += size;
        if (!add_reply(reader, &step, fd))
            return 0;
        if (step.kind != FCGI_SCAN_GONE)
            continue;
        *kept = 0;
        if (!empty_file(input))
            return 0;
    }
    return at + (scan->state == FCGI_SCAN_COMPLETE ? fcgi_scan_pad(scan, len - at) : 0);
}

/* Takes what there is, at most as much as can be peeked at. *len: of that; 0: nothing.
 * False: the connection is to be closed. */
static bool collect_once(struct fcgi_reader *reader, struct fcgi_input *input, int fd,
                         size_t *len, size_t *used)
{
    ssize_t got = peek(reader, fd);
    size_t kept;

    *len = *used = 0;
    if (got <= 0)
        return got == 0;
    *len = (size_t)got;
    *used = sift(reader, input, *len, fd, &kept);
    if (!send_replies(reader, fd) || *used == 0 || input->scan.state == FCGI_SCAN_WRONG ||
        write(input->file, reader->bytes, kept) != (ssize_t)kept)
        return false;
    input->kept += kept;
    input->taken += *used;
    return take(fd, reader->bytes, *used) &&
           input->kept <= FILE_MAX_BYTES + 2 * reader->max_body_bytes;
}

/* What has been collected so far. */
static enum fcgi_arrived collected(struct fcgi_input *input)
{
    if (input->scan.state == FCGI_SCAN_COMPLETE)
        return FCGI_ARRIVED_ALL;
    if (input->scan.state != FCGI_SCAN_BETWEEN || fcgi_scan_is_in_head(&input->scan))
        return FCGI_ARRIVED_SOME;
    fcgi_input_clear(input);
    return fcgi_scan_rests(&input->scan) ? FCGI_ARRIVED_GONE : FCGI_ARRIVED_SOME;
}

enum fcgi_arrived fcgi_input_collect(struct fcgi_reader *reader, struct fcgi_input *input,
                                     int fd, bool *more)
{
    size_t taken = 0, len, used;

    reader->replies_len = 0;
    do {
        if (!collect_once(reader, input, fd, &len, &used))
            return FCGI_ARRIVED_END;
        taken += used;
    } while (len > 0 && !is_over(&input->scan) && taken < STEP_BYTES);
    *more = len > used || len == FCGI_INPUT_PEEK_BYTES || taken >= STEP_BYTES;
    return collected(input);
}

void fcgi_input_clear(struct fcgi_input *input)
{
    if (input->file >= 0)
        (void)close(input->file);
    input->file = -1;
    input->kept = input->taken = 0;
}

/* ---- For libfcgi ---- */

const unsigned char *fcgi_input_bytes(const struct fcgi_reader *reader)
{
    return reader->bytes + FRONT_BYTES + reader->at;
}

/* libfcgi gets the bytes that were looked through, not those that are taken off the
 * connection: a peer that sent pages of a file can change them in between. */
bool fcgi_input_take(struct fcgi_reader *reader, struct fcgi_input *input, int fd)
{
    if (!take(fd, reader->bytes, reader->len + reader->padding))
        return false;
    input->scan = reader->behind;
    fcgi_scan_next(&input->scan);
    return true;
}

static int *rewound(struct fcgi_input *input)
{
    return lseek(input->file, 0, SEEK_SET) == 0 ? &input->file : NULL;
}

/* False where it does not fit. */
static bool put_into_pipe(struct fcgi_reader *reader, const unsigned char *bytes)
{
    if (reader->pipe_used || !open_pipe(reader))
        return false;
    reader->pipe_used = write(reader->pipe[1], bytes, reader->len) == (ssize_t)reader->len;
    if (!reader->pipe_used)
        fcgi_reader_clear(reader);
    return reader->pipe_used;
}

/* Where libfcgi can read the bytes of a request that was not collected; NULL: failed. */
static int *keep_for_libfcgi(struct fcgi_reader *reader, struct fcgi_input *input,
                             const unsigned char *bytes, bool *piped)
{
    *piped = put_into_pipe(reader, bytes);
    if (*piped)
        return &reader->pipe[0];
    if (fcgi_input_start(input) != STATUS_OK ||
        write(input->file, bytes, reader->len) != (ssize_t)reader->len)
        return NULL;
    return rewound(input);
}

int *fcgi_input_source(struct fcgi_reader *reader, struct fcgi_input *input, int fd,
                       bool *piped)
{
    *piped = false;
    if (input->file >= 0) {
        fcgi_scan_next(&input->scan);
        return rewound(input);
    }
    int *source = keep_for_libfcgi(reader, input, fcgi_input_bytes(reader), piped);
    if (source != NULL && fcgi_input_take(reader, input, fd))
        return source;
    if (*piped)
        fcgi_reader_clear(reader);
    *piped = false;
    return NULL;
}
