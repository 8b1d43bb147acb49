/*
 * densevec_cost_template.h
 *		What the planner should think a distance costs.
 *
 * Part of densevec_template.h, which names the parameters.
 *
 * A value wider than a quarter of a page is toasted, and then fetching it costs
 * more than all the arithmetic; the planner knows neither.  src/types/README.md
 * has the measurements behind the numbers, in units of cpu_operator_cost.
 */
#include "access/heaptoast.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"

#define COST_OF_CALL 4.0
#define COST_OF_CALL_TOASTED 300.0
#define DIMS_PER_OPERATOR 16.0
#define DIMS_PER_OPERATOR_TOASTED 8.0

/* A function call's or an operator's arguments; NIL if node is neither. */
static List *
get_call_arguments(Node *node)
{
	if (node != NULL && IsA(node, FuncExpr))
		return ((FuncExpr *) node)->args;
	if (node != NULL && IsA(node, OpExpr))
		return ((OpExpr *) node)->args;
	return NIL;
}

/*
 * Planner support function of the distances: estimates a call for a column of
 * declared dimensions, and leaves others to the function's COST.
 */
PG_FUNCTION_INFO_V1(DENSEVEC_FN(distance_support));
Datum
DENSEVEC_FN(distance_support) (PG_FUNCTION_ARGS)
{
	SupportRequestCost *request = (SupportRequestCost *) PG_GETARG_POINTER(0);
	int			dim = -1;
	double		noperators;
	ListCell   *cell;

	if (!IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(NULL);

	foreach(cell, get_call_arguments(request->node))
	{
		Node	   *argument = (Node *) lfirst(cell);

		if (IsA(argument, Var))
			dim = Max(dim, ((Var *) argument)->vartypmod);
	}
	if (dim == -1)
		PG_RETURN_POINTER(NULL);

	if (size_for_dim(dim) > TOAST_TUPLE_THRESHOLD)
		noperators = COST_OF_CALL_TOASTED + dim / DIMS_PER_OPERATOR_TOASTED;
	else
		noperators = COST_OF_CALL + dim / DIMS_PER_OPERATOR;
	request->startup = 0;
	request->per_tuple = noperators * cpu_operator_cost;
	PG_RETURN_POINTER(request);
}

#undef COST_OF_CALL
#undef COST_OF_CALL_TOASTED
#undef DIMS_PER_OPERATOR
#undef DIMS_PER_OPERATOR_TOASTED
