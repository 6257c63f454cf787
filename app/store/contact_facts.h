/*
 * Facts about the member and the contact of a request.
 */
#ifndef APP_STORE_CONTACT_FACTS_H
#define APP_STORE_CONTACT_FACTS_H

#include "app/rules/contact_rules.h"
#include "app/rules/reason.h"
#include "app/store/contact.h"
#include "lib/db.h"

/* Whether the organization has an active member with this id. STATUS_OK, or the failure of
 * the database; so do the others. */
enum status contact_member_read(bool *found, struct db *db,
                                const struct given_id *member_id,
                                const struct uuid *org_id);

/*
 * Reads the facts for contact_judge_use, and the contact itself to *contact (NULL: none is
 * named). With only_own, contacts of other organizations count as absent.
 */
enum status contact_facts_read(struct contact_facts *out, struct contact_copy *contact,
                               struct db *db, const struct caller *caller,
                               const struct given_id *member_id,
                               const struct given_id *contact_id, bool only_own);

/* Reads the facts for contact_judge, and the contact that is found to *before: all zeros
 * where it is none, or not the only one. */
enum status contact_write_facts_read(struct contact_write_facts *out,
                                     struct contact_copy *before, struct db *db,
                                     const struct caller *caller,
                                     const struct contact_command *command);

/* Finds out, for the log, why a call was refused that names an organization and a
 * contact. It looks into an index only, so that it takes as long for contacts that
 * exist as for others. */
enum status contact_reason_read(enum reason *reason, enum error refusal, struct db *db,
                                const struct caller *caller, const struct given_id *org_id,
                                const struct given_id *contact_id);

#endif
