/*
 * Judges whether a caller may read or write contacts, and says what a contact is after a
 * command: pure functions from facts to a verdict. Worker and writer call the same ones.
 */
#ifndef APP_RULES_CONTACT_RULES_H
#define APP_RULES_CONTACT_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/caller_rules.h"
#include "app/rules/command.h"
#include "app/rules/contact_texts.h"
#include "app/rules/error.h"
#include "app/rules/given.h"
#include "app/rules/reason.h"

enum contact_mode { CONTACT_INSERT, CONTACT_UPDATE, CONTACT_UPSERT };

enum contact_lookup { LOOKUP_EMAIL, LOOKUP_PHONE, LOOKUP_CONTACT_ID };

/* Add a contact, or change the one that is found. */
struct contact_command {
    struct command common;
    struct given_id org_id, member_id;
    int mode;      /* enum contact_mode; -1: not sent, which means upsert */
    int lookup_by; /* enum contact_lookup; -1: not sent, which means e-mail */
    enum given_flag skip_entity, debug;
    struct given_id contact_id, owner;
    struct given_text texts[CONTACT_TEXTS];
    struct given_text entity_name, entity_website;
};

/* The facts that a call needs about a member, where it names one, and about a contact. */
struct contact_facts {
    bool member_found;  /* an active member of the caller's organization */
    bool contact_found; /* by its id */
    struct uuid contact_org_id;
};

/* Why contact_judge_use, or contact_judge, ended with this error, for the log. exists: some
 * organization has the contact. */
enum reason contact_reason(enum error error, bool exists, const struct caller *caller,
                           const struct given_id *org_id,
                           const struct given_id *contact_id);

/* For calls that read: whether the caller may use that member, organization and contact, in
 * the order in which docs/api.md lists the checks. needs_contact: the call names one. */
enum error contact_judge_use(const struct contact_facts *facts, const struct caller *caller,
                             const struct given_id *org_id, bool needs_contact);

/* The facts about a command. */
struct contact_write_facts {
    bool member_found, owner_found; /* active members of the caller's organization; the
                                       owner only where one is given */
    int count;              /* of contacts that were looked up: 0, 1, or 2 for many */
    struct uuid contact_id; /* of the one */
    struct uuid org_id;     /* of its organization */
    struct uuid entity_id;  /* its company; zeros: none */
    bool erased;            /* it counts as absent, but its id stays taken */
    bool has_name;          /* a name, first name or e-mail address after the command */
};

/* ERROR_NONE, or the first check that fails. */
enum error contact_judge(const struct contact_write_facts *facts,
                         const struct caller *caller,
                         const struct contact_command *command);

enum {
    CONTACT_JOINED_BYTES = NAME_MAX_BYTES, /* first and last name as one */
};

/*
 * The texts of a contact after a command. before: what they were; empty texts for a new
 * contact. The name follows first and last name as long as it is made of them; joined has
 * room for it.
 */
void contact_texts_after(struct span after[CONTACT_TEXTS],
                         char joined[CONTACT_JOINED_BYTES],
                         const struct span before[CONTACT_TEXTS],
                         const struct given_text given[CONTACT_TEXTS]);

/* Whether texts have what every contact needs: a name, a first name or an e-mail address.
 * The name of a new contact must be more than its last name, unless that is given. */
bool contact_texts_suffice(const struct span texts[CONTACT_TEXTS], bool is_new,
                           const struct given_text given[CONTACT_TEXTS]);

/* The e-mail address or telephone number by which a contact is looked up; empty: none. */
struct span contact_looked_up(const struct contact_command *command);

/* Whether it is looked up by an id that something can have. */
bool contact_looks_up_id(const struct contact_command *command);

/* Whether the command says something about the contact's company. */
bool contact_has_entity(const struct contact_command *command);

/* A hash of everything in which two requests can differ. */
void contact_fingerprint(struct secret_hash *out, const struct contact_command *command);

#endif
