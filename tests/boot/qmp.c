/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/boot/qmp.c - QEMU's own monitor (QMP), over a socket that is connected.
 *
 *   {"execute": "screendump", ...} --> ... {"event": ...} ... <-- {"return": {}} or {"error": {"desc"}}
 */
#include "qmp.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LINE = 16384,
	PATIENCE_MS = 60000
};

/* One line, byte by byte: what comes is short. */
static bool read_line(int socket, char *line)
{
	struct pollfd ready = { .fd = socket, .events = POLLIN };

	for (size_t used = 0; used < LINE; used++) {
		if (poll(&ready, 1, PATIENCE_MS) != 1 || read(socket, line + used, 1) != 1)
			return false;
		if (line[used] == '\n') {
			line[used] = '\0';
			return true;
		}
	}
	return false;
}

/* Events come in between. NULL: nothing comes any more. */
static json_t *read_answer(int socket)
{
	char line[LINE];

	while (read_line(socket, line)) {
		json_t *answer = json_loads(line, 0, NULL);

		if (json_object_get(answer, "return") || json_object_get(answer, "error"))
			return answer;
		json_decref(answer);
	}
	return NULL;
}

/* Takes the command. */
static bool carry_out(int socket, json_t *command, char *amiss, size_t size)
{
	char *text = json_dumps(command, JSON_COMPACT);
	const ssize_t length = text ? (ssize_t)strlen(text) : 0;
	json_t *answer = NULL, *error;
	bool good;

	if (length > 0 && send(socket, text, (size_t)length, MSG_NOSIGNAL) == length)
		answer = read_answer(socket);
	error = json_object_get(answer, "error");
	good = answer && !error;
	if (!good)
		snprintf(amiss, size, "%s",
			 error ? json_string_value(json_object_get(error, "desc"))
			       : "QEMU's monitor does not answer");
	free(text);
	json_decref(command);
	json_decref(answer);
	return good;
}

bool qmp_begin(int socket)
{
	char greeting[LINE], amiss[LINE];

	return read_line(socket, greeting) &&
	       carry_out(socket, json_pack("{s:s}", "execute", "qmp_capabilities"), amiss,
			 sizeof(amiss));
}

bool qmp_picture(int socket, const char *device, const char *path, char *amiss, size_t size)
{
	return carry_out(socket,
			 json_pack("{s:s, s:{s:s, s:s, s:i, s:s}}", "execute", "screendump",
				   "arguments", "filename", path, "device", device, "head", 0,
				   "format", "png"),
			 amiss, size);
}
