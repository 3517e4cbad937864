/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci/reset.c - function level reset.
 *
 *   save | wait for transactions under way | initiate | 100 ms | wait until it answers | put back
 *
 * PCI Express base 6.0: 6.6.2; Advanced Capabilities for Conventional PCI, ECN of 2006.
 */
#include "pci/capability.h"

#include "lib/bits.h"
#include "pci/sriov.h"

#define MILLISECOND	1000000ull
#define PENDING_AT_MOST (1000 * MILLISECOND)
#define QUIET_TIME	(100 * MILLISECOND) /* 6.6.2: before it is touched again */
#define ANSWER_AT_MOST	(1000 * MILLISECOND)

/* What a reset clears and the machine around the function needs as it was. */
struct saved {
	uint32_t command, cache_line, interrupt_line;
	uint32_t device_control; /* payload sizes must fit those of the ports above */
	uint32_t bar[SP_BARS];
};

static void save(const struct sp_host *host, const struct function *function, struct saved *saved)
{
	sp_sbdf_t id = function->sbdf;

	saved->command = config_read16(host, id, CONFIG_COMMAND);
	saved->cache_line = config_read8(host, id, CONFIG_CACHE_LINE);
	saved->interrupt_line = config_read8(host, id, CONFIG_INTERRUPT_LINE);
	saved->device_control = 0;
	if (function->pcie)
		saved->device_control =
			config_read16(host, id, function->pcie + PCIE_DEVICE_CONTROL);
	for (uint32_t i = 0; i < SP_BARS; i++)
		saved->bar[i] = config_read32(host, id, CONFIG_BAR(i));
}

/* The command register last: nothing is decoded before its address is right. */
static void put_back(const struct sp_host *host, const struct function *function,
		     const struct saved *saved)
{
	sp_sbdf_t id = function->sbdf;

	for (uint32_t i = 0; i < SP_BARS && !function->is_virtual; i++)
		config_write32(host, id, CONFIG_BAR(i), saved->bar[i]);
	config_write8(host, id, CONFIG_CACHE_LINE, saved->cache_line);
	config_write8(host, id, CONFIG_INTERRUPT_LINE, saved->interrupt_line);
	if (function->pcie)
		config_write16(host, id, function->pcie + PCIE_DEVICE_CONTROL,
			       saved->device_control & ~DEVICE_CONTROL_FLR);
	config_write16(host, id, CONFIG_COMMAND, saved->command);
}

static bool is_pending(const struct sp_host *host, const struct function *function, bool express)
{
	if (express)
		return config_read16(host, function->sbdf, function->pcie + PCIE_DEVICE_STATUS) &
		       DEVICE_STATUS_PENDING;
	if (!(config_read8(host, function->sbdf, function->advanced + ADVANCED_CAP) &
	      ADVANCED_HAS_TP))
		return false;
	return config_read8(host, function->sbdf, function->advanced + ADVANCED_STATUS) &
	       ADVANCED_PENDING;
}

/* A function whose requests never end is reset all the same: that is what the reset is for. */
static void wait_for_pending(const struct sp_host *host, const struct function *function,
			     bool express)
{
	uint64_t start = platform_now(host->embedder);

	while (is_pending(host, function, express)) {
		if (platform_now(host->embedder) - start > PENDING_AT_MOST) {
			config_log(host, SP_LOG_WARNING, function->sbdf,
				   "its transactions do not end; reset all the same");
			return;
		}
		platform_relax(host->embedder);
	}
}

static bool comes_back(const struct sp_host *host, const struct function *function)
{
	uint64_t start = platform_now(host->embedder);

	while (!sriov_answers(host, function)) {
		if (platform_now(host->embedder) - start > ANSWER_AT_MOST)
			return false;
		platform_relax(host->embedder);
	}
	return true;
}

static void initiate(const struct sp_host *host, const struct function *function, bool express)
{
	sp_sbdf_t id = function->sbdf;
	uint32_t at = function->pcie + PCIE_DEVICE_CONTROL;

	if (express)
		config_write16(host, id, at, config_read16(host, id, at) | DEVICE_CONTROL_FLR);
	else
		config_write8(host, id, function->advanced + ADVANCED_CONTROL, ADVANCED_FLR);
}

enum sp_status function_reset(struct sp_host *host, struct function *function)
{
	struct saved saved;
	bool express;

	if (!capability_can_reset(host, function))
		return SP_UNSUPPORTED;
	express = function->pcie &&
		  config_read32(host, function->sbdf, function->pcie + PCIE_DEVICE_CAP) &
			  DEVICE_CAP_FLR;
	save(host, function, &saved);
	/* No new requests while the old ones end; memory decoding off, as 6.6.2 advises. */
	config_write16(host, function->sbdf, CONFIG_COMMAND, 0);
	wait_for_pending(host, function, express);
	initiate(host, function, express);
	config_pause(host, QUIET_TIME);
	if (!comes_back(host, function)) {
		config_log(host, SP_LOG_ERROR, function->sbdf, "does not answer after its reset");
		return SP_LOST;
	}
	put_back(host, function, &saved);
	return sriov_put_back(host, function);
}
