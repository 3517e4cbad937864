/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/audit_acs.c - the ways past the unit: where a request may turn round before it comes there.
 * PCI Express base 6.0: 6.12.
 *
 *        unit
 *         |
 *     root port ----- root port of the same slot     RR, CR off: from port to port
 *         |   \                                      UF off: down again where it came from
 *      device  (switch: downstream ports)            SV off: with another's requester id
 *
 * A function of several tells its slot's others apart only by ACS of its own; a conventional bus has none.
 */
#include <stdlib.h>
#include <string.h>

#include "acs.h"
#include "finding.h"
#include "memory.h"

#define CAPABILITY_PCIE 0x10u

/* PCI Express base 6.0: 7.5.3.2 */
enum pcie_type {
	TYPE_ENDPOINT = 0,
	TYPE_ROOT_PORT = 4,
	TYPE_UPSTREAM = 5,
	TYPE_DOWNSTREAM = 6,
	TYPE_CONVENTIONAL = 0x100, /* no PCI Express capability */
	TYPE_UNSEEN = 0x101,	   /* nor any other: they could not be read */
};

const char AUDIT_ACS_GAP[] = "acs-gap";

/* Where the way up may be left. */
struct edge {
	const struct check *check;
	int at;	       /* the port, the bridge, or the function itself */
	uint32_t open; /* bits that are missing */
	const char *what;
	bool none; /* no ACS capability at all */
	int *peer;
	size_t peer_count;
};

static uint32_t type_of(const struct machine_function *function)
{
	uint32_t at = machine_capability(function, CAPABILITY_PCIE);

	if (!machine_sees_capabilities(function))
		return TYPE_UNSEEN;
	return at ? machine_config(function, at + 2, 2) >> 4 & 0xf : TYPE_CONVENTIONAL;
}

static bool is_port(const struct machine_function *function)
{
	uint32_t type = type_of(function);

	/* What could be a port is taken for one. */
	return type == TYPE_ROOT_PORT || type == TYPE_DOWNSTREAM || type == TYPE_UNSEEN;
}

static bool is_below(const struct machine *machine, int index, int bridge)
{
	while (index != MACHINE_NONE && index != bridge)
		index = machine->function[index].parent;
	return index == bridge;
}

static bool in_one_slot(const struct machine_function *a, const struct machine_function *b)
{
	return a->sbdf.sbdf >> 3 == b->sbdf.sbdf >> 3;
}

/* Bits that the capability lacks are as if they were on, as the kernel has it: there is nothing to control. */
static uint32_t open_bits(const struct acs *acs)
{
	return acs->answer == ACS_PRESENT ? ACS_ISOLATES & acs->can & ~acs->on : ACS_ISOLATES;
}

/* Another way up that meets this one at the port: root ports of a slot, downstream ports of a switch. */
static bool is_beside(const struct machine_function *port, const struct machine_function *other)
{
	if (port->parent != other->parent || port == other)
		return false;
	return type_of(port) == TYPE_DOWNSTREAM ? type_of(other) == TYPE_DOWNSTREAM
						: in_one_slot(port, other);
}

static bool is_reached_beside(const struct machine *machine, int port, int index)
{
	for (; index != MACHINE_NONE; index = machine->function[index].parent) {
		if (is_beside(&machine->function[port], &machine->function[index]))
			return true;
	}
	return false;
}

/* Whom a request can come to that turns round here. */
static bool reaches(const struct edge *edge, int index)
{
	const struct machine *machine = edge->check->machine;
	const struct machine_function *at = &machine->function[edge->at],
				      *other = &machine->function[index];

	if (index == edge->check->index || other->is_bridge)
		return false;
	if (edge->at == edge->check->index)
		return in_one_slot(at, other) && other->parent == at->parent &&
		       other->physical == MACHINE_NONE;
	if (!is_port(at))
		return is_below(machine, index, edge->at);
	return (edge->open & (ACS_UPSTREAM_FORWARD | ACS_SOURCE_VALIDATION) &&
		is_below(machine, index, edge->at)) ||
	       (edge->open & ~ACS_UPSTREAM_FORWARD && is_reached_beside(machine, edge->at, index));
}

static void find_peers(struct edge *edge)
{
	const struct machine *machine = edge->check->machine;

	edge->peer = memory_take(machine->function_count, sizeof(int));
	for (size_t i = 0; i < machine->function_count; i++) {
		if (reaches(edge, (int)i))
			edge->peer[edge->peer_count++] = (int)i;
	}
}

static size_t count_outside(const struct edge *edge)
{
	size_t outside = 0;

	for (size_t i = 0; i < edge->peer_count; i++)
		outside += !function_is_mate(edge->check, edge->peer[i]);
	return outside;
}

/* What the registers say, as the beginning of a sentence. */
static char *register_text(const struct edge *edge)
{
	const struct machine_function *at = &edge->check->machine->function[edge->at];
	const char *told;
	char *bits, *text;

	if (edge->none)
		return memory_print(
			"%s, %s, has no ACS capability (/sys/bus/pci/devices/%s/config)", at->name,
			edge->what, at->name);
	told = edge->check->machine->cmdline;
	bits = acs_text(edge->open);
	text = memory_print(
		"%s, %s, has %s off in its ACS control register (/sys/bus/pci/devices/%s/config%s)",
		at->name, edge->what, bits, at->name,
		told && strstr(told, "disable_acs_redir=")
			? "; /proc/cmdline has disable_acs_redir="
			: "");
	free(bits);
	return text;
}

/* Between the same functions each bit that is off opens another way. */
static char *ways_text(const struct edge *edge)
{
	uint32_t open = edge->open;

	if (edge->at == edge->check->index)
		return memory_copy(" its functions may talk inside the device;");
	if (!is_port(&edge->check->machine->function[edge->at]))
		return memory_copy(" all on such a bus see what each of them sends;");
	return memory_print(
		"%s%s%s%s", open & ACS_REQUEST_REDIRECT ? " requests turn round there (RR);" : "",
		open & ACS_COMPLETION_REDIRECT ? " answers do (CR);" : "",
		open & ACS_UPSTREAM_FORWARD
			? " what comes up may go down again on the same link (UF);"
			: "",
		open & ACS_SOURCE_VALIDATION
			? " requester ids are not checked, so one may pose as another (SV);"
			: "");
}

static bool is_switch(const struct edge *edge)
{
	return type_of(&edge->check->machine->function[edge->at]) == TYPE_DOWNSTREAM;
}

/*
 * Groups are trusted where the kernel may know of hardware what its registers do not say: root ports, functions of
 * several. Not where it was told what to form, nor between the ports of a switch: for a group, kernels look at the
 * ports above a device, not at those beside them.
 */
static bool is_unsafe(const struct edge *edge, size_t outside)
{
	return outside && edge->check->group &&
	       (edge->check->audit->settings.acs_override || is_switch(edge));
}

static const char *conclusion_of(const struct edge *edge, size_t outside)
{
	if (!edge->check->group)
		return "";
	if (!outside)
		return " That is why they are in one group.";
	if (edge->check->audit->settings.acs_override)
		return " The kernel has them in different groups because pcie_acs_override= told it to; nothing keeps "
		       "them apart.";
	if (is_switch(edge))
		return " The kernel has them in different groups all the same: it looks at the ports above a device, "
		       "not at those beside them.";
	return " The kernel has them in different groups: it knows this hardware to isolate without saying so.";
}

/* Of the peers, the first that is in another group; else the first. */
static int first_peer(const struct edge *edge)
{
	for (size_t i = 0; i < edge->peer_count; i++) {
		if (!function_is_mate(edge->check, edge->peer[i]))
			return edge->peer[i];
	}
	return edge->peer[0];
}

static void add_gap(const struct edge *edge)
{
	const struct check *check = edge->check;
	size_t outside = count_outside(edge);
	bool unsafe = is_unsafe(edge, outside);
	char *registers = register_text(edge), *ways = ways_text(edge),
	     *list = finding_list(check->machine, edge->peer, edge->peer_count);
	struct audit_finding *finding;

	finding = finding_add(
		check->out, AUDIT_ACS_GAP, unsafe ? AUDIT_UNSAFE : AUDIT_SAFE,
		memory_print("may reach %s%s past the IOMMU",
			     check->machine->function[first_peer(edge)].name,
			     edge->peer_count > 1 ? " and others" : ""),
		memory_print("%s:%s so from %s to %s there is a way that the unit does not see.%s",
			     registers, ways, check->function->name, list,
			     conclusion_of(edge, outside)),
		unsafe ? memory_copy(
				 "give them all to one guest, or put the device behind a root port of its own")
		       : NULL);
	for (size_t i = 0; i < edge->peer_count; i++)
		finding_add_peer(finding, edge->peer[i]);
	free(list);
	free(ways);
	free(registers);
}

static void add_unseen(const struct check *check, const struct machine_function *at)
{
	finding_add(
		check->out, "acs-unseen", AUDIT_UNKNOWN,
		memory_print("whether %s isolates is not known", at->name),
		memory_print(
			"/sys/bus/pci/devices/%s/config could not be read beyond %zu bytes, and with pcie_acs_override= groups "
			"are no evidence.",
			at->name, at->config.count),
		memory_copy("run it as root"));
}

static void look_at(const struct check *check, int at, const char *what)
{
	const struct machine_function *function = &check->machine->function[at];
	struct acs acs = acs_of(function);
	struct edge edge = { .check = check,
			     .at = at,
			     .what = what,
			     .none = acs.answer != ACS_PRESENT,
			     .open = open_bits(&acs) };

	/* 6.12.1.2: functions of one device have no source to validate and no link to forward on. */
	if (at == check->index)
		edge.open &= ACS_REQUEST_REDIRECT | ACS_COMPLETION_REDIRECT;
	if (!edge.open)
		return;
	find_peers(&edge);
	if (edge.peer_count && acs.answer == ACS_UNSEEN) {
		/* Groups tell, unless the kernel was told what to form. */
		if (check->audit->settings.acs_override && !left_out("acs-unseen"))
			add_unseen(check, function);
	} else if (edge.peer_count) {
		add_gap(&edge);
	}
	free(edge.peer);
}

static const char *what_is(const struct machine_function *bridge)
{
	switch (type_of(bridge)) {
	case TYPE_ROOT_PORT:
		return "a root port";
	case TYPE_DOWNSTREAM:
		return "a switch's downstream port";
	}
	return "a bridge to a conventional bus";
}

void audit_acs(const struct check *check)
{
	const struct machine *machine = check->machine;

	if (check->function->is_bridge || left_out("acs"))
		return;
	if (check->function->physical == MACHINE_NONE)
		look_at(check, check->index, "a function of several");
	for (int up = check->function->parent; up != MACHINE_NONE;
	     up = machine->function[up].parent) {
		/* 6.12.1.1: what comes up a switch's upstream port goes on. */
		if (type_of(&machine->function[up]) != TYPE_UPSTREAM)
			look_at(check, up, what_is(&machine->function[up]));
	}
}

static bool has_gap_to(const struct audit_findings *found, int peer)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->finding[i].id == AUDIT_ACS_GAP &&
		    found->finding[i].weight == AUDIT_UNSAFE &&
		    finding_has_peer(&found->finding[i], peer))
			return true;
	}
	return false;
}

/* A way that leads from another device to this one, and not back. */
void audit_acs_reached(const struct check *check)
{
	for (size_t i = 0; i < check->machine->function_count && !left_out("acs-reached"); i++) {
		const struct machine_function *other = &check->machine->function[i];

		if (function_is_mate(check, (int)i) ||
		    !has_gap_to(&check->audit->device[i].found, check->index) ||
		    has_gap_to(check->out, (int)i))
			continue;
		finding_add_peer(
			finding_add(
				check->out, "acs-reached", AUDIT_UNSAFE,
				memory_print("%s may reach it past the IOMMU", other->name),
				memory_print(
					"Whoever has %s reads and writes the registers of %s: see acs-gap of "
					"`sallyport audit %s`.",
					other->name, check->function->name, other->name),
				memory_print("give both to one guest, or leave %s without a driver",
					     other->name)),
			(int)i);
	}
}
