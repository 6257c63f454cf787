/*
 * Functions that the use cases share.
 *
 * app/manage has the use cases of an operator, one file for each noun: which checks are
 * made, what is changed, and which row the audit gets. Its functions know no command line,
 * no output and no session: they take plain structs, return an enum status, and put a
 * sentence for the operator into a struct problem, which may be NULL. They include neither
 * app/ctl nor app/api nor app/serve. Decisions that need no database are in app/rules.
 *
 * Reading needs no use case: callers use app/store to list and show things.
 */
#ifndef APP_MANAGE_MANAGE_H
#define APP_MANAGE_MANAGE_H

#include "lib/db.h"
#include "lib/span.h"
#include "lib/status.h"
#include "lib/uuid.h"

/* Turns STATUS_NOT_FOUND into the sentence "there is no WHAT ID"; returns status. */
enum status manage_missing(enum status status, const char *what, const struct uuid *id,
                           struct problem *why);

/* STATUS_NOT_FOUND with a sentence when there is no such organization. */
enum status manage_require_org(struct db *db, const struct uuid *id, struct problem *why);

/* Judges a text by a rule of app/rules/text_rules.h; field stands before the sentence. */
enum status manage_check_text(enum status (*rule)(struct span text, struct problem *why),
                              struct span text, const char *field, struct problem *why);

/* The same for a text that may be left out, that is, be empty. */
enum status manage_check_optional(enum status (*rule)(struct span text,
                                                      struct problem *why),
                                  struct span text, const char *field, struct problem *why);

/* The given id, or a new one made at now_ms where given is NULL. */
struct uuid manage_new_id(const struct uuid *given, int64_t now_ms);

#endif
