/*
 * The verb note find.
 */
#ifndef APP_CTL_FIND_NOTE_H
#define APP_CTL_FIND_NOTE_H

#include "app/ctl/ctl.h"

extern const struct parameter find_note_parameters[];

enum status find_note_run(struct ctl *ctl);

#endif
