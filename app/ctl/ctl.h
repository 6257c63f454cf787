/*
 * crmnotesctl: its nouns and verbs as tables, and what a verb is given to work with.
 */
#ifndef APP_CTL_CTL_H
#define APP_CTL_CTL_H

#include "app/ctl/args.h"
#include "app/ctl/output.h"
#include "app/rules/credentials.h"
#include "app/settings.h"
#include "app/store/key_mark.h"
#include "lib/db.h"

/* What of the database stands open when a verb runs. */
enum ctl_access {
    CTL_ALONE, /* nothing: the verb opens what it needs */
    CTL_READ,  /* one consistent view */
    CTL_WRITE, /* a transaction, committed with a row of the audit when the verb ends well */
};

/* A key that is being issued. */
struct ctl_issue {
    char text[CREDENTIAL_MAX_BYTES + 1];
    size_t len;
    struct secret_hash hash;
    struct key_mark mark; /* of the key file that it is hashed with */
};

struct ctl {
    const struct args *args;
    const struct settings *settings;
    struct db *db;
    struct output *output;
    int64_t now_ms;
    struct ctl_issue issue;
    struct {
        bool done; /* something was changed */
        bool has_org;
        bool has_subject;
        struct uuid org_id;  /* whose it is */
        struct uuid subject; /* what it is */
    } change;
    bool answer_is_no; /* what was asked is not so: exit status 1 */
    struct problem
        lost; /* what to do if the answer cannot be written; "": nothing special */
    struct problem note; /* a remark for the operator; "": none */
    struct problem why;  /* what is wrong, when a verb fails */
};

struct verb {
    const char *name;
    const char *help;                   /* one line */
    const char *more;                   /* further lines; NULL: none */
    const struct parameter *parameters; /* as the synopsis shows them; ends with no name */
    enum ctl_access access;
    bool one;            /* prints one object and not a list */
    const char *nothing; /* what to say to a person when the list is empty */
    enum status (*prepare)(struct ctl *ctl); /* before the transaction; NULL: nothing */
    enum status (*run)(struct ctl *ctl);
};

struct noun {
    const char *name;
    const char *help;         /* one line */
    const struct verb *verbs; /* ends with no name */
};

extern const struct noun noun_db, noun_org, noun_member, noun_apikey, noun_devkey,
    noun_allow, noun_contact, noun_note, noun_audit;

/* All of them, in the order of the help; ends with NULL. */
extern const struct noun *const ctl_nouns[];

/* Runs the verb of ctl->args with all that its row asks for, and prints what it answers.
 * ctl->why is filled on failure. */
enum status ctl_run(struct ctl *ctl);

/* The value of a parameter of the verb. */
const struct argument *ctl_get(const struct ctl *ctl, const char *parameter);

/* Sets *id to the argument of --id, or to a new id. */
void ctl_new_id(const struct ctl *ctl, struct uuid *id);

/*
 * Runs change in a transaction, which is committed with a row of the audit when it ends well
 * and ctl_changed() was called. Verbs of CTL_WRITE run like this.
 */
enum status ctl_write(struct ctl *ctl, enum status (*change)(struct ctl *ctl));

/* Adds a sentence, without a full stop, to the remarks for the operator. */
void ctl_remark(struct ctl *ctl, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what the verb has changed, for the audit. org_id NULL: no organization's; subject
 * NULL: nothing that has an id. */
void ctl_changed(struct ctl *ctl, const struct uuid *org_id, const struct uuid *subject);

/* Fills ctl->why with "there is no WHAT ID" for STATUS_NOT_FOUND; returns status. */
enum status ctl_missing(struct ctl *ctl, enum status status, const char *what,
                        const struct uuid *id);

/* Fails as ctl_missing does when there is no such organization. */
enum status ctl_require_org(struct ctl *ctl, const struct uuid *id);

#endif
