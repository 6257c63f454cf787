#include "app/ctl/ask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/ctl/text.h"
#include "app/rules/credentials.h"

static const char blanks[] = " \t\r\n";

bool ask_is_possible(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool ask_is_needed(const struct args *args)
{
    const struct parameter *parameters = args->verb->parameters;

    for (size_t i = 0; parameters[i].name != NULL; i++)
        if (parameters[i].need == PARAMETER_ASKED && !args->list[i].given)
            return true;
    return false;
}

void ask_begin(struct asked *out, struct ctl *ctl)
{
    *out = (struct asked){.args = *ctl->args};
    ctl->args = &out->args;
}

/* What was typed belongs to the answers; all else belongs to the arguments before. */
void ask_end(struct asked *asked, struct ctl *ctl, const struct args *before)
{
    for (size_t i = 0; i < PARAMETERS_MAX; i++) {
        if (asked->lines[i] != NULL)
            free(asked->args.list[i].blocks);
        free(asked->lines[i]);
    }
    ctl->args = before;
}

static size_t place_of(const struct args *args, const char *name)
{
    return (size_t)(args_get(args, name) - args->list);
}

static void write_question(const struct question *question)
{
    (void)fputs(question->text, stderr);
    if (question->initial != NULL)
        (void)fprintf(stderr, " [%s]", question->initial);
    (void)fputs(": ", stderr);
    (void)fflush(stderr);
}

/* Reads a line without the blanks around it. STATUS_REFUSED: there is none. */
static enum status read_line(char **out, struct problem *why)
{
    size_t size = 0;

    *out = NULL;
    if (getline(out, &size, stdin) < 0) {
        free(*out);
        (void)fputc('\n', stderr);
        (void)problem_set(why, STATUS_REFUSED, "the input ended: nothing was stored");
        return STATUS_REFUSED;
    }
    const char *begin = *out + strspn(*out, blanks);
    size_t len = strlen(begin);
    while (len > 0 && strchr(blanks, begin[len - 1]) != NULL)
        len--;
    memmove(*out, begin, len);
    (*out)[len] = '\0';
    return STATUS_OK;
}

static enum status take_word(struct argument *argument, const struct parameter *p,
                             const char *word, struct problem *why)
{
    if (credential_is_in(word))
        return problem_set(why, STATUS_INVALID, "that is a secret, which is not asked for");
    return p->rule(argument, span_of(word), why);
}

/* Takes the words of a line, which it cuts apart, for a parameter that takes many. */
static enum status take_words(struct argument *argument, const struct parameter *p,
                              char *line, struct problem *why)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && *line != '\0') {
        char *end = line + strcspn(line, blanks);
        char *next = end + strspn(end, blanks);
        *end = '\0';
        status = take_word(argument, p, line, why);
        line = next;
    }
    return status;
}

/* Makes the line the value of the argument. */
static enum status take_line(struct ctl *ctl, struct argument *argument,
                             const struct question *question, char *line)
{
    const struct parameter *p =
        &ctl->args->verb->parameters[place_of(ctl->args, question->parameter)];

    argument->text = span_of(line);
    argument->given = line[0] != '\0';
    if (!argument->given)
        return p->need == PARAMETER_OPTIONAL
                   ? STATUS_OK
                   : problem_set(&ctl->why, STATUS_INVALID, "an answer is needed");
    enum status status = p->many ? take_words(argument, p, line, &ctl->why)
                                 : take_word(argument, p, line, &ctl->why);
    if (status == STATUS_OK && question->check != NULL)
        status = question->check(ctl);
    return status;
}

/* One question and its answer. */
static enum status ask_once(char **line, struct ctl *ctl, const struct question *question)
{
    write_question(question);
    enum status status = read_line(line, &ctl->why);
    if (status != STATUS_OK || (*line)[0] != '\0' || question->initial == NULL)
        return status;
    free(*line);
    *line = strdup(question->initial);
    return *line != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Says why the answer cannot be taken, and forgets it. */
static void give_back(struct ctl *ctl, struct argument *argument, char *line)
{
    text_make_safe(ctl->why.text);
    (void)fprintf(stderr, "  %s\n", ctl->why.text);
    ctl->why.text[0] = '\0';
    free(argument->blocks);
    *argument = (struct argument){.given = false};
    free(line);
}

enum status ask_for(struct asked *asked, struct ctl *ctl, const struct question *question)
{
    size_t place = place_of(&asked->args, question->parameter);
    struct argument *argument = &asked->args.list[place];

    while (!argument->given && asked->lines[place] == NULL) {
        char *line;
        enum status status = ask_once(&line, ctl, question);
        if (status != STATUS_OK)
            return status;
        status = take_line(ctl, argument, question, line);
        if (status == STATUS_OK)
            asked->lines[place] = line;
        else
            give_back(ctl, argument, line);
        if (status == STATUS_NO_MEMORY)
            return status;
    }
    return STATUS_OK;
}
