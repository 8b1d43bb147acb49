/*
 * amvalidate.c
 *		Validation of operator classes.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type_d.h"
#include "index/amvalidate.h"
#include "index/opclass.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Report what is wrong with an operator class. */
static void
complain(const char *am_name, const char *opclass_name, const char *problem)
{
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method %s %s",
					opclass_name, am_name, problem)));
}

/* The operator that a strategy number asks for; NULL if there is none. */
static const VsAmOperator *
find_operator(const VsAmOperator *operators, int noperators,
			  StrategyNumber strategy)
{
	for (int i = 0; i < noperators; i++)
		if (operators[i].strategy == strategy)
			return &operators[i];
	return NULL;
}

/* Check the operators of a family for a type. */
static bool
validate_operators(Form_pg_opclass opclass, const char *am_name,
				   const VsAmOperator *operators, int noperators)
{
	const char *name = NameStr(opclass->opcname);
	CatCList   *members = SearchSysCacheList1(AMOPSTRATEGY,
											  ObjectIdGetDatum(opclass->opcfamily));
	bool		result = true;
	int			nfound = 0;

	for (int i = 0; i < members->n_members; i++)
	{
		Form_pg_amop form = (Form_pg_amop)
			GETSTRUCT(&members->members[i]->tuple);
		const VsAmOperator *wanted = find_operator(operators, noperators,
												   form->amopstrategy);

		if (form->amoplefttype != opclass->opcintype)
			continue;
		nfound++;
		if (wanted == NULL || form->amoppurpose != wanted->purpose ||
			get_op_rettype(form->amopopr) != wanted->result)
		{
			complain(am_name, name,
					 "has an operator of a strategy, purpose or result that it may not have");
			result = false;
		}
	}
	ReleaseCatCacheList(members);

	if (nfound != noperators)
	{
		complain(am_name, name, "has too few or too many operators");
		result = false;
	}
	return result;
}

/* Check the support functions of a family for a type. */
static bool
validate_functions(Form_pg_opclass opclass, const char *am_name,
				   int nfunctions)
{
	const char *name = NameStr(opclass->opcname);
	CatCList   *members = SearchSysCacheList1(AMPROCNUM,
											  ObjectIdGetDatum(opclass->opcfamily));
	bool		result = true;
	int			nfound = 0;

	for (int i = 0; i < members->n_members; i++)
	{
		Form_pg_amproc form = (Form_pg_amproc)
			GETSTRUCT(&members->members[i]->tuple);

		if (form->amproclefttype != opclass->opcintype)
			continue;
		nfound++;
		if (form->amprocnum > nfunctions ||
			!check_amproc_signature(form->amproc, INTERNALOID, true, 1, 1,
									INTERNALOID))
		{
			complain(am_name, name,
					 "has a support function with the wrong signature or number");
			result = false;
		}
	}
	ReleaseCatCacheList(members);

	if (nfound < nfunctions)
	{
		complain(am_name, name, "lacks a support function");
		result = false;
	}
	return result;
}

bool
vs_amvalidate(Oid opclass, const char *am_name, const VsAmOperator *operators,
			  int noperators, int nfunctions)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);

	result = validate_operators(form, am_name, operators, noperators);
	result = validate_functions(form, am_name, nfunctions) && result;
	ReleaseSysCache(tuple);
	return result;
}

bool
vs_amvalidate_ordering(Oid opclass, const char *am_name)
{
	static const VsAmOperator ordering = {1, AMOP_ORDER, FLOAT8OID};

	return vs_amvalidate(opclass, am_name, &ordering, 1, VS_OPCLASS_PROC);
}
