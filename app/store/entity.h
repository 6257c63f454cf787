/*
 * Entities: companies that contacts of an organization work for. One is found by its name,
 * without regard to case.
 */
#ifndef APP_STORE_ENTITY_H
#define APP_STORE_ENTITY_H

#include "lib/db.h"
#include "lib/uuid.h"

struct entity {
    struct uuid id;
    struct uuid org_id;
    struct span name;
    struct span website; /* empty: not known */
    int64_t updated_at_ms;
};

/* Finds the id of the organization's entity with that name; STATUS_NOT_FOUND: none has
 * it. */
enum status entity_find(struct db *db, struct uuid *id, const struct uuid *org_id,
                        struct span name);

/* Adds one whose name is new. */
enum status entity_add(struct db *db, const struct entity *entity);

/* Sets the website of the entity with that id. */
enum status entity_set_website(struct db *db, const struct entity *entity);

#endif
