/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/boot/display.c - two displays of a guest's own: what was said and shown, and the verdict. */
#include "display.h"

#include "steps.h"

#include <inttypes.h>
#include <string.h>

#define PIECE_KIB 2048u
#define PIECE	  ((uint64_t)PIECE_KIB * 1024)
#define FRAME	  ((uint64_t)4096)

static const char guest[] = "debian";
/* As they name themselves to a program, and to the bus. */
const char *const display_drivers[HEADS] = { "bochs-drm", "virtio_gpu" };
static const char *const bus_drivers[HEADS] = { "bochs-drm", "virtio-pci" };

void display_begin(struct display *display, const struct machine *machine)
{
	*display = (struct display){ .machine = machine, .nic = { .guest = guest } };
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void keep(char *to, const char *text)
{
	if (to[0] == '\0')
		snprintf(to, EVIDENCE_SIZE, "%.*s", (int)strcspn(text, "\r\n"), text);
}

/* ---- what was said ---- */

static void read_driver(struct display *display, const char *said)
{
	for (unsigned int i = 0; i < HEADS; i++)
		if (starts(said, bus_drivers[i]))
			keep(display->driver[i], said);
}

static void read_drawn(struct display_card *wrong, struct display_card *right, const char *said)
{
	struct display_card card;
	char how[8], driver[32];

	if (sscanf(said, "drawn %7s %31s %" SCNu32 "x%" SCNu32 " sum %" SCNx32, how, driver,
		   &card.width, &card.height, &card.sum) != 5)
		return;
	for (unsigned int i = 0; i < HEADS; i++)
		if (strcmp(driver, display_drivers[i]) == 0)
			(strcmp(how, "right") == 0 ? right : wrong)[i] = card;
}

static void read_guest(struct display *display, const char *said)
{
	unsigned long count;
	uint64_t first, last;
	char kind[16];

	if (starts(said, "driver "))
		read_driver(display, said + strlen("driver "));
	else if (starts(said, "drawn "))
		read_drawn(display->drawn[TURN_WRONG], display->drawn[TURN_RIGHT], said);
	else if (starts(said, "no card "))
		keep(display->amiss, said);
	else if (sscanf(said, "interrupts virtio%*[^ ] %lu %15s", &count, kind) == 2)
		display->interrupts += strcmp(kind, "PCI-MSI") == 0 ? count : 0;
	else if (sscanf(said, "frame buffer %" SCNx64 " %" SCNx64, &first, &last) == 2) {
		display->bar_first = first;
		display->bar_end = last + 1;
	}
}

/* The answer to `map`: the pieces come in their order. */
static void read_piece(struct display *display, const char *line)
{
	const uint64_t wanted = display->bar_first / FRAME + display->pieces * (PIECE / FRAME);
	uint64_t gfn, mfn, kib;

	if (sscanf(line,
		   "monitor  debian: gfn 0x%" SCNx64 ": mfn 0x%" SCNx64 ", in a page of %" SCNu64,
		   &gfn, &mfn, &kib) != 3)
		return;
	if (display->pieces == 0)
		display->piece_frame = mfn;
	if (gfn == wanted && kib >= PIECE_KIB && strstr(line, ", registers") &&
	    mfn == display->piece_frame + display->pieces * (PIECE / FRAME))
		display->pieces++;
	else
		keep(display->piece, line);
}

static void read_function(struct display *display, const char *line)
{
	uint32_t bus, device, function;

	if (sscanf(line, "guest    debian has 0000:%" SCNx32 ":%" SCNx32 ".%" SCNx32, &bus, &device,
		   &function) != 3)
		return;
	display->functions++;
	display->function = bus << 8 | device << 3 | function;
}

void display_read_line(struct display *display, const char *line)
{
	const char *said = starts(line, "debian| ") ? strstr(line, "display: ") : NULL;
	uint64_t frame;

	nic_read_line(&display->nic, line);
	if (said)
		read_guest(display, said + strlen("display: "));
	else if (sscanf(line, "guest    debian: %*u MiB from gfn 0 on, from mfn 0x%" SCNx64,
			&frame) == 1)
		display->memory_frame = frame;
	read_function(display, line);
	read_piece(display, line);
}

/* ---- what the unit translated ---- */

/* Which function asked, and the way from its address to the machine's; false: the line tells of none. */
static bool read_way(const char *line, uint32_t *function, uint64_t *from, uint64_t *to)
{
	const char *vtd = starts(line, "vtd_iotlb_page_") ? strstr(line, " sid ") : NULL;
	const char *amdvi = starts(line, "amdvi_") ? strstr(line, "devid") : NULL;
	uint32_t bus, device, number;

	if (vtd)
		return sscanf(vtd, " sid 0x%" SCNx32 " iova 0x%" SCNx64 " slpte 0x%" SCNx64,
			      function, from, to) == 3;
	if (!amdvi || sscanf(amdvi,
			     "devid%*[: ]%" SCNx32 ":%" SCNx32 ".%" SCNx32 " gpa 0x%" SCNx64
			     " hpa 0x%" SCNx64,
			     &bus, &device, &number, from, to) != 5)
		return false;
	*function = bus << 8 | device << 3 | number;
	return true;
}

/* Large or small, the page leads to where the guest's memory lies. */
static bool leads_to_memory(const struct display *display, uint64_t from, uint64_t to)
{
	const uint64_t frame = to / FRAME;

	for (unsigned int order = 0; order <= 18; order += 9)
		if ((from / FRAME >> order << order) + display->memory_frame == frame)
			return true;
	return false;
}

void display_read_trace(struct display *display, const char *line)
{
	uint64_t from, to;
	unsigned int i = 0;
	uint32_t function;

	if (!read_way(line, &function, &from, &to) || function != display->function)
		return;
	display->translated++;
	if (!leads_to_memory(display, from, to)) {
		display->astray++;
		keep(display->stray, line);
	}
	while (i < display->page_count && display->page[i] != from / FRAME)
		i++;
	if (i == display->page_count && i < DISPLAY_PAGES)
		display->page[display->page_count++] = from / FRAME;
}

void display_read_refusal(struct display *display, const char *line)
{
	if (starts(line, "refused: "))
		keep(display->refused, line);
}

void display_read_past(struct display *display, const char *line)
{
	const char *said = starts(line, "debian| ") ? strstr(line, "display: drawn ") : NULL;
	struct display_card right[HEADS];

	if (said)
		read_drawn(display->drawn[TURN_PAST], right, said + strlen("display: "));
}

/* ---- the verdict ---- */

static void judge_pieces(struct display *display)
{
	const uint64_t bytes = display->bar_end - display->bar_first;

	steps_find(&display->step[DISPLAY_LARGE],
		   bytes == DISPLAY_PIECES * PIECE && display->pieces == DISPLAY_PIECES &&
			   !display->piece[0],
		   "%u of %d pieces, from gfn 0x%" PRIx64 " and mfn 0x%" PRIx64 " on%s%s",
		   display->pieces, DISPLAY_PIECES, display->bar_first / FRAME,
		   display->piece_frame, display->piece[0] ? "; " : "", display->piece);
}

/* Whole, and what the guest has read again in its buffer. */
static void judge_head(struct display *display, enum display_head head, enum display_step step)
{
	const struct display_card *drawn = &display->drawn[TURN_RIGHT][head];
	const struct picture *shown = &display->shown[TURN_RIGHT][head];
	const uint64_t pixels = (uint64_t)shown->width * shown->height;

	if (!shown->there)
		steps_find(&display->step[step], false, "no picture%s%s",
			   display->amiss[0] ? ": " : "", display->amiss);
	else if (!shown->same_size)
		steps_find(&display->step[step], false,
			   "%" PRIu32 " x %" PRIu32 ", but %" PRIu32 " x %" PRIu32 " were drawn",
			   shown->width, shown->height, drawn->width, drawn->height);
	else if (shown->differ)
		steps_find(&display->step[step], false,
			   "%" PRIu64 " of %" PRIu64 " differ, the first at %" PRIu32 ", %" PRIu32
			   ": %06" PRIx32 ", not %06" PRIx32,
			   shown->differ, pixels, shown->x, shown->y, shown->is, shown->wanted);
	else
		steps_find(&display->step[step], shown->sum == drawn->sum && pixels > 1,
			   "%" PRIu32 " x %" PRIu32 ", all %" PRIu64 "; CRC %08" PRIx32
			   ", the guest has %08" PRIx32,
			   shown->width, shown->height, pixels, shown->sum, drawn->sum);
}

/* The whole card but for the one pixel, and in that the one bit. */
static bool differs_in_one(const struct display *display, enum display_turn turn,
			   enum display_head head)
{
	const struct display_card *drawn = &display->drawn[turn][head];
	const struct picture *shown = &display->shown[turn][head];
	const struct testcard card =
		testcard_of(display_drivers[head], "", drawn->width, drawn->height);
	uint32_t x, y;

	testcard_wrong_place(&card, &x, &y);
	return shown->there && shown->same_size && shown->differ == 1 && shown->x == x &&
	       shown->y == y && shown->is == testcard_wrong(shown->wanted) &&
	       shown->sum == drawn->sum;
}

/* The same comparison finds it. */
static void judge_one_bit(struct display *display)
{
	const bool found = differs_in_one(display, TURN_WRONG, HEAD_BOCHS) &&
			   differs_in_one(display, TURN_WRONG, HEAD_VIRTIO);
	char text[EVIDENCE_SIZE] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < HEADS; i++) {
		const struct picture *shown = &display->shown[TURN_WRONG][i];

		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s%s: %" PRIu64 " differs, at %" PRIu32 ", %" PRIu32
					 ": %06" PRIx32 ", not %06" PRIx32,
					 i ? "; " : "", display_drivers[i], shown->differ, shown->x,
					 shown->y, shown->is, shown->wanted);
	}
	steps_find(&display->step[DISPLAY_ONE_BIT], found, "%s", text);
}

static void judge_unit(struct display *display)
{
	steps_find(&display->step[DISPLAY_UNIT],
		   display->functions == HEADS && display->memory_frame != 0 &&
			   display->page_count > 1 && display->astray == 0,
		   "%u translations of %u pages, %u lead elsewhere than to the guest's memory%s%s",
		   display->translated, display->page_count, display->astray,
		   display->stray[0] ? ": " : "", display->stray);
}

static void judge_refused(struct display *display)
{
	steps_find(&display->step[DISPLAY_REFUSED],
		   strstr(display->refused, "virtio without ACCESS_PLATFORM") != NULL, "%s",
		   display->refused[0] ? display->refused : "it was not refused");
}

/* The guest has drawn both, and the other is as it was drawn: only what went past the unit is lost. */
static void judge_past(struct display *display)
{
	const struct picture *shown = &display->shown[TURN_PAST][HEAD_VIRTIO];
	const struct display_card *drawn = &display->drawn[TURN_PAST][HEAD_VIRTIO];
	const bool has_other = differs_in_one(display, TURN_PAST, HEAD_BOCHS);
	const char *other = has_other ? "shows its card" : "does not show its card either";

	if (shown->there && shown->same_size)
		steps_find(&display->step[DISPLAY_PAST], has_other && shown->differ > 1,
			   "%" PRIu64 " of %" PRIu64 " pixels of virtio_gpu differ; bochs-drm %s",
			   shown->differ, (uint64_t)shown->width * shown->height, other);
	else
		steps_find(&display->step[DISPLAY_PAST],
			   has_other && shown->there && drawn->width > 1,
			   "virtio_gpu shows %" PRIu32 " x %" PRIu32
			   ", the guest has drawn %" PRIu32 " x %" PRIu32 "; bochs-drm %s",
			   shown->width, shown->height, drawn->width, drawn->height, other);
}

void display_judge(struct display *display)
{
	struct nic *nic = &display->nic;
	const bool has_drivers = display->driver[HEAD_BOCHS][0] && display->driver[HEAD_VIRTIO][0];

	nic_judge(nic, &display->ended);
	steps_find(&display->step[DISPLAY_DRIVERS], has_drivers, "%s%s%s",
		   has_drivers	     ? display->driver[HEAD_BOCHS]
		   : nic->refused[0] ? nic->refused
				     : "it did not say so of both",
		   has_drivers ? "; " : "", has_drivers ? display->driver[HEAD_VIRTIO] : "");
	judge_pieces(display);
	judge_head(display, HEAD_BOCHS, DISPLAY_BOCHS);
	judge_head(display, HEAD_VIRTIO, DISPLAY_VIRTIO);
	judge_one_bit(display);
	judge_unit(display);
	steps_find(&display->step[DISPLAY_INTERRUPTS], display->interrupts > 0, "%lu",
		   display->interrupts);
	steps_find(&display->step[DISPLAY_CONTAINED], has_drivers && nic->faults == 0,
		   "%u faults%s%s", nic->faults, nic->faults ? ", the first: " : "", nic->fault);
	steps_find(&display->step[DISPLAY_FRAMES],
		   nic->step[NIC_FRAMES].good && nic->step[NIC_END].good, "%s; %s",
		   nic->step[NIC_FRAMES].evidence, nic->step[NIC_END].evidence);
	judge_refused(display);
	judge_past(display);
}

unsigned int display_steps(const struct display *display)
{
	return display->has_past ? DISPLAY_STEPS : DISPLAY_PAST;
}
