/*
 * Getting hold of a key that is to be issued: a new one, or one from standard input.
 */
#ifndef APP_CTL_ISSUE_H
#define APP_CTL_ISSUE_H

#include "app/ctl/ctl.h"

/* Fills ctl->issue: with --stdin from the first line of standard input, else with a new
 * key. To be called before the transaction, since a person may take long to type. */
enum status issue_prepare(struct ctl *ctl, enum credential_kind kind);

/* To be called first inside the transaction: STATUS_CONFIG when the key file is not the one
 * that the database's keys were made with. */
enum status issue_begin(struct ctl *ctl);

/* Remarks for a person that the key is shown only once. */
void issue_remark_for_people(struct ctl *ctl);

/* The same, and in ctl->lost what to do when it cannot be shown. noun is "apikey" or "devkey". */
void issue_shows_once(struct ctl *ctl, const char *noun, const struct uuid *id);

/* Puts STATUS_EXISTS of a key's insertion or rotation into words; returns status. */
enum status issue_result(struct ctl *ctl, enum status status);

#endif
