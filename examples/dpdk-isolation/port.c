/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * examples/dpdk-isolation/port.c - two ports on one cable, through ethdev.
 *
 *   port 0 ---- cable ---- port 1      what one sends the other receives, and nobody else sends
 *
 * A port is reset before it receives into another pool: real hardware may stop a queue for good when a
 * transfer of its own was refused.
 */
#include "isolation.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define RING	   64u
#define LINK_MS	   10000u
#define RECEIVE_MS 200u
#define SEND_MS	   200u

static void read_link(const struct port *port, const char *what, char *name, size_t bytes)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", port->name, what);
	length = readlink(path, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	snprintf(name, bytes, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : "");
}

/* A unit of this system's own in between would be what answers, not who runs this system. */
static void check_translation(const struct port *port)
{
	char group[16], path[64], type[16] = "";
	FILE *file;

	read_link(port, "iommu_group", group, sizeof(group));
	if (group[0] == '\0')
		return;
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/type", group);
	file = fopen(path, "r");
	if (file && fscanf(file, "%15s", type) != 1)
		type[0] = '\0';
	if (file)
		fclose(file);
	if (strcmp(type, "identity") != 0)
		isolation_refuse(
			"port %s is behind an IOMMU that this system itself drives: what it "
			"lets through is this system's choice. Boot with iommu=off and "
			"bind the port to uio_pci_generic",
			port->name);
}

static void find_port(struct port *port, uint16_t id)
{
	unsigned int domain, bus, device, function;
	struct rte_eth_dev_info info;
	struct rte_ether_addr address;

	*port = (struct port){ .id = id };
	if (rte_eth_dev_get_name_by_port(id, port->name) != 0 ||
	    rte_eth_dev_info_get(id, &info) != 0 || rte_eth_macaddr_get(id, &address) != 0)
		isolation_refuse("port %u does not say what it is", id);
	if (sscanf(port->name, "%x:%x:%x.%u", &domain, &bus, &device, &function) != 4)
		isolation_refuse(
			"port %s (%s) is no PCI function, so it does no DMA: leave it out, "
			"and allow two that do, -a 0000:00:01.0",
			port->name, info.driver_name);
	memcpy(port->address, &address, PORT_ADDRESS);
	port->function = bus << 8 | device << 3 | function;
	read_link(port, "driver", port->driver, sizeof(port->driver));
	if (strcmp(port->driver, "vfio-pci") == 0)
		isolation_refuse(
			"port %s is driven by vfio-pci, which puts an IOMMU of this system "
			"in between: bind it to uio_pci_generic",
			port->name);
	check_translation(port);
}

void port_find_both(struct port ports[2])
{
	unsigned int count = 0;
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		if (count < 2)
			find_port(&ports[count], id);
		count++;
	}
	if (count == 0)
		isolation_refuse(
			"DPDK drives no port: bind two to uio_pci_generic (driver_override, "
			"drivers_probe, or dpdk-devbind.py), and look what it says of "
			"drivers and bus mastering above");
	if (count == 1)
		isolation_refuse(
			"there is one port alone, %s: two are needed, joined by a cable. A "
			"port of this kind cannot be told to hear itself",
			ports[0].name);
	if (count > 2)
		isolation_refuse("there are %u ports: allow the two that are joined by a cable, -a "
				 "%s -a %s",
				 count, ports[0].name, ports[1].name);
	if (rte_eal_iova_mode() != RTE_IOVA_PA)
		isolation_refuse("DPDK gives ports virtual addresses here (IOVA mode VA), so none "
				 "can be aimed outside: bind them to uio_pci_generic, or say "
				 "--iova-mode=pa");
}

static bool wait_link(const struct port *port)
{
	struct rte_eth_link link;

	for (unsigned int i = 0; i < LINK_MS / 10; i++) {
		if (rte_eth_link_get_nowait(port->id, &link) == 0 && link.link_status)
			return true;
		rte_delay_us_sleep(10000);
	}
	return false;
}

bool port_start(struct port *port, struct rte_mempool *receive)
{
	const struct rte_eth_conf conf = { .rxmode = { .mq_mode = RTE_ETH_MQ_RX_NONE } };
	int status = port->is_started ? rte_eth_dev_stop(port->id) : 0;

	if (status == 0)
		status = rte_eth_dev_configure(port->id, 1, 1, &conf);
	if (status == 0)
		status = rte_eth_rx_queue_setup(port->id, 0, RING, SOCKET_ID_ANY, NULL, receive);
	if (status == 0)
		status = rte_eth_tx_queue_setup(port->id, 0, RING, SOCKET_ID_ANY, NULL);
	if (status == 0)
		status = rte_eth_dev_start(port->id);
	if (status == 0)
		status = rte_eth_promiscuous_enable(port->id);
	port->is_started = status == 0;
	if (status != 0)
		printf("# port %s does not start: %s\n", port->name, rte_strerror(-status));
	return status == 0 && wait_link(port);
}

void port_stop(const struct port *port)
{
	if (rte_eth_dev_stop(port->id) != 0 || rte_eth_dev_close(port->id) != 0)
		printf("# port %s does not stop\n", port->name);
}

struct rte_mbuf *port_receive(const struct port *port)
{
	struct rte_mbuf *buffer;

	for (unsigned int i = 0; i < RECEIVE_MS; i++) {
		if (rte_eth_rx_burst(port->id, 0, &buffer, 1) == 1)
			return buffer;
		rte_delay_us_sleep(1000);
	}
	return NULL;
}

bool port_send(const struct port *port, struct rte_mbuf *buffer)
{
	for (unsigned int i = 0; i < SEND_MS; i++) {
		if (rte_eth_tx_burst(port->id, 0, &buffer, 1) == 1)
			return true;
		rte_delay_us_sleep(1000);
	}
	rte_pktmbuf_free(buffer);
	return false;
}

void port_drain(const struct port *port)
{
	struct rte_mbuf *buffer;

	for (unsigned int i = 0; i < RING && rte_eth_rx_burst(port->id, 0, &buffer, 1) == 1; i++)
		rte_pktmbuf_free(buffer);
}

_Static_assert(RTE_ETH_NAME_MAX_LEN <= PORT_NAME, "DPDK writes a name");
_Static_assert(sizeof(struct rte_ether_addr) == PORT_ADDRESS, "an address is copied");
