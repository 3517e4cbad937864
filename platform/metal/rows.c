/* SPDX-License-Identifier: BSD-2-Clause */
/* platform/metal/rows.c - the isolation matrix, row by row. */
#include "platform/metal/rows.h"

#include "platform/metal/transfer.h"

const struct row row_table[ROW_COUNT + 1] = {
	[1] = { "the guest's own memory", row_arrival },
	[2] = { "beyond the guest's memory", row_beyond },
	[3] = { "a second guest's memory", row_other_guest },
	[4] = { "the hypervisor's image", row_image },
	[5] = { "the page tables", row_root },
	[6] = { "the IOMMU's registers", row_registers },
	[7] = { "forged interrupt messages", row_messages },
	[8] = { "a 4K page after its unmap", row_unmapped },
	[9] = { "4K unmapped out of a 2M page", row_punched },
	[10] = { "a write after rw became ro", row_revoked },
	[11] = { "a frame that was replaced", row_replaced },
	[12] = { "a transfer under way at unmap", row_under_way },
	[13] = { "after the device's release", row_released },
	[14] = { "after the hand-over to B", row_handed_over },
	[15] = { "another CPU after an unmap", row_other_cpu },
};

/*
 * What an earlier row left to be merged would invalidate in the middle of this one, and hide what a
 * control wants to show.
 */
void rows_run_one(struct stage *stage, unsigned int row, struct finding *finding)
{
	report_find(finding, ROW_UNOBSERVABLE, "the library does not come to rest");
	if (!stage_settle(stage))
		return;
	(void)transfer_faults(stage);
	row_table[row].run(stage, finding);
}

/* A device that does not reach what it may reach shows nothing by what it does not reach. */
static void run_or_pass_over(struct stage *stage, unsigned int row, bool arrives,
			     struct finding *finding)
{
	if (row == ROW_ARRIVAL || arrives)
		rows_run_one(stage, row, finding);
	else
		report_find(finding, ROW_UNOBSERVABLE, "not tried: row 1 did not arrive");
}

bool rows_run(struct stage *stage)
{
	bool arrives = false, leaks = false;

	for (unsigned int row = 1; row <= ROW_COUNT; row++) {
		struct finding finding;

		run_or_pass_over(stage, row, arrives, &finding);
		report_row(row, &finding);
		arrives = arrives || finding.result == ROW_ARRIVES;
		leaks = leaks || finding.result == ROW_LEAKED;
	}
	report_end_rows();
	return arrives && !leaks;
}
