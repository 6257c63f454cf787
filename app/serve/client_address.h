/*
 * The address a request came from, as far as it can be trusted.
 */
#ifndef APP_SERVE_CLIENT_ADDRESS_H
#define APP_SERVE_CLIENT_ADDRESS_H

#include "lib/address.h"
#include "lib/config.h"

/*
 * remote_addr is the web server's REMOTE_ADDR, forwarded_for the X-Forwarded-For header;
 * both may be empty. While the address is one of the trusted proxies, the next entry of the
 * header, from the right, takes its place. It may be written a.b.c.d:port, [v6] or
 * [v6]:port; REMOTE_ADDR may not. When a trusted proxy sends no header, or an entry is no
 * address, there is none (family ADDRESS_NONE).
 */
struct address client_address(struct span remote_addr, struct span forwarded_for,
                              const struct config_blocks *trusted);

#endif
