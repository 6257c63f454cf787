/*
 * A contact, its company and its notes as callers read them: what fetchContact and
 * lookupContact answer.
 */
#ifndef APP_API_CONTACT_ANSWER_H
#define APP_API_CONTACT_ANSWER_H

#include "app/api/call.h"
#include "app/store/contact.h"
#include "app/store/note_page.h"

enum {
    CONTACT_ANSWER_FIELDS = 13, /* of a contact */
    ENTITY_ANSWER_FIELDS = 2,
    NOTE_ANSWER_FIELDS = 8,
    /* The notes of an answer end with the one that makes their texts longer than this, as
     * they are sent. */
    NOTES_MAX_BYTES = 1024 * 1024,
};

/* What is answered. The fields of CONTACT_ANSWER_CONTACT and the like point into it. */
struct contact_answer {
    struct contact_copy copy;
    struct field_list notes;   /* of struct note_read */
    struct uuid notes_next;    /* zeros: there are no more */
    struct field_list signals; /* none */
    bool has_entity;
    bool notes_shown, entity_shown, profile_shown, signals_shown;
};

extern const struct field contact_answer_contact[CONTACT_ANSWER_FIELDS];
extern const struct field contact_answer_entity[ENTITY_ANSWER_FIELDS];
extern const struct field contact_answer_note[NOTE_ANSWER_FIELDS];

#define CONTACT_ANSWER_SHOWN_BY(flag) .shown_by = offsetof(struct contact_answer, flag)

/* The members of an answer, as initialisers of struct field. */
#define CONTACT_ANSWER_CONTACT                                                             \
    .name = "contact", .type = FIELD_OBJECT, .fields = contact_answer_contact,             \
    .field_count = CONTACT_ANSWER_FIELDS, .description = "The contact."
#define CONTACT_ANSWER_NOTES                                                               \
    .name = "notes", .type = FIELD_LIST, .offset = offsetof(struct contact_answer, notes), \
    .fields = contact_answer_note, .field_count = NOTE_ANSWER_FIELDS
#define CONTACT_ANSWER_ENTITY                                                              \
    .name = "entity", .type = FIELD_OBJECT, .nullable = true,                              \
    .known_by = offsetof(struct contact_answer, has_entity),                               \
    .fields = contact_answer_entity, .field_count = ENTITY_ANSWER_FIELDS,                  \
    .description = "The company that the contact works for."
#define CONTACT_ANSWER_PROFILE                                                             \
    .name = "profile", .type = FIELD_OBJECT, .example = "{}",                              \
    .description = "Empty: this server keeps no profiles."
#define CONTACT_ANSWER_SIGNALS                                                             \
    .name = "signals", .type = FIELD_LIST,                                                 \
    .offset = offsetof(struct contact_answer, signals), .example = "[]",                   \
    .description = "Empty: this server keeps no signals."

/*
 * Adds the contact's notes: at most limit of those that viewer sees, behind the note
 * `after` (NULL: from the newest on). STATUS_INVALID: `after` is no note of the contact.
 */
enum status contact_answer_add_notes(struct contact_answer *out,
                                     const struct reading *reading,
                                     const struct note_viewer *viewer, size_t limit,
                                     const struct uuid *after);

/* Sets what else follows from the contact. */
void contact_answer_complete(struct contact_answer *out);

#endif
