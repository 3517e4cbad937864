/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/paging.h - the hypervisor's own identity map. */
#pragma once

#include <sallyport/address.h>

/* What lies above the RAM is device registers, read and written without the caches. */
void paging_uncache_from(sp_maddr_t top_of_low_ram);
