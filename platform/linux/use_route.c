/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use_route.c - network interfaces that the host's way out leads through.
 *
 *   proc/net/route, proc/net/ipv6_route --> br0 --> lower_bond0 --> lower_eth0, lower_eth1
 *
 * A route with a gateway counts too: with a tunnel for the default route, it is what the tunnel runs through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "use_back.h"

#define DEEPEST	     8 /* vlan on bridge on bond .. */

/* include/uapi/linux/route.h, ipv6_route.h */
#define ROUTE_UP     0x0001u
#define ROUTE_GATE   0x0002u
#define ROUTE_REJECT 0x0200u

struct routes {
	const struct machine *machine;
	struct uses *uses;
	const char *purpose, *source;
};

/* Where the interface is, and not the link that leads there: a snapshot has directories where they are. */
static void follow(const struct routes *routes, const char *interface, const char *way,
		   unsigned int depth)
{
	char *link = memory_print("sys/class/net/%s", interface);
	char *longer = memory_print("%s%s%s", way, *way ? ", " : "", interface);
	const char *path = root_follow(routes->machine->root, link);
	int function = path ? machine_above(routes->machine, path) : MACHINE_NONE;
	struct root_names names;

	if (function != MACHINE_NONE)
		use_add(routes->uses, USE_ROUTE, function, interface, routes->purpose,
			routes->source, way);
	if (!path || root_list(routes->machine->root, path, &names) != ROOT_OK)
		names.count = 0;
	for (size_t i = 0; i < names.count && depth < DEEPEST; i++) {
		if (!strncmp(names.name[i], "lower_", 6))
			follow(routes, names.name[i] + 6, longer, depth + 1);
	}
	free(longer);
	free(link);
}

/* eth0 00000000 0102000A 0003 0 0 100 00000000 .. */
static void read_route(struct routes *routes, const char *line)
{
	char interface[64];
	unsigned int destination, gateway, flags, mask;

	if (sscanf(line, "%63s %x %x %x %*d %*d %*d %x", interface, &destination, &gateway, &flags,
		   &mask) != 5 ||
	    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
		return;
	routes->purpose = !destination && !mask ? "the default route" : "a route by a gateway";
	if ((!destination && !mask) || flags & ROUTE_GATE)
		follow(routes, interface, "", 0);
}

/* 32 digits, length, source, length, next hop, metric, references, uses, flags, interface */
static void read_route6(struct routes *routes, const char *line)
{
	char interface[64], destination[33];
	unsigned int length, flags;
	bool is_default;

	if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %63s", destination, &length, &flags,
		   interface) != 4 ||
	    !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
		return;
	is_default = !length && strspn(destination, "0") == 32;
	routes->purpose = is_default ? "the default route" : "a route by a gateway";
	if (is_default || flags & ROUTE_GATE)
		follow(routes, interface, "", 0);
}

static bool read_table(struct routes *routes, const char *path, const char *source,
		       void (*read)(struct routes *routes, const char *line))
{
	struct root_bytes bytes;
	char *text, *rest, *line;

	if (root_read(routes->machine->root, path, &bytes) != ROOT_OK)
		return false;
	routes->source = source;
	text = rest = memory_copy(bytes.data);
	while ((line = strsep(&rest, "\n")))
		read(routes, line);
	free(text);
	return true;
}

void use_routes(const struct machine *machine, struct uses *uses)
{
	struct routes routes = { .machine = machine, .uses = uses };
	bool seen = read_table(&routes, "proc/net/route", "/proc/net/route", read_route);

	/* A kernel without IPv6 has no such file. */
	read_table(&routes, "proc/net/ipv6_route", "/proc/net/ipv6_route", read_route6);
	if (!seen)
		use_lose(
			uses, USE_OF_INTERFACES,
			memory_copy(
				"/proc/net/route cannot be read: which interface has the default route is not known"));
}
