/*
 * The secret that apikey and devkey issue, or rotate a key to: a new one, or one from
 * standard input.
 */
#ifndef APP_CTL_ISSUE_H
#define APP_CTL_ISSUE_H

#include "app/ctl/ctl.h"

/* Loads the key file, as key_source_open(); ctl->why says what to do. STATUS_CONFIG: there
 * is none, or it is unusable. key_source_close() in any case. */
enum status issue_open_source(struct ctl *ctl, struct key_source *source);

/* Fills ctl->secret: with --stdin from the first line of standard input, else with a new
 * one. Called before the transaction, since a person may take long to type. */
enum status issue_prepare(struct ctl *ctl, enum credential_kind kind);

/* Fills ctl->handed_out with the API key of --hands-out, from the next line of standard
 * input. */
enum status issue_prepare_handed_out(struct ctl *ctl);

#endif
