/* The SQL of the example calls, as app/store has it for the calls of the API. */
#ifndef TESTS_EXAMPLE_EXAMPLE_STORE_H
#define TESTS_EXAMPLE_EXAMPLE_STORE_H

#include <stdbool.h>

#include "lib/db.h"
#include "lib/uuid.h"

/* Whether the organization has that contact. */
enum status example_has_contact(bool *found, struct db *db, const struct uuid *contact_id,
                                const struct uuid *org_id);

/* How many notes the contact has, and the ids of the newest, at most max of them.
 * STATUS_NOT_FOUND: the organization has no such contact. */
enum status example_count_notes(int64_t *count, struct uuid *newest, size_t max,
                                size_t *found, struct db *db, const struct uuid *contact_id,
                                const struct uuid *org_id);

/* Inside a writing transaction. */
enum status example_set_phone(struct db *db, const struct uuid *contact_id,
                              struct span phone);

#endif
