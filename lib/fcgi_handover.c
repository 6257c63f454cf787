#include "lib/fcgi_handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the connection and, if there is one, the file of what was collected from it. The
 * content of the message is the struct fcgi_input, as all workers are of one program. */
union rights {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

enum status fcgi_handover_pair(int *give, int *take)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return STATUS_IO;
    *give = pair[0];
    *take = pair[1];
    return STATUS_OK;
}

enum status fcgi_handover_give(int give, int fd, const struct fcgi_input *input)
{
    const int fds[2] = {fd, input->file};
    const size_t size = (input->file >= 0 ? 2 : 1) * sizeof(int);
    union rights control = {.header = {CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS}};
    struct fcgi_input content = *input;
    struct iovec data = {&content, sizeof content};
    const struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(size),
    };

    memcpy(CMSG_DATA(&control.header), fds, size);
    if (sendmsg(give, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return STATUS_OK;
    /* the second: more descriptors are under way than this user may have open */
    return errno == EAGAIN || errno == ETOOMANYREFS ? STATUS_BUSY : STATUS_IO;
}

/* The descriptors of a message; -1 for those that it does not have. */
static void read_rights(struct msghdr *message, int fds[2])
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    fds[0] = fds[1] = -1;
    if (header == NULL || header->cmsg_type != SCM_RIGHTS)
        return;
    size_t size = header->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(header), size < 2 * sizeof(int) ? size : 2 * sizeof(int));
}

enum status fcgi_handover_take(int take, int *fd, struct fcgi_input *input)
{
    int fds[2];
    union rights control;
    struct iovec data = {input, sizeof *input};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    if (recvmsg(take, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != (ssize_t)sizeof *input)
        return STATUS_NOT_FOUND;
    read_rights(&message, fds);
    if (fds[0] >= 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
        (void)close(fds[0]); /* what was collected from it is lost */
        fds[0] = -1;
    }
    *fd = fds[0];
    input->file = fds[1];
    return fds[0] >= 0 ? STATUS_OK : STATUS_NOT_FOUND;
}
