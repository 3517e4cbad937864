/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * platform/linux/root_directory.c - a tree that is a directory: this machine's own, or a copy.
 *
 * openat2(2) with RESOLVE_IN_ROOT takes the directory for the head of every path and every link. A file is opened for
 * reading only and never waited for, so /dev/kmsg, which has a record for each read, is read to its end too.
 */
#include "root_back.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "say.h"

#define READ_BYTES 16384u      /* a record of the kernel's log has at most 8 KiB */
#define READ_MOST  (64u << 20) /* what no file here has */

struct directory {
	int fd;
};

static int open_in(const struct directory *directory, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)(flags | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, directory->fd, *path ? path : ".", &how, sizeof(how));
}

void *root_directory_open(const char *path)
{
	struct directory *directory = memory_take(1, sizeof(*directory));

	directory->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory->fd >= 0)
		return directory;
	say_error("%s: %s", path, strerror(errno));
	free(directory);
	return NULL;
}

static void close_directory(void *back)
{
	struct directory *directory = back;

	close(directory->fd);
	free(directory);
}

static enum root_answer answer_of(int error)
{
	return error == EACCES || error == EPERM ? ROOT_DENIED : ROOT_ABSENT;
}

/* How many came; 0: the end, negative: an error. */
static ssize_t read_some(int fd, char *data)
{
	ssize_t count;

	/* EPIPE: records of the log were lost meanwhile; the next ones follow. */
	do
		count = read(fd, data, READ_BYTES);
	while (count < 0 && (errno == EINTR || errno == EPIPE));
	return count < 0 && errno == EAGAIN ? 0 : count;
}

static enum root_answer read_file(void *back, const char *path, struct root_bytes *bytes)
{
	int fd = open_in(back, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), error;
	char *data = NULL;
	size_t room = 0;
	ssize_t count;

	if (fd < 0)
		return answer_of(errno);
	do {
		if (room - bytes->count <= READ_BYTES) {
			char *more = memory_take(room + 4 * READ_BYTES, 1);

			if (data)
				memcpy(more, data, bytes->count);
			free(data);
			data = more;
			room += 4 * READ_BYTES;
		}
		count = read_some(fd, data + bytes->count);
		bytes->count += count > 0 ? (size_t)count : 0;
	} while (count > 0 && bytes->count < READ_MOST);
	error = errno;
	close(fd);
	bytes->data = data;
	/* The kernel refuses some files only as they are read. */
	return count < 0 && !bytes->count ? answer_of(error) : ROOT_OK;
}

static enum root_answer read_link(void *back, const char *path, struct root_bytes *target)
{
	int fd = open_in(back, path, O_PATH | O_NOFOLLOW);
	char text[4096];
	ssize_t count;

	if (fd < 0)
		return answer_of(errno);
	count = readlinkat(fd, "", text, sizeof(text) - 1);
	close(fd);
	if (count < 0)
		return ROOT_ABSENT;
	text[count] = 0;
	*target = (struct root_bytes){ memory_copy(text), (size_t)count };
	return ROOT_OK;
}

static enum root_answer list(void *back, const char *path, struct root_names *names)
{
	int fd = open_in(back, path, O_RDONLY | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return answer_of(error);
	}
	while ((entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		names->name = memory_grow(names->name, names->count, sizeof(char *));
		names->name[names->count++] = memory_copy(entry->d_name);
	}
	closedir(stream);
	root_names_sort(names);
	return ROOT_OK;
}

const struct root_back root_directory = { read_file, read_link, list, close_directory };
