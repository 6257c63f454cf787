/*
 * What could stand at a place of the command line, for the completion of shells.
 *
 *     crmnotesctl complete [WORD]... WORD
 *
 * The words are those behind crmnotesctl, up to the one that is being typed, which may be
 * empty. Prints a line for each candidate: what would take the place of that word, a tab,
 * and a remark, which may be empty. The line ":files" stands for the names of files.
 * Candidates for an id are also found by a part of a name. The scripts in completions/ hand
 * this to bash, zsh and fish; nouns, verbs and options come from the same tables as the
 * help.
 *
 * It is no verb, because it takes words in any state. A mistake among them, or a database
 * that cannot be read, is no failure: there are no candidates then.
 */
#ifndef APP_CTL_COMPLETE_H
#define APP_CTL_COMPLETE_H

#include <stddef.h>

/* The word of the command line that leads here. */
extern const char complete_word[];

/* Prints the candidates for the last one of count words to standard output. */
void complete_print(size_t count, char *const *words);

#endif
