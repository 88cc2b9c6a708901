/* SPDX-License-Identifier: GPL-2.0-only */
/* The work of a scheme: see queue.h. */

#include "queue.h"

#include "array.h"
#include "macro.h"
#include "sort.h"
#include "unit.h"

/*
 * Work that is handed to the operations at once: what fits in the time of a step by what was measured,
 * but so many bytes even if nothing was measured yet, or if that does not fit; and no more than so many
 * times what was measured of late. What takes longer they leave undone, but for what they do at once.
 */
#define SZ_PIECE_MIN (UINT64_C(4) << 20)
#define PIECE_GROWTH 4

/* A key in a queue: the priority, and the number of the match, counted from the first one. */
#define INDEX_BITS (64 - DAMOS_PRIORITY_BITS)
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

/**
 * struct piece - what is tried together
 * @nr:         matches in the worker's batch
 * @last:       the one of them that is cut off
 * @end:        where; all others are tried to their ends
 */
struct piece {
        size_t nr;
        size_t last;
        uint64_t end;
};

void damos_queue_done(struct damos_queue *queue) {
        free(queue->items);
        free(queue->turns);
        *queue = (struct damos_queue) {};
}

void damos_worker_done(struct damos_worker *worker) {
        free(worker->batch);
        free(worker->scratch);
        free(worker->tries);
}

static size_t match_of_turn(const struct damos_queue *queue, size_t turn) {
        return (queue->first + (queue->turns[turn] & INDEX_MASK)) % queue->nr;
}

static bool is_over(const struct damos_match *match) {
        return !match->target || match->target->gone || match->range.start >= match->range.end;
}

/* Where to go on: at what would have been next. */
static void note_stop(const struct damos_queue *queue, struct damos_charge *charge) {
        charge->stopped_pid = 0;
        for (size_t turn = queue->next; turn < queue->nr; turn++) {
                const struct damos_match *match = &queue->items[match_of_turn(queue, turn)];

                if (is_over(match))
                        continue;
                charge->stopped_pid = match->target->pid;
                charge->stopped_at = match->range.start;
                return;
        }
}

static int add_match(struct damos_queue *queue, const struct damos_match *match, uint64_t priority) {
        int r;

        /* the rest has its turn after the next aggregation */
        if (queue->nr > INDEX_MASK)
                return 0;
        r = ARRAY_GROW(queue->items, queue->sz_items, queue->nr + 1);
        if (r < 0)
                return r;
        r = ARRAY_GROW(queue->turns, queue->sz_turns, queue->nr + 1);
        if (r < 0)
                return r;
        queue->items[queue->nr] = *match;
        queue->turns[queue->nr++] = priority << INDEX_BITS;
        return 0;
}

static uint64_t priority_of(const struct damos *scheme, const struct damon_region *region,
                            const struct damon_attrs *attrs) {
        if (!damos_quota_is_set(&scheme->quota) || scheme->action == DAMOS_STAT)
                return 0;
        return damos_priority(&scheme->quota.weights, damos_lets_go(scheme->action), region, attrs);
}

/* Add a match, in two where the last aggregation's work stopped in the middle of it. */
static int add_match_cut(struct damos_queue *queue, const struct damos_charge *charge,
                         struct damos_match match, uint64_t priority) {
        if (match.target->pid == charge->stopped_pid && match.range.start < charge->stopped_at &&
            charge->stopped_at < match.range.end) {
                struct damos_match first = match;
                int r;

                first.range.end = match.range.start = charge->stopped_at;
                r = add_match(queue, &first, priority);
                if (r < 0)
                        return r;
        }
        return add_match(queue, &match, priority);
}

/* Add what filters let through, as far as that can be told by address. */
static int add_filtered(struct damos_queue *queue, struct damos *scheme, const struct damos_match *match,
                        uint64_t priority) {
        struct damos_match part = *match;
        int r;

        for (; part.range.start < match->range.end; part.range.start = part.range.end) {
                enum damos_answer let;

                part.range.end = damos_filters_first_part(
                        &scheme->filters, match->target->name,
                        (struct damon_range) { part.range.start, match->range.end }, &let);
                part.look = let == DAMOS_UNKNOWN;
                if (let == DAMOS_NO) {
                        scheme->stat.sz_filtered += damon_range_size(&part.range);
                        continue;
                }
                r = add_match_cut(queue, &scheme->charge, part, priority);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_matches(struct damos_queue *queue, struct damos *scheme, struct damon_target *target,
                       const struct damon_attrs *attrs) {
        for (size_t i = 0; i < target->regions.nr; i++) {
                const struct damon_region *region = &target->regions.items[i];
                struct damos_match match = { .target = target, .range = region->range, .age = region->age };
                int r;

                if (!damos_matches(scheme, region, attrs) ||
                    (scheme->action != DAMOS_STAT && damon_region_is_new(region)))
                        continue;
                r = add_filtered(queue, scheme, &match, priority_of(scheme, region, attrs));
                if (r < 0)
                        return r;
        }
        return 0;
}

static size_t find_first(const struct damos_queue *queue, const struct damos_charge *charge) {
        bool seen = false;

        for (size_t i = 0; i < queue->nr; i++) {
                const struct damos_match *match = &queue->items[i];

                if (match->target->pid == charge->stopped_pid) {
                        seen = true;
                        if (match->range.start >= charge->stopped_at)
                                return i;
                } else if (seen)
                        return i;
        }
        return 0;
}

int damos_queue_fill(struct damos_queue *queue, struct damos *scheme,
                     struct damon_target *const *targets, size_t nr_targets,
                     const struct damon_attrs *attrs, struct damos_worker *worker) {
        int r;

        note_stop(queue, &scheme->charge);
        queue->nr = queue->next = 0;
        for (size_t i = 0; i < nr_targets; i++) {
                if (targets[i]->gone || !damos_is_for(scheme, targets[i]))
                        continue;
                r = add_matches(queue, scheme, targets[i], attrs);
                if (r < 0) {
                        queue->nr = 0;
                        return r;
                }
        }
        queue->first = find_first(queue, &scheme->charge);
        for (size_t i = 0; i < queue->nr; i++)
                queue->turns[i] |= (i + queue->nr - queue->first) % queue->nr;
        r = ARRAY_GROW(worker->scratch, worker->sz_scratch, queue->nr);
        if (r < 0) {
                queue->nr = 0;
                return r;
        }
        sort_u64(queue->turns, worker->scratch, queue->nr);
        return 0;
}

uint64_t damos_queue_size(const struct damos_queue *queue) {
        uint64_t size = 0;

        for (size_t turn = queue->next; turn < queue->nr; turn++) {
                const struct damos_match *match = &queue->items[match_of_turn(queue, turn)];

                if (!is_over(match))
                        size += damon_range_size(&match->range);
        }
        return size;
}

void damos_queue_drop(struct damos_queue *queue) {
        queue->nr = queue->next = 0;
}

void damos_queue_forget(struct damos_queue *queue, const struct damon_target *target) {
        for (size_t i = 0; i < queue->nr; i++)
                if (queue->items[i].target == target)
                        queue->items[i].target = NULL;
}

/* What of a range takes time. Holes and what is in swap take next to none to reclaim. */
static uint64_t work_of(const struct damos *scheme, const struct damon_target *target,
                        struct damon_range range) {
        return damos_lets_go(scheme->action) ? damon_residency_size(&target->residency, range) :
                                               damon_range_size(&range);
}

/* Where to cut a match that is too large. */
static uint64_t cut_of(const struct damos *scheme, const struct damos_match *match,
                       const struct damos_allowance *left, uint64_t granule) {
        uint64_t end = match->range.start + MIN(left->size, damon_range_size(&match->range));

        if (work_of(scheme, match->target, match->range) > left->work)
                end = MIN(end, damos_lets_go(scheme->action) ?
                                       damon_residency_address(&match->target->residency, match->range,
                                                               left->work) :
                                       match->range.start + left->work);
        return end / granule * granule;
}

/*
 * A piece that ends inside of a block of @granule bytes, where the next match goes on, would cut a huge page
 * that lies in both, and neither would take it: leave what is behind the last border of blocks to the next
 * piece, if that leaves anything.
 */
static void end_at_block(struct damos_queue *queue, const struct damos_worker *worker, uint64_t granule,
                         struct piece *piece) {
        size_t nr = piece->nr, turn = queue->next, next = queue->next;
        uint64_t border;

        while (next < queue->nr && is_over(&queue->items[match_of_turn(queue, next)]))
                next++;
        if (nr == 0 || piece->last != SIZE_MAX || next == queue->nr)
                return;
        border = queue->items[match_of_turn(queue, next)].range.start;
        for (size_t i = match_of_turn(queue, next); nr > 0 && border % granule != 0; nr--) {
                const struct damos_match *match = &queue->items[worker->batch[nr - 1]];

                if (match->target != queue->items[i].target || match->range.end != border)
                        return;
                i = worker->batch[nr - 1];
                while (match_of_turn(queue, --turn) != i)
                        ;
                border = match->range.end / granule * granule;
                if (border > match->range.start) {
                        *piece = (struct piece) { nr, i, border };
                        queue->next = turn;
                        return;
                }
                border = match->range.start;
        }
        if (nr == 0)
                return;
        piece->nr = nr;
        queue->next = turn;
}

/* Take what is allowed of that whose turn it is, and put it in the order of addresses. */
static int take_piece(struct damos_queue *queue, const struct damos *scheme, struct damos_worker *worker,
                      struct damos_allowance left, uint64_t granule, struct piece *ret_piece) {
        struct piece piece = { .last = SIZE_MAX };
        int r;

        while (queue->next < queue->nr && left.size > 0 && left.work > 0) {
                size_t i = match_of_turn(queue, queue->next);
                const struct damos_match *match = &queue->items[i];
                uint64_t size = damon_range_size(&match->range), work;
                bool fits;

                if (is_over(match)) {
                        queue->next++;
                        continue;
                }
                work = work_of(scheme, match->target, match->range);
                fits = size <= left.size && work <= left.work;
                r = ARRAY_GROW(worker->batch, worker->sz_batch, piece.nr + 1);
                if (r < 0)
                        return r;
                if (!fits) {
                        piece.end = cut_of(scheme, match, &left, granule);
                        if (piece.end <= match->range.start)
                                break;
                        piece.last = i;
                }
                worker->batch[piece.nr++] = i;
                if (!fits)
                        break;          /* the rest of it is next */
                left.size -= size;
                left.work -= work;
                queue->next++;
        }
        end_at_block(queue, worker, granule, &piece);
        r = ARRAY_GROW(worker->scratch, worker->sz_scratch, piece.nr);
        if (r < 0)
                return r;
        sort_u64(worker->batch, worker->scratch, piece.nr);
        *ret_piece = piece;
        return 0;
}

/* Time has passed since the scheme matched: a region may have become another. */
static bool has_changed(const struct damos *scheme, const struct damos_match *match,
                        const struct damon_region *region) {
        return region->age != match->age || damos_has_changed(region) ||
               (region->absent && damos_lets_go(scheme->action));
}

/* Cut a region, whose number then is *@i, down to a part of it. */
static int cut_out(struct damon_regions *regions, size_t *i, struct damon_range part) {
        struct damon_range whole = regions->items[*i].range;
        int r = 0;

        if (whole.start < part.start) {
                r = damon_regions_split_at(regions, *i, part.start - whole.start);
                if (r < 0)
                        return r;
                (*i)++;
        }
        if (part.end < whole.end)
                r = damon_regions_split_at(regions, *i, damon_range_size(&part));
        return r;
}

/* Add what a match has become to the tries. @i goes on with the regions. */
static int add_tries(struct damos_worker *worker, const struct damos *scheme,
                     const struct damos_match *match, uint64_t end, size_t *i, size_t *nr) {
        struct damon_regions *regions = &match->target->regions;
        int r;

        for (; *i < regions->nr && regions->items[*i].range.start < end; (*i)++) {
                const struct damon_region *region = &regions->items[*i];
                struct damon_range part = {
                        MAX(region->range.start, match->range.start), MIN(region->range.end, end),
                };

                if (part.start >= part.end || has_changed(scheme, match, region))
                        continue;
                /* only what is made young must be a region of its own */
                if (scheme->action != DAMOS_STAT) {
                        r = cut_out(regions, i, part);
                        if (r < 0)
                                return r;
                }
                r = ARRAY_GROW(worker->tries, worker->sz_tries, *nr + 1);
                if (r < 0)
                        return r;
                worker->tries[(*nr)++] = (struct damos_try) {
                        .range = part,
                        .region = *i,
                        .filters = match->look ? &scheme->filters : NULL,
                };
                /* the rest of it may belong to the next match */
                if (regions->items[*i].range.end > end)
                        break;
        }
        return 0;
}

/* Take note of what really became of the tries, and watch what comes of it. */
static int note_outcome(struct damos_worker *worker, struct damos *scheme, struct damon_target *target,
                        size_t nr, uint64_t now) {
        struct damos_outcome outcome = {};
        int r = 0;

        for (size_t i = 0; i < nr && r >= 0; i++) {
                const struct damos_try *try = &worker->tries[i];

                damos_outcome_add(&outcome, &try->outcome);
                if (worker->ops->present)
                        r = damos_watch_add(worker->watch, scheme, target, try->range, &try->outcome, now);
        }
        damos_outcome_add(&scheme->stat.outcome, &outcome);
        if (scheme->guarded)
                damos_guard_charge(&scheme->guard, scheme->returned_within, &outcome, now);
        return r;
}

/* Cut off of the tries what there was no time for. */
static int cut_left(struct damos_worker *worker, struct damon_target *target, size_t *nr,
                    uint64_t *ret_stop) {
        for (size_t i = 0; i < *nr; i++) {
                struct damos_try *try = &worker->tries[i];

                if (try->sz_left == 0)
                        continue;
                try->range.end -= try->sz_left;
                *ret_stop = try->range.end;
                *nr = i;
                if (try->range.start == try->range.end)
                        return 0;
                *nr = i + 1;
                /* the rest keeps its age, which says that it is still what was matched */
                return cut_out(&target->regions, &(size_t) { try->region }, try->range);
        }
        return 0;
}

/*
 * Try what stands in the tries, and count it. What is not to be done may have to be looked at.
 * @ret_stop is set if time is up before all is tried, to where.
 */
static int try_target(struct damos_worker *worker, struct damos *scheme, struct damon_target *target,
                      size_t nr, uint64_t now, uint64_t limit, uint64_t *time, uint64_t *ret_stop) {
        enum damos_action action = scheme->dry_run ? DAMOS_STAT : scheme->action;
        bool counts_only = action == DAMOS_STAT || worker->ops->dry_run;
        bool asks_ops = action != DAMOS_STAT;
        uint64_t sz_tried = 0, sz_applied = 0, sz_filtered = 0, sz_done, work = 0, took = 0;
        int r = 0, error;

        if (nr == 0)
                return 0;
        for (size_t i = 0; i < nr; i++)
                asks_ops |= worker->tries[i].filters != NULL;
        if (asks_ops)
                r = worker->ops->apply(worker->ops_data, target, action, worker->tries, nr, limit, &took);
        error = cut_left(worker, target, &nr, ret_stop);
        r = r < 0 ? r : error;
        for (size_t i = 0; i < nr; i++) {
                const struct damos_try *try = &worker->tries[i];

                work += work_of(scheme, target, try->range);
                sz_tried += damon_range_size(&try->range);
                sz_applied += try->sz_applied;
                sz_filtered += try->sz_filtered;
                scheme->stat.nr_applied += try->sz_applied > 0;
                if (scheme->action != DAMOS_STAT)
                        target->regions.items[try->region].age = 0;
        }
        scheme->stat.nr_tried += nr;
        scheme->stat.sz_tried += sz_tried;
        scheme->stat.sz_applied += sz_applied;
        scheme->stat.sz_filtered += sz_filtered;
        *time += took;
        sz_done = counts_only ? sz_tried - sz_filtered : sz_applied;
        /* where nothing is known of what is in memory, not all of it was there */
        work = MIN(work, sz_done);
        if (counts_only && scheme->action != DAMOS_STAT)
                took = damos_expected_time(work);
        damos_quota_charge(&scheme->quota, &scheme->charge, now, sz_done, work, took);
        return r < 0 ? r : note_outcome(worker, scheme, target, nr, now);
}

/* What is done of @nr matches of a target, the first of which is the piece's @first, is behind them. */
static void note_done(struct damos_queue *queue, const struct damos_worker *worker,
                      const struct piece *piece, size_t first, size_t nr, uint64_t stop) {
        for (size_t i = first; i < first + nr; i++) {
                struct damon_range *range = &queue->items[worker->batch[i]].range;
                uint64_t end = worker->batch[i] == piece->last ? piece->end : range->end;

                range->start = MAX(range->start, MIN(end, stop));
        }
}

/*
 * Try a piece, all of a target at once; see struct damon_ops. What there is no time for stays in the
 * matches.
 *
 * Return: 0 if all of it was tried, 1 if there was no time for that, or a negative errno.
 */
static int try_piece(struct damos_queue *queue, struct damos *scheme, struct damos_worker *worker,
                     const struct piece *piece, uint64_t now, uint64_t limit, uint64_t *time) {
        size_t region = 0, nr = 0, first = 0;
        uint64_t began = *time;
        int r = 0;

        for (size_t i = 0; i < piece->nr; i++) {
                const struct damos_match *match = &queue->items[worker->batch[i]];
                struct damon_target *target = match->target;
                uint64_t end = worker->batch[i] == piece->last ? piece->end : match->range.end;
                bool is_last = i + 1 == piece->nr || queue->items[worker->batch[i + 1]].target != target;
                int error;

                if (first > 0 && *time - began >= limit)
                        return r < 0 ? r : 1;
                error = add_tries(worker, scheme, match, end, &region, &nr);
                if (is_last) {
                        uint64_t stop = UINT64_MAX;

                        if (error >= 0)
                                error = try_target(worker, scheme, target, nr, now,
                                                   limit - MIN(*time - began, limit), time, &stop);
                        note_done(queue, worker, piece, first, i + 1 - first, stop);
                        if (stop != UINT64_MAX)
                                return r < 0 ? r : error < 0 ? error : 1;
                        first = i + 1;
                        region = nr = 0;
                }
                r = r < 0 ? r : error;
        }
        return r;
}

/* @before is what was tried last in this step, if anything was. */
static uint64_t piece_that_fits(const struct damos_charge *charge, uint64_t time, uint64_t before) {
        uint64_t most = MAX(charge->measured_work, before);

        most = MIN(most, UINT64_MAX / PIECE_GROWTH) * PIECE_GROWTH;
        /* all that was tried so far may have been refused, which tells nothing about work */
        if (charge->measured_work == 0)
                return time > 0 ? most : 0;
        return MIN(damos_charge_fits(charge, time), most);
}

/* Work for @time, and for longer only if it takes longer than was expected. @spent is added to. */
static int work_for(struct damos_queue *queue, struct damos *scheme, struct damos_worker *worker,
                    uint64_t now, uint64_t time, uint64_t *spent) {
        uint64_t before = 0;

        while (queue->next < queue->nr) {
                uint64_t limit = time - MIN(*spent, time);
                uint64_t fits = piece_that_fits(&scheme->charge, limit, before);
                size_t turn = queue->next;
                struct damos_allowance left;
                struct piece piece;
                int r;

                if (!damos_quota_left(&scheme->quota, &scheme->charge, &left))
                        return 0;
                if (scheme->guarded)
                        left.work = MIN(left.work, damos_guard_left(&scheme->guard));
                if (left.work == 0)
                        return 0;
                /* the time of this step is up, but it does something at least */
                if (before > 0 && fits < MIN(MIN(left.size, left.work), SZ_PIECE_MIN))
                        return 0;
                left.work = MIN(left.work, MAX(fits, SZ_PIECE_MIN));
                r = take_piece(queue, scheme, worker, left,
                               damos_quota_granule(&scheme->quota, &scheme->charge), &piece);
                if (r < 0 || piece.nr == 0)
                        return r;
                r = try_piece(queue, scheme, worker, &piece, now, limit, spent);
                if (r > 0)
                        queue->next = turn;     /* and all that is over since is passed over */
                if (r != 0)
                        return MIN(r, 0);
                before = left.work;
        }
        return 0;
}

int damos_queue_work(struct damos_queue *queue, struct damos *scheme, struct damos_worker *worker,
                     uint64_t now, uint64_t time, uint64_t share) {
        uint64_t spent = 0;
        int r;

        scheme->stat.qt_exceeds += damos_quota_pass(&scheme->quota, &scheme->charge, now);
        /* a little too long now and then is nothing to rest from */
        if (queue->rests_until >= now + share * time / NSEC_PER_USEC)
                return 0;
        r = work_for(queue, scheme, worker, now, time, &spent);
        queue->rests_until = MAX(queue->rests_until, now) + share * spent / NSEC_PER_USEC;
        return r;
}
