#include "lib/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/utf8.h"

enum {
    HEAD_BYTES = 128, /* of a line without event and fields, at most */
    FIELD_BYTES =
        26, /* of a number, or of the quotes of a text; and of the name's quotes */
};

/* The one log of a process. */
static struct {
    int fd; /* -1: syslog */
    char path[1024];
    char ident[64];
} target = {.fd = STDERR_FILENO};

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [LEVEL_INFO] = {"info", LOG_DAEMON | LOG_INFO},
    [LEVEL_WARNING] = {"warning", LOG_DAEMON | LOG_WARNING},
    [LEVEL_ERROR] = {"error", LOG_DAEMON | LOG_ERR},
};

static bool is_null_device(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static enum status open_file(const char *path, struct problem *why)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

    if (fd < 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot open the log %s: %s", path,
                           strerror(errno));
    if (target.fd > STDERR_FILENO)
        (void)close(target.fd);
    target.fd = fd;
    if (path != target.path)
        (void)snprintf(target.path, sizeof target.path, "%s", path);
    return STATUS_OK;
}

enum status log_open(const char *where, const char *ident, struct problem *why)
{
    (void)snprintf(target.ident, sizeof target.ident, "%s", ident);
    if (where[0] == '/')
        return open_file(where, why);
    if (target.fd > STDERR_FILENO)
        (void)close(target.fd);
    target.path[0] = '\0';
    target.fd = STDERR_FILENO;
    if (strcmp(where, "syslog") == 0 || is_null_device(STDERR_FILENO)) {
        openlog(target.ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
        target.fd = -1;
    }
    return STATUS_OK;
}

enum status log_check(const char *where, struct problem *why)
{
    if (where[0] != '/')
        return STATUS_OK;
    int fd = open(where, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0) {
        (void)close(fd);
        return STATUS_OK;
    }
    char directory[sizeof target.path];
    (void)snprintf(directory, sizeof directory, "%.*s",
                   (int)(strrchr(where, '/') - where + 1), where);
    if (errno == ENOENT && access(directory, W_OK | X_OK) == 0)
        return STATUS_OK;
    return problem_set(why, STATUS_CANT_CREATE, "cannot open the log %s: %s", where,
                       strerror(errno));
}

bool log_is_syslog(void)
{
    return target.fd < 0;
}

enum status log_reopen(struct problem *why)
{
    return target.path[0] == '\0' ? STATUS_OK : open_file(target.path, why);
}

/* A line in memory of fixed size: the log has to work, too, when there is no other. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
};

static bool add(struct line *line, const char *bytes, size_t len)
{
    if (len >= sizeof line->text - line->len)
        return false;
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    return true;
}

static bool is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* Control characters, to which terminals obey, and what many a reader takes for an end of
 * line. */
static bool must_be_escaped(uint32_t code_point)
{
    return code_point < 0xA0 || code_point == 0x2028 || code_point == 0x2029;
}

/* Adds the first character as JSON wants it and cuts it off. Callers choose some of what is
 * logged, so it need not be UTF-8. */
static bool add_special(struct line *line, struct span *text)
{
    char escape[8];
    uint32_t code_point = 0;
    size_t size = utf8_decode(*text, &code_point);
    const char *c = text->data;

    text->data += size > 0 ? size : 1;
    text->len -= size > 0 ? size : 1;
    if (size == 0)
        return add(line, "?", 1);
    if (size > 1 && !must_be_escaped(code_point))
        return add(line, c, size);
    if (*c == '"' || *c == '\\')
        return add(line, "\\", 1) && add(line, c, 1);
    (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code_point);
    return add(line, escape, 6);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* To LOG_FIELD_BYTES, but not within a character. */
static struct span cut(struct span text)
{
    if (text.len <= LOG_FIELD_BYTES)
        return text;
    text.len = LOG_FIELD_BYTES;
    for (int i = 0; i < 3 && is_continuation(text.data[text.len]); i++)
        text.len--;
    return text;
}

static bool add_text(struct line *line, struct span text)
{
    bool fits = add(line, "\"", 1);

    text = cut(text);
    while (fits && text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.data[plain]))
            plain++;
        fits = add(line, text.data, plain);
        text.data += plain;
        text.len -= plain;
        if (fits && text.len > 0)
            fits = add_special(line, &text);
    }
    return fits && add(line, "\"", 1);
}

static bool add_number(struct line *line, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        digits[--at] = '-';
    return add(line, digits + at, sizeof digits - at);
}

/* A field that does not fit is left out as a whole: the line stays JSON. */
static void add_field(struct line *line, const struct log_field *field)
{
    size_t before = line->len;

    if (field->type == LOG_FIELD_TEXT && field->text.len == 0)
        return;
    bool fits = add(line, line->len > 1 ? ",\"" : "\"", line->len > 1 ? 2 : 1) &&
                add(line, field->name, strlen(field->name)) && add(line, "\":", 2) &&
                (field->type == LOG_FIELD_INT ? add_number(line, field->number)
                                              : add_text(line, field->text)) &&
                line->len + sizeof "}\n" <= sizeof line->text;
    if (!fits)
        line->len = before;
}

static void put(enum log_level level, struct line *line)
{
    if (target.fd < 0) {
        syslog(levels[level].priority, "%.*s", (int)line->len, line->text);
        return;
    }
    (void)add(line, "\n", 1);
    (void)!write(target.fd, line->text, line->len); /* where should a failure be told? */
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    struct line line;
    char now[CLOCK_TEXT_BYTES];

    clock_format(clock_now_ms(), now);
    line.text[0] = '{';
    line.len = 1;
    add_field(&line, &LOG_TEXT("ts", now));
    add_field(&line, &LOG_TEXT("level", levels[level].name));
    add_field(&line, &LOG_TEXT("event", event));
    add_field(&line, &LOG_NUMBER("pid", getpid()));
    for (size_t i = 0; i < count; i++)
        add_field(&line, &fields[i]);
    (void)add(&line, "}", 1);
    put(level, &line);
}
