/*
 * The secret that apikey and devkey issue, or rotate a key to: a new one, or one from
 * standard input.
 */
#ifndef APP_CTL_ISSUE_H
#define APP_CTL_ISSUE_H

#include "app/ctl/ctl.h"

/* Fills ctl->secret: with --stdin from the first line of standard input, else with a new
 * one. Called before the transaction, since a person may take long to type. */
enum status issue_prepare(struct ctl *ctl, enum credential_kind kind);

#endif
