/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/actor.c - sysfs, written. A path leads no further than the directory, and no file is made.
 */
#include "actor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"
#include "memory.h"
#include "say.h"

struct directory {
	struct actor actor; /* first */
	int fd;
};

static int open_in(const struct directory *directory, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, directory->fd, path, &how, sizeof(how));
}

static int write_file(struct actor *actor, const char *path, const char *text)
{
	int fd = open_in((struct directory *)actor, path, O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	/* The kernel takes one write(2) for one order. */
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

static char *driver_of(struct actor *actor, const char *sbdf)
{
	char *path = memory_print(ACTOR_DEVICES "/%s/driver", sbdf), text[4096], *slash;
	int fd = open_in((struct directory *)actor, path, O_PATH | O_NOFOLLOW);
	ssize_t count = fd < 0 ? -1 : readlinkat(fd, "", text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	free(path);
	if (count < 0)
		return NULL;
	text[count] = 0;
	slash = strrchr(text, '/');
	return memory_copy(slash ? slash + 1 : text);
}

static char *override_of(struct actor *actor, const char *sbdf)
{
	char *path = memory_print(ACTOR_DEVICES "/%s/driver_override", sbdf), text[256];
	int fd = open_in((struct directory *)actor, path, O_RDONLY);
	ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	free(path);
	if (count < 0)
		return NULL;
	text[count] = 0;
	text[strcspn(text, "\n")] = 0;
	return !*text || !strcmp(text, "(null)") ? NULL : memory_copy(text);
}

static void close_directory(struct actor *actor)
{
	close(((struct directory *)actor)->fd);
	free(actor);
}

struct actor *actor_open(const char *path)
{
	struct directory *directory = memory_take(1, sizeof(*directory));

	directory->actor = (struct actor){ write_file, driver_of, override_of, close_directory };
	directory->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory->fd < 0)
		say_fatal(EXIT_USAGE, "%s: %s; only this machine or a directory can be written to",
			  path, strerror(errno));
	return &directory->actor;
}
