/*
 * Ids with their names, from the database, for the completion of shells.
 */
#ifndef APP_CTL_COMPLETE_IDS_H
#define APP_CTL_COMPLETE_IDS_H

/* What is looked for; everything is borrowed. */
struct complete_sought {
    const char *config;   /* --config; NULL: not given */
    const char *database; /* --database; NULL: not given */
    const char *noun;     /* whose ids: org, member, apikey, devkey; others have none */
    const char *org;      /* the organization whose they are; NULL, or no id: of all */
    const char *word;     /* the beginning of an id, or a part of a name; empty: all */
};

/* name may be empty, and is safe for a terminal. */
typedef void complete_found(void *arg, const char *id, const char *name);

enum {
    COMPLETE_MAX = 200,        /* ids that are found */
    COMPLETE_READ_MAX = 20000, /* rows that are read for them */
};

/* Calls found for each id. Whatever fails, it says nothing: there are fewer ids then. */
void complete_ids(const struct complete_sought *sought, complete_found *found, void *arg);

#endif
