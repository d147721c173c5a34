/* Network addresses as text, as options and the log have them. No name is ever looked up. */
#ifndef SIGNALING_ADDRESS_H
#define SIGNALING_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What one "localhost:PORT" stands for: 127.0.0.1 and ::1. */
#define SIG_ADDRESS_LISTEN_MAX 2

/* Parses "ADDRESS:PORT", "[v6]:PORT" or "localhost:PORT", port 0 allowed. Returns how many
 * addresses were written to out, or -EINVAL. */
int sig_address_parse_listen(const char *text, struct sockaddr_storage out[SIG_ADDRESS_LISTEN_MAX]);

/* Whether the text is an IPv4 or IPv6 address without brackets. */
bool sig_address_is_ip(const char *text);

/* Whether the text is HOST:PORT, the host a name, an IPv4 address or an IPv6 address in brackets.
 */
bool sig_address_is_host_port(const char *text);

/* Writes the IP address without its port; an IPv4-mapped one as IPv4. */
void sig_address_text(const struct sockaddr *address, char out[static INET6_ADDRSTRLEN]);

/* The port in host order, and the size of the structure for the address's family. */
uint16_t sig_address_port(const struct sockaddr *address);
socklen_t sig_address_size(const struct sockaddr *address);

#endif
