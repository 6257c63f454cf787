/*
 * The nouns and verbs of crmnotesctl as tables, and the state that a verb works with.
 */
#ifndef APP_CTL_CTL_H
#define APP_CTL_CTL_H

#include "app/ctl/args.h"
#include "app/ctl/output.h"
#include "app/manage/change.h"
#include "app/manage/key_secret.h"
#include "app/manage/manage.h"
#include "app/manage/manage_migrate.h"
#include "app/settings.h"
#include "lib/db.h"

enum {
    CTL_ACTOR_BYTES = 64, /* with the closing NUL */
};

/* How the database is open when a verb runs. */
enum ctl_access {
    CTL_ALONE, /* nothing: the verb opens what it needs */
    CTL_READ,  /* one consistent view */
    CTL_PAGES, /* a view for each page of a list: run is called with ctl->after */
    CTL_WRITE, /* a transaction: see ctl_write() */
};

struct json_object;

struct ctl {
    const struct args *args;
    const struct settings *settings;
    struct db *db;
    struct output *output;
    const struct uuid *after; /* of CTL_PAGES: the row before the page; NULL: no row */
    struct uuid last;         /* of the page before */
    int64_t now_ms;
    struct change change;            /* that a verb of CTL_WRITE makes, for the use case */
    struct key_secret secret;        /* of a key that is being issued or rotated */
    struct key_secret handed_out;    /* the API key that a developer key hands out */
    struct migration_run *migration; /* of db migrate */
    struct init *init;               /* of init, see app/ctl/init.c */
    struct erasing *erasing;         /* of erase, see app/ctl/erase.c */
    bool nobody_reads;               /* the reader of the output has seen enough */
    bool answer_is_no;               /* the answer to a question is no: exit status 1 */
    struct json_object *figures;     /* for the audit's detail in ctl_write; NULL: none */
    struct problem refused; /* what was refused of a command that was done: exit status
                               65; empty: nothing */
    struct problem lost;    /* what to do if the answer cannot be written; empty: nothing */
    struct problem note;    /* a remark for the operator; empty: none */
    struct problem why;     /* what is wrong, when a verb fails */
};

struct verb {
    const char *name;
    const char *help;                   /* one line */
    const char *more;                   /* further lines; NULL: none */
    const struct parameter *parameters; /* as the synopsis shows them; ends with no name */
    enum ctl_access access;
    bool one;            /* prints one object and not a list */
    const char *nothing; /* the sentence for a person when the list is empty */
    enum status (*prepare)(struct ctl *ctl); /* before the transaction; NULL: nothing */
    enum status (*run)(struct ctl *ctl);
};

struct noun {
    const char *name;
    const char *help;         /* one line */
    const struct verb *verbs; /* ends with no name; of a noun that is a command by itself,
                                 such as "crmnotesctl status": one, whose name is "" */
};

/* The verb of a noun that is a command by itself; NULL: the noun needs a verb. */
const struct verb *ctl_only_verb(const struct noun *noun);

/* Writes what is typed for a command: noun and verb, or the noun alone. verb may be NULL,
 * and so may be both, for an empty text. */
void ctl_format_command(char out[CHANGE_ACTION_BYTES], const struct noun *noun,
                        const struct verb *verb);

extern const struct noun noun_init, noun_db, noun_org, noun_member, noun_apikey,
    noun_devkey, noun_allow, noun_contact, noun_note, noun_request, noun_audit, noun_geo,
    noun_status, noun_metrics;

/* All of them, in the order of the help; ends with NULL. */
extern const struct noun *const ctl_nouns[];

/* Runs the verb of ctl->args as its row demands, and prints the output. ctl->why is filled
 * on failure. */
enum status ctl_run(struct ctl *ctl);

/* The value of a parameter of the verb. */
const struct argument *ctl_get(const struct ctl *ctl, const char *parameter);

/* Opens a file that the command line names with the rights of the owner of its directory
 * (lib/acting.h), as open(2). */
int ctl_open_file(struct ctl *ctl, const char *path, int flags);

/* The argument of --id; NULL when it is not given. */
const struct uuid *ctl_given_id(const struct ctl *ctl);

/* The text that was given for a parameter of an edit; NULL: it was not given. */
const struct span *ctl_given_text(const struct ctl *ctl, const char *parameter);

/*
 * Runs change in a transaction (app/manage/change.h), with the audit's actor and detail
 * filled in. Verbs of CTL_WRITE run like this.
 */
enum status ctl_write(struct ctl *ctl, enum status (*change)(struct ctl *ctl));

/* Writes the name of the user that typed the command, which with sudo is another one than
 * this process runs as. */
void ctl_find_actor(char out[CTL_ACTOR_BYTES]);

/* Adds a sentence, without a full stop, to the remarks for the operator. */
void ctl_remark(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends to ctl->why what the operator can type, which a use case does not know. */
void ctl_advise(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For a verb without a use case: records a change for the audit, as change_made() does,
 * with the words that were typed as its action. */
void ctl_changed(struct ctl *ctl, const struct uuid *org_id, const struct uuid *subject);

#endif
