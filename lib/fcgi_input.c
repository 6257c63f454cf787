#include "lib/fcgi_input.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fcgi_record.h"

enum {
    STEP_BYTES = 1024 * 1024, /* at once, so that one peer does not occupy the process */
    FILE_MAX_BYTES = 2 * 1024 * 1024, /* beyond twice the longest body */
};

/* Takes the first record off the connection and answers it. All of it is in
 * reader->bytes. */
static bool answer_record(struct fcgi_reader *reader, int fd)
{
    unsigned char answer[FCGI_RECORD_ANSWER_BYTES];
    size_t len = fcgi_record_answer(reader->bytes, answer);
    size_t taken = fcgi_record_bytes(reader->bytes);

    return recv(fd, reader->bytes, taken, MSG_DONTWAIT) == (ssize_t)taken &&
           send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

static enum fcgi_arrived arrived(enum fcgi_record_verdict verdict, bool full)
{
    switch (verdict) {
    case FCGI_RECORD_COMPLETE:
        return FCGI_ARRIVED_ALL;
    case FCGI_RECORD_BODY_MISSING:
        return full ? FCGI_ARRIVED_FULL : FCGI_ARRIVED_SOME;
    case FCGI_RECORD_HEAD_MISSING:
        return FCGI_ARRIVED_SOME;
    default:
        return FCGI_ARRIVED_END;
    }
}

enum fcgi_arrived fcgi_input_peek(struct fcgi_reader *reader, int fd)
{
    const size_t size = sizeof reader->bytes;

    for (;;) {
        ssize_t len = recv(fd, reader->bytes, size, MSG_PEEK | MSG_DONTWAIT);

        if (len < 0)
            return errno == EAGAIN || errno == EINTR ? FCGI_ARRIVED_NOTHING
                                                     : FCGI_ARRIVED_END;
        if (len == 0)
            return FCGI_ARRIVED_END;
        enum fcgi_record_verdict verdict = fcgi_record_judge(reader->bytes, (size_t)len);
        if (verdict == FCGI_RECORD_UNKNOWN_ROLE)
            (void)answer_record(reader, fd);
        if (verdict != FCGI_RECORD_MANAGEMENT || !answer_record(reader, fd))
            return arrived(verdict, (size_t)len == size);
    }
}

enum status fcgi_input_start(struct fcgi_input *input)
{
    input->left_out = input->taken = 0;
    input->file = memfd_create("request", MFD_CLOEXEC);
    return input->file >= 0 ? STATUS_OK : STATUS_IO;
}

/* Judges what was collected. *len becomes the length of what is worth keeping. */
static enum fcgi_record_verdict judge(const struct fcgi_reader *reader,
                                      struct fcgi_input *input, size_t *len)
{
    const size_t size = *len;
    unsigned char *bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, input->file, 0);

    if (bytes == MAP_FAILED)
        return FCGI_RECORD_WRONG;
    enum fcgi_record_verdict verdict = fcgi_record_judge(bytes, size);
    if (verdict == FCGI_RECORD_BODY_MISSING && size > reader->max_body_bytes)
        *len = fcgi_record_shorten(bytes, size, reader->max_body_bytes, &input->left_out);
    (void)munmap(bytes, size);
    return verdict;
}

/* Tells what was collected as fcgi_input_peek does, and cuts the file to what is kept. */
static enum fcgi_arrived look(const struct fcgi_reader *reader, struct fcgi_input *input)
{
    struct stat info;

    if (fstat(input->file, &info) != 0)
        return FCGI_ARRIVED_END;
    if (info.st_size == 0)
        return FCGI_ARRIVED_SOME;
    size_t len = (size_t)info.st_size;
    enum fcgi_arrived found = arrived(judge(reader, input, &len), false);
    if (found != FCGI_ARRIVED_SOME)
        return found;
    bool kept = len <= FILE_MAX_BYTES + 2 * reader->max_body_bytes &&
                ftruncate(input->file, (off_t)len) == 0 &&
                lseek(input->file, (off_t)len, SEEK_SET) == (off_t)len;
    return kept ? FCGI_ARRIVED_SOME : FCGI_ARRIVED_END;
}

enum fcgi_arrived fcgi_input_collect(struct fcgi_reader *reader, struct fcgi_input *input,
                                     int fd, bool *more)
{
    size_t taken = 0;
    ssize_t len = 1;

    while (taken < STEP_BYTES &&
           (len = recv(fd, reader->bytes, sizeof reader->bytes, MSG_DONTWAIT)) > 0) {
        if (write(input->file, reader->bytes, (size_t)len) != len)
            return FCGI_ARRIVED_END;
        taken += (size_t)len;
    }
    input->taken += taken;
    *more = len > 0;
    bool ended = len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR);
    enum fcgi_arrived found = look(reader, input);
    return found == FCGI_ARRIVED_SOME && ended ? FCGI_ARRIVED_END : found;
}

enum status fcgi_input_rewind(const struct fcgi_input *input)
{
    return lseek(input->file, 0, SEEK_SET) == 0 ? STATUS_OK : STATUS_IO;
}

void fcgi_input_clear(struct fcgi_input *input)
{
    if (input->file >= 0)
        (void)close(input->file);
    input->file = -1;
    input->left_out = input->taken = 0;
}
