#include "app/ctl/complete.h"

#include <stdio.h>
#include <string.h>

#include "app/ctl/complete_ids.h"
#include "app/ctl/ctl.h"
#include "app/ctl/help.h"

const char complete_word[] = "complete";

/* What is known of the command line before the word that is typed. */
struct line {
    const struct noun *noun;
    const struct verb *verb;
    bool helps;      /* "help" stands before the noun */
    bool words_only; /* after "--" */
    bool given[PARAMETERS_MAX];
    const struct parameter *open;     /* an option that waits for its value */
    const struct help_option *global; /* likewise */
    struct complete_sought sought;    /* for ids */
    const char *word;                 /* that is typed, without what is fixed */
    const char *fixed;                /* "--org=" before it */
    size_t fixed_len;
};

static void offer(const struct line *line, const char *candidate, const char *remark)
{
    (void)printf("%.*s%s\t%s\n", (int)line->fixed_len, line->fixed, candidate, remark);
}

static bool begins(const struct line *line, const char *candidate)
{
    return strncmp(candidate, line->word, strlen(line->word)) == 0;
}

static void offer_if_begun(const struct line *line, const char *candidate,
                           const char *remark)
{
    if (begins(line, candidate))
        offer(line, candidate, remark);
}

/* Reading the words before. */

/* Whether word is the option of this name, perhaps with "=" and a value. */
static bool is_option(const char *word, const char *name)
{
    size_t len = strlen(name);

    return strncmp(word, name, len) == 0 && (word[len] == '\0' || word[len] == '=');
}

static const struct parameter *find_option(const struct line *line, const char *word)
{
    const struct parameter *parameters = line->verb != NULL ? line->verb->parameters : NULL;

    for (size_t i = 0; parameters != NULL && parameters[i].name != NULL; i++)
        if (parameter_is_option(&parameters[i]) && is_option(word, parameters[i].name))
            return &parameters[i];
    return NULL;
}

static const struct help_option *find_global(const char *word)
{
    for (const struct help_option *o = help_global_options; o->name != NULL; o++)
        if (is_option(word, o->name))
            return o;
    return NULL;
}

/* Takes the value of the option that waits for one. */
static void take_value(struct line *line, const char *value)
{
    if (line->global != NULL && strcmp(line->global->name, "--config") == 0)
        line->sought.config = value;
    if (line->global != NULL && strcmp(line->global->name, "--database") == 0)
        line->sought.database = value;
    if (line->open != NULL && strcmp(line->open->name, "--org") == 0)
        line->sought.org = value;
    line->open = NULL;
    line->global = NULL;
}

/* Notes an option; afterwards it waits for a value, unless it has one or takes none. */
static void take_option(struct line *line, const char *word)
{
    const struct parameter *p = find_option(line, word);
    const char *equals = strchr(word, '=');

    if (p != NULL && line->verb != NULL)
        line->given[p - line->verb->parameters] = true;
    line->open = p != NULL && p->value != NULL ? p : NULL;
    line->global = p == NULL ? find_global(word) : NULL;
    if (line->global != NULL && line->global->value == NULL)
        line->global = NULL;
    if (equals != NULL)
        take_value(line, equals + 1);
}

/* The place of a word that is no option; NULL: there is none. */
static const struct parameter *free_place(const struct line *line)
{
    const struct parameter *parameters = line->verb->parameters;

    for (size_t i = 0; parameters[i].name != NULL; i++)
        if (!parameter_is_option(&parameters[i]) && (!line->given[i] || parameters[i].many))
            return &parameters[i];
    return NULL;
}

/* False: there is no such noun or verb. */
static bool take_word(struct line *line, const char *word)
{
    if (line->verb != NULL) {
        const struct parameter *place = free_place(line);
        if (place != NULL)
            line->given[place - line->verb->parameters] = true;
        return true;
    }
    if (line->noun != NULL) {
        for (const struct verb *verb = line->noun->verbs; verb->name != NULL; verb++)
            if (strcmp(verb->name, word) == 0)
                line->verb = verb;
        return line->verb != NULL;
    }
    if (strcmp(word, "help") == 0)
        return line->helps = true;
    for (const struct noun *const *noun = ctl_nouns; *noun != NULL; noun++)
        if (strcmp((*noun)->name, word) == 0)
            line->noun = *noun;
    if (line->noun != NULL)
        line->verb = ctl_only_verb(line->noun);
    return line->noun != NULL;
}

/* False: nothing can be said about what comes behind the word. */
static bool read_word(struct line *line, const char *word)
{
    if (line->open != NULL || line->global != NULL)
        take_value(line, word);
    else if (line->words_only || word[0] != '-' || word[1] == '\0')
        return take_word(line, word);
    else if (strcmp(word, "--") == 0)
        line->words_only = true;
    else
        take_option(line, word);
    return true;
}

/* Offering candidates. */

static void offer_nouns(const struct line *line)
{
    for (const struct noun *const *noun = ctl_nouns; *noun != NULL; noun++)
        offer_if_begun(line, (*noun)->name, (*noun)->help);
    if (!line->helps)
        offer_if_begun(line, "help", "Show the help on a noun or verb");
}

static void offer_verbs(const struct line *line)
{
    for (const struct verb *verb = line->noun->verbs; verb->name != NULL; verb++)
        offer_if_begun(line, verb->name, verb->help);
}

static void offer_options(const struct line *line)
{
    const struct parameter *parameters = line->verb != NULL ? line->verb->parameters : NULL;

    for (size_t i = 0; parameters != NULL && parameters[i].name != NULL; i++)
        if (parameter_is_option(&parameters[i]) && !line->given[i])
            offer_if_begun(line, parameters[i].name, parameters[i].help);
    if (line->word[0] == '-' || line->verb == NULL)
        for (const struct help_option *o = help_global_options; o->name != NULL; o++)
            offer_if_begun(line, o->name, o->help);
}

static void offer_id(void *arg, const char *id, const char *name)
{
    offer(arg, id, name);
}

static bool takes_file(const struct parameter *p)
{
    return strcmp(p->value != NULL ? p->value : p->name, "FILE") == 0;
}

/* The values of a parameter. False: nothing is known about them. */
static bool offer_values(struct line *line, const struct parameter *p)
{
    const char *source = parameter_source(p, line->noun);

    if (takes_file(p)) {
        (void)puts(":files");
        return true;
    }
    if (source == NULL)
        return false;
    line->sought.noun = source;
    line->sought.word = line->word;
    complete_ids(&line->sought, offer_id, line);
    return true;
}

/* Where a word of the verb's may stand. */
static void offer_for_verb(struct line *line)
{
    const struct parameter *place = free_place(line);
    bool offered = place != NULL && offer_values(line, place);

    if (!offered && line->word[0] == '\0' && !line->words_only)
        offer_options(line);
}

/* "--org=" is fixed, and what follows is the word. */
static bool begins_value(struct line *line)
{
    const char *equals = strchr(line->word, '=');

    if (line->words_only || line->word[0] != '-' || equals == NULL)
        return false;
    line->open = find_option(line, line->word);
    line->global = find_global(line->word);
    line->fixed = line->word;
    line->fixed_len = (size_t)(equals + 1 - line->word);
    line->word = equals + 1;
    return true;
}

static void offer_all(struct line *line)
{
    bool waits = line->open != NULL || line->global != NULL || begins_value(line);

    if (waits && line->open != NULL)
        (void)offer_values(line, line->open);
    else if (waits && line->global != NULL && line->global->value != NULL)
        (void)puts(":files"); /* both of them name a file */
    else if (waits)
        return;
    else if (line->word[0] == '-' && !line->words_only)
        offer_options(line);
    else if (line->noun == NULL)
        offer_nouns(line);
    else if (line->verb == NULL)
        offer_verbs(line);
    else if (!line->helps)
        offer_for_verb(line);
}

void complete_print(size_t count, char *const *words)
{
    struct line line = {.word = "", .fixed = ""};

    for (size_t i = 0; i + 1 < count; i++)
        if (!read_word(&line, words[i]))
            return;
    if (count > 0)
        line.word = words[count - 1];
    offer_all(&line);
}
