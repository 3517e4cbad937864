/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/use_console.c - what a person at the machine sees and types with.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "use_back.h"

#define CLASS_DISPLAY 0x03u

/* A display that was given away, or set aside for that, is nobody's console. */
static bool is_set_aside(const struct machine_function *function)
{
	return function->driver &&
	       (!strcmp(function->driver, "vfio-pci") || !strcmp(function->driver, "pci-stub"));
}

static void read_display(const struct machine *machine, struct uses *uses)
{
	for (size_t i = 0; i < machine->function_count; i++) {
		const struct machine_function *function = &machine->function[i];

		if (function->is_boot_vga && function->class_code >> 16 == CLASS_DISPLAY &&
		    !is_set_aside(function))
			use_add(uses, USE_CONSOLE, (int)i, NULL,
				"the display that firmware starts on", "its boot_vga in sysfs", "");
	}
}

/* sys/class/graphics/fb0 -> ../../devices/pci0000:00/0000:00:02.0/graphics/fb0 */
static void read_link(const struct machine *machine, struct uses *uses, const char *class,
		      const char *name, const char *purpose, const char *source)
{
	char *link = memory_print("%s/%s", class, name);
	const char *path = root_follow(machine->root, link);
	int function = path ? machine_above(machine, path) : MACHINE_NONE;

	if (function != MACHINE_NONE)
		use_add(uses, USE_CONSOLE, function, name, purpose, source, "");
	free(link);
}

static void read_framebuffers(const struct machine *machine, struct uses *uses)
{
	static const char class[] = "sys/class/graphics";
	struct root_names names;

	if (root_list(machine->root, class, &names) != ROOT_OK)
		return;
	for (size_t i = 0; i < names.count; i++) {
		if (!strncmp(names.name[i], "fb", 2))
			read_link(machine, uses, class, names.name[i],
				  "the framebuffer that the console draws on",
				  "/sys/class/graphics");
	}
}

/* "tty0 ttyS0": a serial line on a PCI card is one that the kernel prints to. */
static void read_serial(const struct machine *machine, struct uses *uses)
{
	const char *active = root_text(machine->root, "sys/class/tty/console/active");
	char *text = memory_copy(active ?: ""), *rest = text, *name;

	while ((name = strsep(&rest, " "))) {
		if (*name)
			read_link(machine, uses, "sys/class/tty", name, "the kernel's console",
				  "/sys/class/tty/console/active");
	}
	free(text);
}

/* A section for each device: "S: Sysfs=/devices/..", "H: Handlers=sysrq kbd leds". Only keyboards have sysrq. */
static void read_keyboard(const struct machine *machine, struct uses *uses, const char *section)
{
	const char *place = strstr(section, "S: Sysfs=/"),
		   *handlers = strstr(section, "H: Handlers=");
	char *path;
	int function;

	if (!place || !handlers || !strstr(handlers, "sysrq"))
		return;
	place += strlen("S: Sysfs=/");
	path = memory_print("sys/%.*s", (int)strcspn(place, "\n"), place);
	function = machine_above(machine, path);
	if (function != MACHINE_NONE)
		use_add(uses, USE_KEYBOARD, function, NULL, "a keyboard", "/proc/bus/input/devices",
			"");
	free(path);
}

static void read_keyboards(const struct machine *machine, struct uses *uses)
{
	struct root_bytes bytes;
	char *text, *section, *end;

	if (root_read(machine->root, "proc/bus/input/devices", &bytes) != ROOT_OK)
		return;
	text = memory_copy(bytes.data);
	for (section = text; section; section = end) {
		end = strstr(section, "\n\n");
		if (end) {
			*end = 0;
			end += 2;
		}
		read_keyboard(machine, uses, section);
	}
	free(text);
}

void use_console(const struct machine *machine, struct uses *uses)
{
	read_display(machine, uses);
	read_framebuffers(machine, uses);
	read_serial(machine, uses);
	read_keyboards(machine, uses);
}
