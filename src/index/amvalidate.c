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

/* Check the operators of a family for a type. */
static bool
validate_operators(Oid family, Oid type, const char *am_name,
				   const char *opclass_name)
{
	CatCList   *operators = SearchSysCacheList1(AMOPSTRATEGY,
												ObjectIdGetDatum(family));
	bool		result = true;
	int			nfound = 0;

	for (int i = 0; i < operators->n_members; i++)
	{
		Form_pg_amop form = (Form_pg_amop)
			GETSTRUCT(&operators->members[i]->tuple);

		if (form->amoplefttype != type)
			continue;
		nfound++;
		if (form->amopstrategy != 1 ||
			form->amoppurpose != AMOP_ORDER ||
			get_op_rettype(form->amopopr) != FLOAT8OID)
		{
			complain(am_name, opclass_name,
					 "has an operator that is not an ordering by float8 of strategy 1");
			result = false;
		}
	}
	ReleaseCatCacheList(operators);

	if (nfound != 1)
	{
		complain(am_name, opclass_name, "must have one ordering operator");
		result = false;
	}
	return result;
}

/* Check the support functions of a family for a type. */
static bool
validate_functions(Oid family, Oid type, const char *am_name,
				   const char *opclass_name)
{
	CatCList   *functions = SearchSysCacheList1(AMPROCNUM,
												ObjectIdGetDatum(family));
	bool		result = true;
	bool		found = false;

	for (int i = 0; i < functions->n_members; i++)
	{
		Form_pg_amproc form = (Form_pg_amproc)
			GETSTRUCT(&functions->members[i]->tuple);

		if (form->amproclefttype != type)
			continue;
		if (form->amprocnum != VS_OPCLASS_PROC ||
			!check_amproc_signature(form->amproc, INTERNALOID, true, 1, 1,
									INTERNALOID))
		{
			complain(am_name, opclass_name,
					 "has a support function with the wrong signature or number");
			result = false;
		}
		found = true;
	}
	ReleaseCatCacheList(functions);

	if (!found)
	{
		complain(am_name, opclass_name, "lacks its support function");
		result = false;
	}
	return result;
}

bool
vs_amvalidate_ordering(Oid opclass, const char *am_name)
{
	HeapTuple	tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	char	   *name;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	name = NameStr(form->opcname);

	result = validate_operators(form->opcfamily, form->opcintype, am_name, name);
	result = validate_functions(form->opcfamily, form->opcintype, am_name,
								name) && result;
	ReleaseSysCache(tuple);
	return result;
}
