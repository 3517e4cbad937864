/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use_route.c - network interfaces that the host's way out leads through.
 *
 *   proc/net/route, proc/net/ipv6_route --> br0 --> lower_bond0 --> lower_eth0, lower_eth1
 *
 * A route with a gateway counts too: with a tunnel for the default route, it is what the tunnel runs through. Open vSwitch
 * tells nobody which of its ports a bridge has: all of them count. A default route that leads nowhere is said to be lost.
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

/* The datapath of Open vSwitch, above all of its ports. */
#define SWITCH	     "ovs-system"

struct routes {
	const struct machine *machine;
	struct uses *uses;
	const char *purpose, *source;
	char *unled; /* the interface of the first default route that reached no function; NULL: none */
	bool is_tunnel; /* that one has no gateway: what it runs through may be a route that has one */
	bool has_default, has_gateway; /* such a route did reach one */
};

/* Wherever it is, it is hardware: not made up by the kernel, and followed to its end. */
static bool is_hardware(const char *path)
{
	static const char made_up[] = "sys/devices/virtual/";

	return path && strncmp(path, made_up, strlen(made_up)) != 0;
}

/* False: it leads nowhere. Where the interface is, and not the link that leads there: a snapshot has directories where they are. */
static bool follow(const struct routes *routes, const char *interface, const char *way,
		   unsigned int depth)
{
	char *link = memory_print("sys/class/net/%s", interface);
	char *longer = memory_print("%s%s%s", way, *way ? ", " : "", interface);
	const char *path = root_follow(routes->machine->root, link);
	int function = path ? machine_above(routes->machine, path) : MACHINE_NONE;
	bool found = is_hardware(path);
	struct root_names names;

	if (function != MACHINE_NONE)
		use_add(routes->uses, USE_ROUTE, function, interface, routes->purpose,
			routes->source, way);
	if (!path || root_list(routes->machine->root, path, &names) != ROOT_OK)
		names.count = 0;
	for (size_t i = 0; i < names.count && depth < DEEPEST; i++) {
		if (!strncmp(names.name[i], "lower_", 6) &&
		    follow(routes, names.name[i] + 6, longer, depth + 1))
			found = true;
	}
	free(longer);
	free(link);
	return found;
}

static void follow_route(struct routes *routes, const char *interface, bool is_default,
			 unsigned int flags)
{
	bool found;

	routes->purpose = is_default ? "the default route" : "a route by a gateway";
	found = follow(routes, interface, "", 0);
	if (!found)
		found = follow(routes, SWITCH, interface, 0);
	routes->has_default = routes->has_default || (found && is_default);
	routes->has_gateway = routes->has_gateway || (found && !is_default);
	if (found || !is_default || routes->unled)
		return;
	routes->unled = memory_copy(interface);
	routes->is_tunnel = !(flags & ROUTE_GATE);
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
	if ((!destination && !mask) || flags & ROUTE_GATE)
		follow_route(routes, interface, !destination && !mask, flags);
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
	if (is_default || flags & ROUTE_GATE)
		follow_route(routes, interface, is_default, flags);
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
	else if (routes.unled && !routes.has_default && !(routes.is_tunnel && routes.has_gateway))
		use_lose(
			uses, USE_OF_INTERFACES,
			memory_print(
				"the default route is by %s, and no PCI function can be found below it",
				routes.unled));
	free(routes.unled);
}
