/*
 * A database for fuzzers: two organizations, and notes of every kind on one contact. All
 * ids and keys are constants, so that dictionaries and the corpus can name them.
 */
#ifndef TESTS_FUZZ_SITE_H
#define TESTS_FUZZ_SITE_H

#include "app/commit/command.h"
#include "app/rules/contact_rules.h"
#include "app/rules/note_rules.h"
#include "app/settings.h"
#include "lib/secret.h"

/* The organization whose keys these are. */
#define SITE_ORG     "0a000000-0000-4000-8000-00000000000a"
#define SITE_OWNER   "1a000000-0000-4000-8000-00000000000a" /* of the contact */
#define SITE_OTHER   "1b000000-0000-4000-8000-00000000000a" /* another member */
#define SITE_CONTACT "2a000000-0000-4000-8000-00000000000a"
#define SITE_API_KEY "zak_fuzz"
#define SITE_SECRET  "zdk_fuzz" /* usable from SITE_BLOCK and SITE_BLOCK_6 */
#define SITE_BLOCK   "192.0.2.0/24"
#define SITE_BLOCK_6 "2001:db8::/32"
/* A second secret, usable from elsewhere only. */
#define SITE_SECOND_SECRET "zdk_second"
#define SITE_SECOND_BLOCK  "198.51.100.7/32"

/* Another organization, without keys. */
#define SITE_FOREIGN_ORG     "0b000000-0000-4000-8000-00000000000b"
#define SITE_FOREIGN_MEMBER  "1c000000-0000-4000-8000-00000000000b"
#define SITE_FOREIGN_CONTACT "2b000000-0000-4000-8000-00000000000b"

/* Notes on SITE_CONTACT: one of its owner; three of the other member, its former owner. */
#define SITE_OWN_NOTE      "3a000000-0000-4000-8000-00000000000a"
#define SITE_VISIBLE_NOTE  "3b000000-0000-4000-8000-00000000000a"
#define SITE_EDITABLE_NOTE "3c000000-0000-4000-8000-00000000000a"
#define SITE_PRIVATE_NOTE  "3d000000-0000-4000-8000-00000000000a"

/* Makes the database in a new directory below TMPDIR, which is removed at exit, and opens
 * the log so that it goes nowhere. Any failure ends the program. */
void site_make(void);

const char *site_database(void);

/* The key with which the site's credentials are hashed. */
const struct secret_key *site_key(void);

/* How many versions of notes, and how many contacts, have been stored. */
struct site_count {
    int64_t versions, contacts;
};
struct site_count site_count(void);

/* Checks that since then a command has written what its result says. result NULL: nothing
 * was stored. */
void site_check_written(const struct site_count *before, const struct command *command,
                        const struct command_result *result);

/* Removes what was written, when it has become much or would change what comes next. */
void site_tidy(void);

/* Room for a command of any kind. */
union site_room {
    struct command command;
    _Alignas(16) char bytes[COMMAND_MAX_BYTES];
};

/* A command that is in order: it creates a note on SITE_CONTACT from an address of
 * SITE_BLOCK. */
void site_command(struct note_command *out, struct span content);

/* Makes the command an update of SITE_OWN_NOTE. */
void site_update(struct note_command *command);

/* A command that is in order, but for its texts, all of which are given: it adds a contact,
 * or changes the one that its e-mail address finds. */
void site_contact_command(struct contact_command *out);

/* Whether this caller has a developer secret, and an address that belongs to it. */
bool site_may_read(const struct credentials *credentials);

/* Whether this caller may write: both keys, and an address that belongs to the secret. */
bool site_may_write(const struct credentials *credentials);

#endif
