/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/mutant.h - the negative controls: one defect each, chosen at run time, in a build with
 * -DSP_MUTANTS.
 *
 * At the guarded place: `if (MUTANT(host, SP_MUT_x))`. Without -DSP_MUTANTS it is constant false
 * and leaves no trace in the objects. docs/controls.md lists which test fails with each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum sp_mutant {
	SP_MUT_NONE,
	/* One for each isolation row of the demo that has an invalidation or kick to leave out. */
	SP_MUT_UNMAP_UNPAID,	 /* 8: a leaf goes, units are not told */
	SP_MUT_PUNCH_UNPAID,	 /* 9: a piece of a large leaf goes, units are not told */
	SP_MUT_REVOKE_UNPAID,	 /* 10: a right goes, units are not told */
	SP_MUT_REPLACE_UNPAID,	 /* 11: a frame is exchanged, units are not told */
	SP_MUT_UNLINK_UNPAID,	 /* 12: a table goes, units are not told */
	SP_MUT_RELEASE_UNPAID,	 /* 13: a function goes to quarantine, the old domain's translations
				    stay */
	SP_MUT_HAND_OVER_UNPAID, /* 14: the same on the way to another guest */
	SP_MUT_KICK_SKIPPED,	 /* 15: a CPU in guest mode counts as having forgotten */
	/* Width, links, order, barriers, waits: seen on the model. */
	SP_MUT_SPLIT_UNPAID,	  /* a split is not told; its piece changes while the old leaf is
				  remembered */
	SP_MUT_SPLIT_NOT_AWAITED, /* a piece changes while the split of its page is unpaid */
	SP_MUT_PUNCH_NOT_AWAITED, /* ... while the page it was punched from is remembered */
	SP_MUT_LARGE_NOT_AWAITED, /* a small page comes where a large one is remembered that went */
	SP_MUT_GRANT_UNPAID,	  /* a right comes, units are not told: a device's fault is lost */
	SP_MUT_WIDTH_OF_PIECE,	  /* the piece's span where the old leaf's is meant */
	SP_MUT_LINKS_KEPT,	  /* leaf-only invalidation where a link changed */
	SP_MUT_RELEASE_WITHOUT_WAIT,   /* limbo opens at once */
	SP_MUT_RELEASE_AFTER_CPUS,     /* limbo opens when the CPUs have forgotten */
	SP_MUT_LINK_BEFORE_FILL,       /* a table is linked, then filled */
	SP_MUT_PRESENT_FIRST,	       /* a device entry shows before it is complete */
	SP_MUT_ENTER_WITHOUT_BARRIER,  /* in-guest is seen late */
	SP_MUT_ASK_WITHOUT_BARRIER,    /* ... and so is the number that CPUs are asked for */
	SP_MUT_CHILD_NOT_WRITTEN_BACK, /* a walker that does not snoop finds an old table */
	SP_MUT_SLOT_NOT_WRITTEN_BACK,  /* ... or an old slot */
	SP_MUT_ENTRY_AFTER_DOMAIN,     /* IOTLB first, then the context or device table entry */
	SP_MUT_FIRST_UNIT_ONLY,	       /* the second unit of a domain is not told */
	SP_MUT_WAIT_NOT_AWAITED,       /* what was posted counts as paid */
	SP_MUT_WAIT_NOT_QUEUED,	       /* what a driver queued counts as reached */
	SP_MUT_ABSENT_NOT_TOLD,	  /* a unit that remembers absent entries is not told of new ones */
	SP_MUT_WRITE_BUFFER_KEPT, /* VT-d, RWBF: what is new stays in the write buffer */
	SP_MUT_READERS_IGNORED,	  /* a table goes while a look-up walks it */
	SP_MUT_BUDGET_UNCHECKED,  /* table pages beyond the domain's budget */
	SP_MUT_SPECIAL_UNCHECKED, /* memory where the unit treats addresses specially */
	SP_MUT_ALIAS_UNCHECKED,	  /* a shared requester id goes to two owners */
	SP_MUT_CPU_NAME_REUSED,	  /* a CPU enters under a tag it remembers from before */
	SP_MUT_CLAIM_IGNORED,	  /* a change goes ahead where another builds beside the tree */
	SP_MUT_DEVICE_MAP_FIRST,  /* the device's map is written first, also where something goes */
	SP_MUT_PAST_CACHE_UNORDERED, /* a table is linked before it is in memory */
	SP_MUT_RUN_KEPT,	     /* a table is called a run after a slot of it changed */
	SP_MUT_NEAR_KEPT, /* the table of the last change is written after the tree let it go */
	/* Decisions of the engine, made from less than the old and the new entry. */
	SP_MUT_SENTINELS,	 /* from two values that stand for "no leaf" */
	SP_MUT_EMPTY_SKIPPED,	 /* a table without a present child goes, nobody is told */
	SP_MUT_SAME_FRAME,	 /* the frame stays, so nothing changed */
	SP_MUT_OLD_FRAME_OF_NEW, /* the old frame counts only where there is a new one */
	SP_MUT_SPLIT_DIRECT,	 /* a large leaf becomes a table with another piece, in one store */
	/* What waits, what gathers, what is told. */
	SP_MUT_RELEASE_AFTER_UNITS, /* limbo opens when the units have forgotten */
	SP_MUT_RELEASE_AT_UNLOCK,   /* ... before the lock is dropped */
	SP_MUT_GATHERED_FORGOTTEN,  /* what gathers behind a post counts as told with it */
	SP_MUT_FLUSH_DEFERRED,	  /* a batch's invalidation comes behind the release of its pages */
	SP_MUT_ALL_FORGOTTEN,	  /* one range too many is dropped, not widened to the domain */
	SP_MUT_ENTRIES_FORGOTTEN, /* one entry too many is dropped, not widened to every entry */
	SP_MUT_JOINED_SPAN_LOST,  /* ranges that touch: the second's frames are dropped */
	SP_MUT_JOINED_LINKS_LOST, /* ... that a link changed in the second */
	SP_MUT_LINKS_AT_4K,	  /* AMD-Vi: PDE without the size of the table */
	SP_MUT_ENTRY_CLEARED, /* a device's entry is zero, word by word, before it leads elsewhere */
	SP_MUT_MOVE_NOT_AWAITED, /* a device's old name and map are free while its unit knows them */
	SP_MUT_WATCH_KEPT,	 /* a unit without a device of the domain is told on */
	SP_MUT_POSTED_IN_TURN,	 /* an observer is told when the one before it has answered */
	/* Everything goes at once, and faults fill it again. */
	SP_MUT_ROOT_UNFLUSHED, /* a CPU enters on another root with what it remembers of the old */
	SP_MUT_ROOT_READ_EARLY, /* ... or on the old one, when it says already that it flushed for the new */
	SP_MUT_SAMPLE_UNCHECKED,  /* a fault installs what it looked for before everything went */
	SP_MUT_GENERATION_NARROW, /* ... is compared in one bit, and two changes of root are none */
	SP_MUT_RECLAIM_CURRENT,	 /* the tree that is in use is taken apart, not the one that went */
	SP_MUT_RECLAIM_NEWEST,	 /* limbo is emptied from its young end */
	SP_MUT_RECLAIM_FLUSHES,	 /* CPUs are told of each batch that is taken apart */
	SP_MUT_RENEW_NAME_ALONE, /* a unit's map is another under another name, and that is all */
	SP_MUT_RENEW_EMPTY,	 /* ... and is filled afterwards */
	/* Guest code is written over. */
	SP_MUT_PATCH_BYTEWISE,	  /* byte by byte, where one store would do */
	SP_MUT_PATCH_AFTER_ZAP,	  /* when everything was invalidated: CPUs in the guest run on */
	SP_MUT_PATCH_AFTER_FLUSH, /* when CPUs have flushed: they come again, and execute */
	/* A unit that does not answer. */
	SP_MUT_ABORT_IS_COMPLETION,   /* a wait that was aborted or timed out counts as reached */
	SP_MUT_RECOVER_UNINVALIDATED, /* a recovered unit keeps what it remembers */
	SP_MUT_ERROR_CLEARED, /* VT-d: a queue's error is cleared, and it runs on as if all were done */
	SP_MUT_QUEUE_OVERRUN, /* a queue without room takes more */
	SP_MUT_NUMBER_SPLICED, /* VT-d: the low half that a wait stored, below the upper half of before */
	SP_MUT_NOT_HELD_BACK, /* AMD-Vi: what is behind a wait may go before it */
	SP_MUT_PASID_KEPT, /* VT-d, scalable mode: the PASID cache is not told of a changed entry */
	SP_MUT_CONTEXT_KEPT, /* ... the context cache is not told that ATS is let through no more */
	/* What a unit reports. */
	SP_MUT_OVERFLOW_KEPT,	  /* VT-d: it is not told that its lost faults were noticed */
	SP_MUT_LOG_NOT_RESTARTED, /* AMD-Vi: an event log that overflowed stays stopped */
	SP_MUT_OVERFLOW_NOT_TOLD, /* AMD-Vi: that faults were lost */
	/* A device's own cache. */
	SP_MUT_ATC_UNPAID,	 /* it is not told */
	SP_MUT_ATC_BEFORE_IOTLB, /* it is told first, then the unit */
	/* Observers of the embedder's. */
	SP_MUT_SHARE_HONOURED,	     /* a unit walks a software map, since its domain says shared */
	SP_MUT_SHADOWS_KEPT,	     /* shadows are not told of frames that went */
	SP_MUT_SHADOW_CPUS_KEPT,     /* the CPUs that ran on them are not asked */
	SP_MUT_CPUS_BEFORE_SHADOWS,  /* they are asked first, and fill again from the shadows */
	SP_MUT_EMULATOR_NOT_AWAITED, /* what an emulator was asked counts as done */
	SP_MUT_RELEASE_AFTER_EMULATORS, /* limbo opens when the emulators have forgotten */
	/* Emulators: what they hear of, and when. */
	SP_MUT_SERVER_UNMAP_ONLY, /* they are not told of what is replaced */
	SP_MUT_SERVER_SMALL_ONLY, /* ... of large pages */
	SP_MUT_SERVER_LARGE_ONLY, /* ... of small ones */
	SP_MUT_DOWNGRADE_UNTOLD,  /* ... of rights that go */
	SP_MUT_SERVER_TOLD_ALL,	  /* they are told of whatever changes */
	SP_MUT_FIRST_SERVER_ONLY, /* the second of a domain is not told */
	SP_MUT_REMOTE_UNTOLD,	  /* ... nor anyone of what a CPU does that never ran the guest */
	SP_MUT_REQUEST_PUT_OFF,	  /* ... before such a CPU comes by */
	SP_MUT_REQUEST_EARLY,	  /* they are asked while the page is still there */
	SP_MUT_TOLD_AT_END,	  /* ... when the last step of a call is done */
	SP_MUT_NEWCOMER_OWES,	  /* one that comes must answer for what went before */
	SP_MUT_SERVER_BELIEVED,	  /* an answer counts while the mapping is there */
	SP_MUT_RANGES_TO_ALL,	  /* one that knows no ranges is told some */
	SP_MUT_BATCH_IGNORED,	  /* they are asked at each change of a batch */
	/* ... their ring, */
	SP_MUT_RING_READ_TWICE,	  /* what is compared is not what is used */
	SP_MUT_RING_FUTURE,	  /* a number counts that was never asked */
	SP_MUT_RING_STALE_ANSWER, /* ... that stood there before it was asked */
	SP_MUT_RING_INDEX_SHARED, /* the next entry's place is read back from the page */
	/* ... and the gate. */
	SP_MUT_GATE_ISSUER_ONLY,  /* it holds the CPU alone that made the change */
	SP_MUT_GATE_BOOL,	  /* the first answer opens it for all */
	SP_MUT_GATE_KICK_SKIPPED, /* CPUs in the guest stay there */
	SP_MUT_GATE_ATOMIC,	  /* who enters stores to a line that all share */
	SP_MUT_LEAVER_GATES,	  /* it stays closed when the emulator is gone that it waits for */
	/* Lazy forgetting: what nobody was told yet, and who may hold it. */
	SP_MUT_LAZY_UNFILTERED,	     /* what went lazily is released at once */
	SP_MUT_SCRUB_BEFORE_FLUSH,   /* the embedder is told of frames when they enter limbo */
	SP_MUT_CLOCK_EQUAL,	     /* a flush covers what bears the same number */
	SP_MUT_CLOCK_TICK_LATE,	     /* a flush takes its number when it is over */
	SP_MUT_CPU_STAMP_EARLY,	     /* a CPU that is kicked counts as flushed */
	SP_MUT_STAMP_BEFORE_CLEAR,   /* pages that gather have the stamp of the first */
	SP_MUT_EXCHANGE_TAKEN_FIRST, /* frames are given up one by one as they are checked */
	SP_MUT_ROLE_BY_NEW_TYPE, /* what may be remembered is judged by what comes, not by what was */
	SP_MUT_STAMP_INTERRUPTED, /* a stamp is read, and used when the clock has moved on */
	/* Direct paging: a guest's own tables. */
	SP_MUT_PV_LINEAR_UNPAID,     /* entries change, the linear map is not told */
	SP_MUT_PV_FLUSH_AT_RETURN,   /* ... not before its CPU returns to the guest */
	SP_MUT_PV_REMOTE_ROOTS_KEPT, /* other CPUs keep their copies of a root */
	SP_MUT_PV_ROOTS_EVERYWHERE,  /* CPUs on other roots copy theirs again too */
	SP_MUT_PV_ERROR_UNTOLD,	     /* a batch that is refused half-way tells nobody */
	SP_MUT_PV_CALLERS_CPUS,	     /* who asks is told, not whose tables they are */
	SP_MUT_PV_COUNT_TRUSTED,     /* few references count as nobody remembers it */
	SP_MUT_PV_LEFT_WITH_GUEST,   /* a CPU that stops running the guest is no longer asked */
	SP_MUT_PV_ONE_USE,	     /* an entry is forgotten as a page's, not as a table's */
	SP_MUT_PV_NEW_TYPE, /* the old type is not looked at: devices keep writing a table */
	/* The hypervisor's own: what a guest sees of the machine. */
	SP_MUT_BAR_NEIGHBOUR_UNCHECKED, /* a BAR's page holds another function's registers too */
	SP_MUT_TABLE_UNPAUSED,	  /* a guest's CPUs run while a BAR with such a table is mapped */
	SP_MUT_TABLE_NOT_TRAPPED, /* a function's MSI-X table is the guest's to write */
	SP_MUT_BAR_ANYWHERE,	  /* a guest moves a BAR out of its windows */
	SP_MUT_CONFIG_UNFILTERED, /* what a guest writes to configuration space goes to the function */
	SP_MUT_EXTENDED_SHOWN,	  /* ATS and the like are shown */
	SP_MUT_WINDOW_SHOWN, /* virtio's window from configuration space to every BAR is shown */
	SP_MUT_PLATFORM_UNCHECKED, /* a virtio function that passes its unit by is shown */
	SP_MUT_COMMAND_UNCHECKED, /* a guest's commands to CPUs that are not its own go to the bus */
	SP_MUT_LOCAL_DELIVERY_UNCHECKED, /* a local source may raise an SMI */
	SP_MUT_EXCEPTION_SENT,	     /* a guest sends interrupts with the vectors of exceptions */
	SP_MUT_CALL_RING_UNCHECKED,  /* every program makes hypercalls */
	SP_MUT_CALL_RANGE_UNCHECKED, /* the pages of one are compared by a sum, which comes round */
	SP_MUT_CALL_FUNCTION_UNCHECKED, /* any name is a function of the guest's */
	/* Interrupts of functions. */
	SP_MUT_MESSAGE_UNPAID, /* an interrupt entry changes, the unit is not told */
	SP_MUT_MESSAGE_KEPT,   /* a released function keeps its interrupt entries */
	/* What a function says of its virtual functions. */
	SP_MUT_VF_COUNT_UNCHECKED,   /* more of them than it has */
	SP_MUT_VF_STRIDE_UNCHECKED,  /* several in one place */
	SP_MUT_VF_BUS_UNCHECKED,     /* beyond the buses that lead to it */
	SP_MUT_VF_TAKEN_UNCHECKED,   /* upon another function */
	SP_MUT_VF_SMALL_UNCHECKED,   /* registers of two in one page */
	SP_MUT_VF_OVERLAP_UNCHECKED, /* registers upon another function's, or what is forbidden */
	SP_MUT_VF_NOT_PUT_BACK,	     /* a reset of the physical function, and they are gone */
	SP_MUT_PHYSICAL_UNCHECKED,   /* it goes to a guest while they are on */
	/* The mirror over VFIO. */
	SP_MUT_VFIO_NOT_AWAITED,    /* frames go before the kernel has unmapped them */
	SP_MUT_VFIO_SHORT_BELIEVED, /* it unmapped less than it was asked for, and that will do */
	SP_MUT_VFIO_HOLE,	    /* a piece goes of which a part is memory still */
	SP_MUT_VFIO_CPU_FIRST,	    /* a CPU sees memory before the devices can reach it */
	SP_MUT_VFIO_UNDO_SKIPPED,   /* what a refused call had mapped stays mapped */
	SP_MUT_VFIO_RIGHTS_KEPT,    /* a right that went counts as forgotten by the devices */
	SP_MUT_COUNT
};

/* One cell of the table in sync/invalidate.c becomes another: a number, not a name. */
enum sp_mutant_cell {
	SP_MUT_CELL_NOTHING,
	SP_MUT_CELL_LEAVES, /* no links */
	SP_MUT_CELL_LINKS,  /* links as well */
	SP_MUT_CELL_ALL,    /* the whole domain */
	SP_MUT_CELL_DOMAIN, /* of an entry's change: its translations alone */
	SP_MUT_CELL_ENTRY,  /* ... the entry alone */
	SP_MUT_CELL_COUNT
};
#define SP_MUT_CELL_BASE 1024u
#define SP_MUT_CELL_END	 (SP_MUT_CELL_BASE + 256u * 64u)
#define SP_MUT_CELL(kind, column, becomes) \
	(SP_MUT_CELL_BASE + 256u * (uint32_t)(kind) + 8u * (uint32_t)(column) + (uint32_t)(becomes))

#if defined(SP_MUTANTS)
#define MUTANTS_BUILT		 true
#define MUTANT_IS(chosen, which) ((chosen) == (which))
#else
#define MUTANTS_BUILT		 false
#define MUTANT_IS(chosen, which) ((void)(chosen), (void)(which), false)
#endif
#define MUTANT(host, which) MUTANT_IS((host)->mutant, which)
