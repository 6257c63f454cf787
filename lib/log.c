#include "lib/log.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/decimal.h"
#include "lib/hex.h"
#include "lib/json_bytes.h"
#include "lib/log_output.h"
#include "lib/utf8.h"
#include "lib/uuid.h"

enum {
    QUEUE_BYTES = 64 * 1024,
};

/* What stands between the time and the name of the event. */
static const struct span level_members[] = {
    [LEVEL_INFO] = SPAN("\",\"level\":\"info\",\"event\":"),
    [LEVEL_WARNING] = SPAN("\",\"level\":\"warning\",\"event\":"),
    [LEVEL_ERROR] = SPAN("\",\"level\":\"error\",\"event\":"),
};

/* How the journal is told the priority of a line (sd-daemon(3)). */
static const struct span journal_prefixes[] = {
    [LEVEL_INFO] = SPAN("<6>"),
    [LEVEL_WARNING] = SPAN("<4>"),
    [LEVEL_ERROR] = SPAN("<3>"),
};

/* The header of each line in the queue. */
struct queued {
    size_t len;
    enum log_level level;
};

/* Lines of this process for which there was no room, oldest first. Lines that do not fit
 * here are dropped and counted, and so are those that failed for another reason. */
static struct {
    char bytes[QUEUE_BYTES];
    size_t first, end;
    int64_t lost;
} queue;

/* A line in memory of fixed size, so that logging works when memory has run out. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
};

/* Writes what has room. */
static inline void put(struct line *line, struct span text)
{
    memcpy(line->text + line->len, text.data, text.len);
    line->len += text.len;
}

static inline bool add(struct line *line, const char *bytes, size_t len)
{
    if (len >= sizeof line->text - line->len)
        return false;
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    return true;
}

/* Control characters, which a terminal obeys, and the line ends of Unicode. */
static bool must_be_escaped(uint32_t code_point)
{
    return code_point < 0xA0 || code_point == 0x2028 || code_point == 0x2029;
}

/* Adds the first character, escaped for JSON, and removes it from text. Some of the text
 * comes from clients, so it may be invalid UTF-8. */
static bool add_special(struct line *line, struct span *text)
{
    char escape[] = "\\u0000";
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
    for (size_t i = 0; i < 4; i++)
        escape[2 + i] = hex_digit(code_point >> (12 - 4 * i));
    return add(line, escape, sizeof escape - 1);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Cuts to LOG_FIELD_BYTES, but not within a character. */
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
        size_t plain = json_plain_len(text, true);
        fits = add(line, text.data, plain);
        text.data += plain;
        text.len -= plain;
        if (fits && text.len > 0)
            fits = add_special(line, &text);
    }
    return fits && add(line, "\"", 1);
}

enum {
    FORM_BYTES = 64,  /* of a number, a UUID, an address or a time */
    FRAME_BYTES = 16, /* around name and value, and at the end of the line */
};

_Static_assert((int)DECIMAL_BYTES <= (int)FORM_BYTES, "it must fit");
_Static_assert((int)UUID_TEXT_BYTES <= (int)FORM_BYTES, "it must fit");
_Static_assert((int)ADDRESS_TEXT_BYTES <= (int)FORM_BYTES, "it must fit");
_Static_assert((int)CLOCK_TEXT_BYTES <= (int)FORM_BYTES, "it must fit");

/* Writes the value of a field that is no text; its form needs no escapes. Returns its
 * length; 0: the field is left out. */
static size_t format(const struct log_field *field, char form[FORM_BYTES])
{
    static const struct uuid none;

    switch (field->type) {
    case LOG_TYPE_UUID:
        if (uuid_equals(field->uuid, &none))
            return 0;
        uuid_format(field->uuid, form);
        return UUID_TEXT_BYTES - 1;
    case LOG_TYPE_ADDRESS:
        return address_format(field->address, form);
    case LOG_TYPE_TIME:
        clock_format(field->number, form);
        return CLOCK_TEXT_BYTES - 1;
    case LOG_TYPE_NUMBER:
    case LOG_TYPE_TEXT:
        break;
    }
    return 0;
}

/* Writes a form between quotes, whose room is known. False: there is none. */
static bool put_form(struct line *line, const struct log_field *field)
{
    char *form = line->text + line->len;
    size_t len = format(field, form + 1);

    form[0] = form[1 + len] = '"';
    line->len += len + 2;
    return len > 0;
}

static void put_number(struct line *line, int64_t number)
{
    char room[DECIMAL_BYTES];

    put(line, decimal(room, number));
}

/* Writes the name, whose room is known, behind another member. */
static void put_name(struct line *line, struct span name)
{
    char *to = line->text + line->len;

    *to++ = ',';
    *to++ = '"';
    memcpy(to, name.data, name.len);
    to += name.len;
    *to++ = '"';
    *to++ = ':';
    line->len = (size_t)(to - line->text);
}

/* False: the field is left out. */
static bool add_value(struct line *line, const struct log_field *field)
{
    if (field->type == LOG_TYPE_NUMBER) {
        put_number(line, field->number);
        return true;
    }
    if (field->type != LOG_TYPE_TEXT)
        return put_form(line, field);
    return field->text.len > 0 && add_text(line, field->text) &&
           line->len + sizeof "}\n" <= sizeof line->text;
}

/* A field that does not fit is left out completely, so that the line stays valid JSON. */
static void add_field(struct line *line, const struct log_field *field)
{
    size_t before = line->len;

    if (sizeof line->text - before < field->name.len + FORM_BYTES + FRAME_BYTES)
        return;
    put_name(line, field->name);
    if (!add_value(line, field))
        line->len = before;
}

/* False: there is no room. */
static bool queue_add(enum log_level level, const char *text, size_t len)
{
    const struct queued head = {.len = len, .level = level};
    size_t used = queue.end - queue.first;

    if (sizeof queue.bytes - used < sizeof head + len)
        return false;
    if (sizeof queue.bytes - queue.end < sizeof head + len) {
        memmove(queue.bytes, queue.bytes + queue.first, used);
        queue.first = 0;
        queue.end = used;
    }
    memcpy(queue.bytes + queue.end, &head, sizeof head);
    memcpy(queue.bytes + queue.end + sizeof head, text, len);
    queue.end += sizeof head + len;
    return true;
}

static int64_t count_lines(struct span text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

/* Writes the first entry, of one line or of several that were gathered. False: there is no
 * room for all of it. */
static bool queue_send(void)
{
    struct queued head;
    char *at = queue.bytes + queue.first;

    memcpy(&head, at, sizeof head);
    ssize_t sent = log_output_send(head.level, at + sizeof head, head.len);
    if (sent >= 0 && (size_t)sent < head.len) { /* move up the rest of the line */
        head.len -= (size_t)sent;
        queue.first += (size_t)sent;
        memcpy(at + sent, &head, sizeof head);
        return false;
    }
    if (sent < 0)
        queue.lost += count_lines((struct span){at + sizeof head, head.len});
    queue.first += sizeof head + head.len;
    return true;
}

/* The time as text. The part up to the second is made anew once a second. */
static struct span time_text(void)
{
    static char text[CLOCK_TEXT_BYTES];
    static int64_t second = INT64_MIN;
    int64_t now_ms = clock_now_ms();
    int ms = (int)(now_ms % 1000);

    if (now_ms / 1000 != second || ms < 0) {
        clock_format(now_ms, text);
        second = now_ms / 1000;
    } else {
        char *digits = text + CLOCK_TEXT_BYTES - 5;
        digits[0] = (char)('0' + ms / 100);
        digits[1] = (char)('0' + ms / 10 % 10);
        digits[2] = (char)('0' + ms % 10);
    }
    return (struct span){text, CLOCK_TEXT_BYTES - 1};
}

/* The number of this process, 0: not known yet. Each getpid(2) is a system call. */
static pid_t known_pid;

static void forget_pid(void)
{
    known_pid = 0;
}

static pid_t own_pid(void)
{
    static bool guarded; /* children forget it */

    guarded = guarded || pthread_atfork(NULL, NULL, forget_pid) == 0;
    if (known_pid == 0 || !guarded)
        known_pid = getpid();
    return known_pid;
}

static void begin(struct line *line, enum log_level level, const char *event)
{
    line->len = 0;
    if (log_output_is_journal())
        put(line, journal_prefixes[level]);
    put(line, span_of("{\"ts\":\""));
    put(line, time_text());
    put(line, level_members[level]);
    (void)add_text(line, span_of(event));
    put(line, span_of(",\"pid\":"));
    put_number(line, own_pid());
}

/* Writes whole lines, or queues what is not taken. False: it failed. */
static bool send_lines(enum log_level level, const char *text, size_t len)
{
    ssize_t sent = 0;

    if (!log_is_waiting())
        sent = log_output_send(level, text, len);
    return sent >= 0 &&
           ((size_t)sent == len || queue_add(level, text + sent, len - (size_t)sent));
}

/* Lines that are written together, as many as a pipe takes as a whole. */
static struct {
    char text[LOG_LINE_BYTES];
    size_t len;
    bool on; /* log_gather was called */
} gathered;

static void send_gathered(void)
{
    if (gathered.len > 0 && !send_lines(LEVEL_INFO, gathered.text, gathered.len))
        queue.lost += count_lines((struct span){gathered.text, gathered.len});
    gathered.len = 0;
}

static void gather(const struct line *line)
{
    if (line->len > sizeof gathered.text - gathered.len)
        send_gathered();
    memcpy(gathered.text + gathered.len, line->text, line->len);
    gathered.len += line->len;
}

/* False: it failed. Syslog takes lines one by one, each with its level. */
static bool send_line(enum log_level level, struct line *line)
{
    (void)add(line, "}\n", 2);
    if (!gathered.on || log_output_is_syslog())
        return send_lines(level, line->text, line->len);
    gather(line);
    return true;
}

/* To be called when the queue is empty, so that the report comes after the lines before the
 * loss. */
static void report_loss(void)
{
    struct line line;

    begin(&line, LEVEL_WARNING, "log_lines_lost");
    add_field(&line, &LOG_NUMBER("count", queue.lost));
    if (send_line(LEVEL_WARNING, &line))
        queue.lost = 0;
}

bool log_is_waiting(void)
{
    return queue.first < queue.end;
}

void log_gather(void)
{
    gathered.on = true;
}

void log_release(void)
{
    send_gathered();
    gathered.on = false;
}

void log_flush(void)
{
    send_gathered();
    while (log_is_waiting())
        if (!queue_send())
            return;
    queue.first = queue.end = 0;
    if (queue.lost > 0)
        report_loss();
}

void log_finish(int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    for (;;) {
        log_flush();
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (!log_is_waiting() || left_ms <= 0)
            return;
        log_output_wait((int)left_ms);
    }
}

void log_after_fork(void)
{
    queue.first = queue.end = 0;
    queue.lost = 0;
    gathered.len = 0;
}

enum status log_open(const char *where, const char *ident, struct problem *why)
{
    send_gathered();
    return log_output_open(where, ident, why);
}

enum status log_check(const char *where, struct problem *why)
{
    return log_output_check(where, why);
}

enum status log_reopen(struct problem *why)
{
    send_gathered();
    return log_output_reopen(why);
}

bool log_is_syslog(void)
{
    return log_output_is_syslog();
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    struct line line;

    if (log_is_waiting() || queue.lost > 0)
        log_flush();
    begin(&line, level, event);
    for (size_t i = 0; i < count; i++)
        add_field(&line, &fields[i]);
    if (!send_line(level, &line))
        queue.lost++;
}
