/*
 * sort_column.c
 *		Plans that do not compute a distance which nobody reads.
 *
 * ORDER BY v <-> $1 adds the distance as a junk column to the plan's output,
 * for a sort that an index scan makes unnecessary.  For each row the executor
 * would fetch a toasted vector to compute it and then drop it.  README.md,
 * "Sort columns", says why nobody misses it.
 */
#include "postgres.h"

#include "index/am.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/clauses.h"
#include "optimizer/cost.h"
#include "optimizer/planner.h"
#include "optimizer/tlist.h"
#include "planner/planner.h"
#include "utils/lsyscache.h"

static create_upper_paths_hook_type next_create_upper_paths;

/*
 * Whether columns for sorting serve nothing but the query's own ORDER BY, and
 * the plan's output is the query's target list.
 */
static bool
sort_columns_serve_order_only(const Query *query)
{
	return query->sortClause != NIL &&
		query->limitOption != LIMIT_OPTION_WITH_TIES &&
		query->setOperations == NULL && query->groupClause == NIL &&
		query->groupingSets == NIL && query->distinctClause == NIL &&
		!query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs;
}

/*
 * The index scan in index order that a path is, or that it projects; NULL if it
 * is another path, or the index not one of ours.
 */
static const IndexPath *
get_ordering_scan(const Path *path)
{
	const IndexPath *scan;

	if (IsA(path, ProjectionPath))
		path = ((const ProjectionPath *) path)->subpath;
	if (!IsA(path, IndexPath))
		return NULL;
	scan = (const IndexPath *) path;
	return scan->indexorderbys != NIL &&
		vs_am_of_index_info(scan->indexinfo) != NULL ? scan : NULL;
}

/* Whether an index scan orders by an expression, or by its commutation. */
static bool
orders_by(List *orderbys, Node *expr)
{
	OpExpr	   *commuted;

	if (list_member(orderbys, expr))
		return true;
	if (!IsA(expr, OpExpr) ||
		list_length(((OpExpr *) expr)->args) != 2 ||
		!OidIsValid(get_commutator(((OpExpr *) expr)->opno)))
		return false;
	commuted = copyObject((OpExpr *) expr);
	CommuteOpExpr(commuted);
	return list_member(orderbys, commuted);
}

/*
 * The target without junk columns that are among "orderbys": each a NULL
 * constant instead.  NULL if there is none.
 */
static PathTarget *
form_target_without(PlannerInfo *root, PathTarget *target, List *orderbys)
{
	PathTarget *changed = NULL;
	ListCell   *expr_cell;
	ListCell   *entry_cell;

	if (list_length(target->exprs) != list_length(root->processed_tlist))
		return NULL;

	forboth(expr_cell, target->exprs, entry_cell, root->processed_tlist)
	{
		Node	   *expr = lfirst(expr_cell);
		TargetEntry *entry = lfirst_node(TargetEntry, entry_cell);

		if (!entry->resjunk || entry->ressortgroupref == 0 ||
			!equal(expr, entry->expr) || !orders_by(orderbys, expr))
			continue;

		if (changed == NULL)
			changed = copy_pathtarget(target);
		lfirst(list_nth_cell(changed->exprs, foreach_current_index(expr_cell))) =
			makeNullConst(exprType(expr), exprTypmod(expr),
						  exprCollation(expr));
	}
	return changed == NULL ? NULL : set_pathtarget_cost_width(root, changed);
}

/*
 * The same path, of an index scan or its projection, with another target.  The
 * old one is left alone: it may be a path of the table too.
 */
static Path *
copy_path_with_target(const Path *path, PathTarget *target)
{
	Size		size = IsA(path, ProjectionPath) ?
		sizeof(ProjectionPath) : sizeof(IndexPath);
	Path	   *copy = palloc(size);
	const PathTarget *old = path->pathtarget;
	Cost		startup_change = target->cost.startup - old->cost.startup;

	memcpy(copy, path, size);
	copy->pathtarget = target;
	copy->startup_cost += startup_change;
	copy->total_cost += startup_change +
		(target->cost.per_tuple - old->cost.per_tuple) * path->rows;
	return copy;
}

/* create_upper_paths_hook: look at the paths that bring the query's order. */
static void
create_upper_paths(PlannerInfo *root, UpperRelationKind stage,
				   RelOptInfo *input_rel, RelOptInfo *output_rel, void *extra)
{
	ListCell   *cell;

	if (next_create_upper_paths != NULL)
		next_create_upper_paths(root, stage, input_rel, output_rel, extra);
	if (stage != UPPERREL_ORDERED ||
		!sort_columns_serve_order_only(root->parse))
		return;

	foreach(cell, output_rel->pathlist)
	{
		Path	   *path = lfirst(cell);
		const IndexPath *scan = get_ordering_scan(path);
		PathTarget *target;

		if (scan == NULL)
			continue;
		target = form_target_without(root, path->pathtarget,
									 scan->indexorderbys);
		if (target != NULL)
			lfirst(cell) = copy_path_with_target(path, target);
	}
}

void
vs_planner_init(void)
{
	next_create_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = create_upper_paths;
}
