/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sallyport/status.h - what a call answers.
 *
 * Whatever can be refused is refused before anything changes: after any status but SP_OK, every
 * translation is as it was. SP_LOST is no refusal: what was begun goes as far towards closed as it
 * can, and what the lost unit may remember stays in limbo.
 */
#pragma once

#define SP_MUST_USE __attribute__((warn_unused_result))

enum sp_status {
	SP_OK,
	SP_PENDING, /* not yet: ask again, or wait */
	SP_BUSY,    /* in the way is something that ends: wait for the ticket given, then repeat the
		       call */
	SP_NO_MEMORY,	     /* the embedder refused frames, or the domain's budget is used up */
	SP_NO_SPACE,	     /* a fixed table of the host is full: raise it in struct sp_limits */
	SP_INVALID,	     /* the arguments contradict each other or the interface */
	SP_RANGE,	     /* frames beyond what the map or the machine can address */
	SP_RESERVED_RANGE,   /* frames that must not be mapped: message window, unit registers,
				firmware's own */
	SP_UNSUPPORTED,	     /* this map, unit or machine cannot do it; nothing is approximated */
	SP_SHARED_REQUESTER, /* another owner's function uses the same requester id */
	SP_NOT_FOUND,	     /* no such mapping, function, unit or table */
	SP_MALFORMED,	     /* firmware tables or device registers that contradict themselves */
	SP_REFERENCED,	     /* somebody else refers to the frame, or may write it */
	SP_LOST,  /* an observer did not answer in time; what it may remember stays in limbo */
	SP_STALE, /* what the caller looked for it looked for before sp_p2m_invalidate_all(): sample,
		     and look again */
	SP_STATUS_COUNT
};

/* A short English phrase for logs; never NULL. */
const char *sp_status_text(enum sp_status status);
