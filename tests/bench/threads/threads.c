/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/threads/threads.c - what a second thread brings: throughput of two to that of one.
 *
 *   threads JSON
 *
 *            thread 0            thread 1             told is
 *   alone    changes             -                    1
 *   shared   changes of domain 0, each a range        how much two do of what one does
 *   apart    changes of 0        changes of 1         the same; 2 is the most
 *   both     changes of 0        look-ups in 0        how much each keeps of what it does alone
 *
 * A round is so many operations of each thread; its rate is told in the thread's own CPU time, so that
 * waiting for a CPU is not in it, but spinning for a lock is. A thread that is done goes on, so that
 * the other's round is contended to its end.
 */
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sallyport/p2m.h>

#include "tests/bench/threads/ground.h"

#define THREADS	    2
#define ROUNDS	    15u
#define CHANGES	    20000u
#define LOOK_UPS    400000u
#define RUN	    16u /* frames a change */
#define EACH	    (1ull << 20)
#define TABLE	    512u
#define LOOK_RANGE  (1ull << 16)
#define LOOK_FIRST  (1ull << 22)
#define MFN(gfn)    ((gfn) + (1ull << 28) + 1) /* one beside: small pages only */
#define PLACES	    256u
#define PROGRESS_AT 128u

enum job {
	JOB_NONE,
	JOB_CHANGES,
	JOB_LOOKS
};

struct task {
	enum job job;
	uint32_t domain;
};

/* clang-format off */
static const struct kind {
	const char *name;
	struct task task[THREADS];
} kinds[] = {
	{ "alone", { { JOB_CHANGES, 0 }, { JOB_NONE, 0 } } },
	{ "alone", { { JOB_NONE, 0 }, { JOB_LOOKS, 0 } } },
	{ "two, one domain", { { JOB_CHANGES, 0 }, { JOB_CHANGES, 0 } } },
	{ "two, two domains", { { JOB_CHANGES, 0 }, { JOB_CHANGES, 1 } } },
	{ "two, one domain", { { JOB_LOOKS, 0 }, { JOB_LOOKS, 0 } } },
	{ "changes and look-ups", { { JOB_CHANGES, 0 }, { JOB_LOOKS, 0 } } },
	{ "the same, two domains", { { JOB_CHANGES, 1 }, { JOB_LOOKS, 0 } } },
};
/* clang-format on */
#define KINDS	      (sizeof(kinds) / sizeof(kinds[0]))
#define ALONE_CHANGES 0u
#define ALONE_LOOKS   1u

struct bench {
	struct ground ground;
	struct sp_host *host;
	struct sp_domain *domain[2];
	pthread_barrier_t gate;
	const struct kind *kind;
	uint32_t still; /* threads that have not done their share */
	bool over;
	double rate[THREADS]; /* a nanosecond */
};

struct thread {
	struct bench *bench;
	uint32_t index;
	pthread_t id;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "threads: %s\n", what);
	exit(1);
}

static double cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ---- one operation ---- */

/* Every second one maps what the one after it unmaps. */
static void change(struct bench *bench, struct sp_domain *domain, uint32_t thread, uint32_t i)
{
	uint64_t gfn = thread * EACH + i / 2 % PLACES * 2 * RUN;
	struct sp_result result;
	enum sp_status status;

	do {
		status = i % 2 ? sp_p2m_unmap(domain, (sp_gfn_t){ gfn }, RUN, &result)
			       : sp_p2m_map(domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ MFN(gfn) }, RUN,
					    SP_RAM, &result);
		if (status == SP_BUSY)
			must(sp_wait(bench->host, result.ticket) == SP_OK, "a wait failed");
	} while (status == SP_BUSY);
	must(status == SP_OK && result.done == RUN, "a change was refused");
	if (i % PROGRESS_AT == PROGRESS_AT - 1)
		(void)sp_progress(bench->host, SP_STEP_SLOTS);
}

static void look(struct sp_domain *domain, uint32_t i)
{
	uint64_t gfn = LOOK_FIRST + (i * 0x9e3779b1u >> 8) % LOOK_RANGE;
	struct sp_mapping mapping;

	must(sp_p2m_find(domain, (sp_gfn_t){ gfn }, &mapping) == SP_OK &&
		     mapping.frame.mfn == MFN(gfn),
	     "a look-up answers wrongly");
}

static void operate(struct thread *thread, struct task task, uint32_t i)
{
	struct bench *bench = thread->bench;

	if (task.job == JOB_CHANGES)
		change(bench, bench->domain[task.domain], thread->index, i);
	else
		look(bench->domain[task.domain], i);
}

/* ---- one round ---- */

static void take_part(struct thread *thread)
{
	struct bench *bench = thread->bench;
	struct task task = bench->kind->task[thread->index];
	uint32_t share = task.job == JOB_CHANGES ? CHANGES : LOOK_UPS, i = 0;
	double begin;

	bench->rate[thread->index] = 0;
	if (task.job == JOB_NONE)
		return;
	begin = cpu_time();
	for (; i < share; i++)
		operate(thread, task, i);
	bench->rate[thread->index] = share / (cpu_time() - begin);
	__atomic_sub_fetch(&bench->still, 1, __ATOMIC_RELAXED);
	/* An even number, so that nothing stays mapped. */
	while (__atomic_load_n(&bench->still, __ATOMIC_RELAXED) || i % 2)
		operate(thread, task, i++);
}

static void *life(void *argument)
{
	struct thread *thread = argument;
	struct bench *bench = thread->bench;

	ground_set_cpu(thread->index);
	for (;;) {
		pthread_barrier_wait(&bench->gate);
		if (bench->over)
			break;
		take_part(thread);
		pthread_barrier_wait(&bench->gate);
	}
	ground_leave(&bench->ground);
	return NULL;
}

static void run_round(struct bench *bench, const struct kind *kind, double rate[THREADS])
{
	bench->kind = kind;
	bench->still = 0;
	for (uint32_t i = 0; i < THREADS; i++)
		bench->still += kind->task[i].job != JOB_NONE;
	pthread_barrier_wait(&bench->gate);
	pthread_barrier_wait(&bench->gate);
	for (uint32_t i = 0; i < THREADS; i++)
		rate[i] = bench->rate[i];
}

/* ---- the machine ---- */

static void map(struct sp_domain *domain, uint64_t gfn, uint64_t count)
{
	struct sp_result result;

	for (; count; gfn += result.done, count -= result.done)
		must(sp_p2m_map(domain, (sp_gfn_t){ gfn }, (sp_mfn_t){ MFN(gfn) }, count, SP_RAM,
				&result) == SP_OK,
		     "what stays was not mapped");
}

/* A page at the end of each table that is changed keeps the table. */
static struct sp_domain *make_domain(struct bench *bench, uint32_t number)
{
	struct sp_domain_config config = { .number = number,
					   .cpu = SP_CPU_EPT,
					   .tables = SP_TABLES_SEPARATE,
					   .table_budget = GROUND_PAGES };
	struct sp_domain *domain;

	must(sp_domain_create(bench->host, &config, &domain) == SP_OK, "no domain");
	map(domain, LOOK_FIRST, LOOK_RANGE);
	for (uint32_t i = 0; i < THREADS; i++)
		for (uint64_t at = 0; at < 2 * PLACES * RUN; at += TABLE)
			map(domain, i * EACH + at + TABLE - 1, 1);
	return domain;
}

static struct bench *make(void)
{
	const struct sp_limits limits = { .cpus = THREADS + 1, .domains = 2, .functions = 1 };
	size_t bytes = (sp_host_size(&limits) + 63) / 64 * 64;
	struct bench *bench = calloc(1, sizeof(*bench));
	void *memory = aligned_alloc(64, bytes);

	must(bench && memory, "no memory");
	ground_make(&bench->ground);
	ground_set_cpu(THREADS);
	bench->host = sp_host_create(memory, bytes, &limits, &bench->ground);
	must(bench->host, "no host");
	for (uint32_t i = 0; i < 2; i++)
		bench->domain[i] = make_domain(bench, i + 1);
	must(!pthread_barrier_init(&bench->gate, NULL, THREADS + 1), "no barrier");
	return bench;
}

/* ---- the report ---- */

static int compare_doubles(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare_doubles);
	return values[ROUNDS / 2];
}

/* Of all threads that do this job. */
static double throughput(const struct kind *kind, enum job job, const double rate[THREADS])
{
	double sum = 0;

	for (uint32_t i = 0; i < THREADS; i++)
		if (kind->task[i].job == job)
			sum += rate[i];
	return sum;
}

static void report_job(struct libscols_table *table, json_t *list, const struct kind *kind,
		       enum job job, double rate, double alone)
{
	const char *unit = job == JOB_CHANGES ? "change" : "look-up";
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[3][24], name[64];
	json_t *object;

	snprintf(name, sizeof(name), "%ss: %s", unit, kind->name);
	object = json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:f, s:f, s:f, s:n, s:s, s:s}",
			   "scenario", name, "format", "EPT", "path", "threads", "unit", unit, "ns",
			   1 / rate, "roofline", "one thread alone", "roofline_ns", 1 / alone,
			   "ratio", alone / rate, "throughput_ratio", rate / alone, "instructions",
			   "aim", "-", "verdict", "none");

	must(line && object && !json_array_append_new(list, object), "no memory");
	snprintf(text[0], sizeof(text[0]), "%.1f", 1 / rate);
	snprintf(text[1], sizeof(text[1]), "%.1f", 1 / alone);
	snprintf(text[2], sizeof(text[2]), "%.2f", rate / alone);
	(void)scols_line_set_data(line, 0, name);
	(void)scols_line_set_data(line, 1, unit);
	for (uint32_t i = 0; i < 3; i++)
		(void)scols_line_set_data(line, 2 + i, text[i]);
}

static struct libscols_table *make_table(void)
{
	static const char *const names[] = { "threads", "per", "ns", "alone", "throughput to one" };
	struct libscols_table *table = scols_new_table();

	must(table, "no memory");
	for (uint32_t i = 0; i < 5; i++)
		must(scols_table_new_column(table, names[i], 0, i < 2 ? 0 : SCOLS_FL_RIGHT),
		     "no memory");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

static void report(double rates[][3][ROUNDS], const char *path)
{
	struct libscols_table *table = make_table();
	json_t *list = json_array();
	double alone[3] = { 0, median(rates[ALONE_CHANGES][JOB_CHANGES]),
			    median(rates[ALONE_LOOKS][JOB_LOOKS]) };

	for (uint32_t kind = 0; kind < KINDS; kind++)
		for (uint32_t job = JOB_CHANGES; job <= JOB_LOOKS; job++)
			if (kinds[kind].task[0].job == job || kinds[kind].task[1].job == job)
				report_job(table, list, &kinds[kind], job, median(rates[kind][job]),
					   alone[job]);
	printf("\nThreads, EPT, 16 pages a change; ns of CPU time an operation, all threads together:\n");
	must(!scols_print_table(table) && !json_dump_file(list, path, JSON_INDENT(1)),
	     "the report cannot be written");
	scols_unref_table(table);
	json_decref(list);
}

int main(int count, char **words)
{
	static double rates[KINDS][3][ROUNDS];
	struct bench *bench = make();
	struct thread threads[THREADS];

	must(count == 2, "usage: threads JSON");
	for (uint32_t i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .bench = bench, .index = i };
		must(!pthread_create(&threads[i].id, NULL, life, &threads[i]), "no thread");
	}
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t kind = 0; kind < KINDS; kind++) {
			double rate[THREADS];

			run_round(bench, &kinds[kind], rate);
			for (uint32_t job = JOB_CHANGES; job <= JOB_LOOKS; job++)
				rates[kind][job][round] =
					throughput(&kinds[kind], (enum job)job, rate);
		}
	}
	bench->over = true;
	pthread_barrier_wait(&bench->gate);
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	report(rates, words[1]);
	return 0;
}
