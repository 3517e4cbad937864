/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests/terminal.c - runs a program on a serial port that has no interrupt.
 *
 *   terminal DEVICE PROGRAM [ARGUMENT...]
 *
 * The kernel takes it that a PC's first port has interrupt 4, and waits for it in vain. Told that there is
 * none, it looks at the port by a timer.
 */
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_polled(const char *device)
{
	struct serial_struct port;
	int line = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (line < 0 || ioctl(line, TIOCGSERIAL, &port) != 0)
		return -1;
	port.irq = 0;
	if (ioctl(line, TIOCSSERIAL, &port) != 0)
		return -1;
	close(line);
	return open(device, O_RDWR | O_NOCTTY);
}

int main(int count, char **words)
{
	const int line = count > 2 ? open_polled(words[1]) : -1;
	pid_t child;

	if (line < 0) {
		perror("terminal DEVICE PROGRAM [ARGUMENT...]: the device");
		return 2;
	}
	child = fork();
	if (child == 0) {
		setsid();
		ioctl(line, TIOCSCTTY, 0);
		dup2(line, 0);
		dup2(line, 1);
		dup2(line, 2);
		execvp(words[2], words + 2);
		_exit(127);
	}
	return child < 0 || waitpid(child, NULL, 0) < 0;
}
