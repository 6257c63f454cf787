/*
 * Reads the body of a request: the credentials, whose text is wiped once they are hashed,
 * and the call's fields, which are read once into the call's struct.
 */
#ifndef APP_SERVE_INPUT_H
#define APP_SERVE_INPUT_H

#include "app/serve/exchange.h"
#include "app/settings.h"
#include "lib/secret.h"

/* Fills credentials, input, command and complaints of the exchange, whose body is an
 * object. STATUS_NO_MEMORY is the only failure. */
enum status input_read(struct exchange *exchange, const struct settings *settings,
                       const struct secret_key *key);

#endif
