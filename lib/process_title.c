#include "lib/process_title.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    COMMAND_BYTES = 1024, /* of the command line in a title */
};

static struct {
    char *memory; /* NULL: there is none to write to */
    size_t size;
    const char *name;
    char **environment; /* our copy of the table; setenv(3) may put another in its place */
    char command[COMMAND_BYTES];
} self;

/* The end of the strings that follow each other in memory from `end` on. */
static char *end_of(char *const *words, char *end)
{
    for (; *words != NULL; words++)
        if (*words == end)
            end += strlen(end) + 1;
    return end;
}

/* Replaces the strings by copies. Copies that were made stay where a later one fails. */
static bool copy_all(char **words)
{
    for (; *words != NULL; words++) {
        char *copy = strdup(*words);
        if (copy == NULL)
            return false;
        *words = copy;
    }
    return true;
}

/* Copies the table and its strings in one allocation, so that a string which unsetenv(3)
 * takes from the table later still belongs to it; the table that the kernel made is left
 * alone. */
static bool copy_environment(void)
{
    size_t count = 0;
    size_t bytes = 0;

    for (; environ[count] != NULL; count++)
        bytes += strlen(environ[count]) + 1;
    char **table = malloc((count + 1) * sizeof *table + bytes);
    if (table == NULL)
        return false;
    char *text = (char *)(table + count + 1);
    for (size_t i = 0; i < count; i++) {
        table[i] = text;
        text = stpcpy(text, environ[i]) + 1;
    }
    table[count] = NULL;
    environ = table;
    self.environment = table;
    return true;
}

static void join(char *const *words)
{
    size_t used = 0;

    for (; *words != NULL && used < sizeof self.command; words++)
        used += (size_t)snprintf(self.command + used, sizeof self.command - used, "%s%s",
                                 used > 0 ? " " : "", *words);
}

void process_title_init(int argc, char **argv, const char *name)
{
    if (argc < 1 || environ == NULL)
        return;
    char *begin = argv[0];
    char *end = end_of(environ, end_of(argv, begin));
    join(argv);
    if (!copy_environment() || !copy_all(argv))
        return;
    memset(begin, 0, (size_t)(end - begin));
    (void)snprintf(begin, (size_t)(end - begin), "%s", self.command);
    self.memory = begin;
    self.size = (size_t)(end - begin);
    self.name = name;
}

/* The kernel shows the command line up to its former end if there is a NUL, else up to the
 * first NUL behind that: the rest is filled with them. */
void process_title_set(const char *role, int number)
{
    char digits[16] = "";

    if (self.memory == NULL)
        return;
    if (number >= 0)
        (void)snprintf(digits, sizeof digits, " %d", number);
    memset(self.memory, 0, self.size);
    (void)snprintf(self.memory, self.size, "%s: %s%s (%s)", self.name, role, digits,
                   self.command);
}
