/*
 * settings.c
 *		The settings that users may SET, in one table.
 *
 * The variables live with the code that reads them; names, ranges and help
 * are here.
 */
#include "postgres.h"

#include <limits.h>

#include "bm25/bm25.h"
#include "hnsw/hnsw.h"
#include "ivf/ivf.h"
#include "index/option.h"
#include "index/seed.h"
#include "kernel/kernel.h"
#include "settings.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

/* All settings' names begin with one of these and a dot. */
static const char *const prefixes[] = {"vsearch", "hnsw", "ivfflat", "bm25"};

static const struct config_enum_entry kernel_options[] = {
	{"auto", 0, false},
	{"scalar", 1, false},
	{"avx2", 2, false},
	{"avx512", 3, false},
	{"neon", 4, false},
	{"neon_dotprod", 5, false},
	{NULL, 0, false}
};

static int	kernel_option;

static bool check_kernel(int *newval, void **extra, GucSource source);
static void assign_kernel(int newval, void *extra);

/* A row of the table; every setting may be SET by every user. */
typedef struct VsSetting
{
	const char *name;
	const char *help;
	int			flags;
	enum config_type type;		/* which member of the union */
	union
	{
		struct
		{
			bool	   *variable;
			bool		boot;
		}			boolean;
		struct
		{
			int		   *variable;
			int			boot;
			int			min;
			int			max;
			GucIntCheckHook check;
			GucIntAssignHook assign;
		}			integer;
		struct
		{
			double	   *variable;
			double		boot;
			double		min;
			double		max;
		}			real;
		struct
		{
			int		   *variable;
			int			boot;
			const struct config_enum_entry *options;
			GucEnumCheckHook check;
			GucEnumAssignHook assign;
		}			choice;
	}			as;
} VsSetting;

static const VsSetting settings[] = {
	{
		"vsearch.kernel",
		"Selects the instruction set for distance arithmetic.",
		GUC_NOT_IN_SAMPLE, PGC_ENUM,
		{.choice = {&kernel_option, 0, kernel_options,
		check_kernel, assign_kernel}}
	},
	{
		"vsearch.hnsw_flat_rows",
		"Sets how many rows an hnsw index holds without a graph.",
		GUC_NOT_IN_SAMPLE, PGC_INT,
		{.integer = {&vs_hnsw_flat_rows, HNSW_DEFAULT_FLAT_ROWS, 1, INT_MAX}}
	},
	{
		"vsearch.build_seed",
		"Makes builds of indexes repeatable: what is random follows from it (0: nothing does).",
		GUC_NOT_IN_SAMPLE, PGC_INT,
		{.integer = {&vs_build_seed, 0, 0, INT_MAX}}
	},
	{
		"hnsw.ef_search",
		"Sets how many candidates a search considers.",
		0, PGC_INT,
		{.integer = {&vs_hnsw_ef_search.value, 40, 1, 1000,
		vs_option_check, vs_hnsw_assign_ef_search}}
	},
	{
		"hnsw.iterative_scan",
		"Sets how a scan goes on when more rows are wanted than its first search found.",
		0, PGC_ENUM,
		{.choice = {&vs_hnsw_iterative_scan, VS_ITERATIVE_STRICT,
		vs_iterative_scan_options}}
	},
	{
		"hnsw.max_scan_tuples",
		"Sets how many tuples an iterative scan visits before it reads the rest of the index in order.",
		0, PGC_INT,
		{.integer = {&vs_hnsw_max_scan_tuples, 20000, 1, INT_MAX}}
	},
	{
		"hnsw.scan_mem_multiplier",
		"Sets the multiple of work_mem that an iterative scan may use.",
		0, PGC_REAL,
		{.real = {&vs_hnsw_scan_mem_multiplier, 1, 1, 1000}}
	},
	{
		"ivfflat.probes",
		"Sets how many lists a scan probes first.",
		0, PGC_INT,
		{.integer = {&vs_ivf_probes.value, IVF_DEFAULT_PROBES, 1, IVF_MAX_LISTS,
		vs_option_check, vs_ivf_assign_probes}}
	},
	{
		"ivfflat.iterative_scan",
		"Sets how a scan goes on when more rows are wanted than the lists probed first have.",
		0, PGC_ENUM,
		{.choice = {&vs_ivf_iterative_scan, VS_ITERATIVE_STRICT,
		vs_iterative_scan_options}}
	},
	{
		"ivfflat.max_probes",
		"Sets how many lists an iterative scan probes at most.",
		0, PGC_INT,
		{.integer = {&vs_ivf_max_probes, IVF_MAX_LISTS, 1, IVF_MAX_LISTS}}
	},
	{
		"ivfflat.exact_probe",
		"Computes the distance of every row of the lists probed.",
		GUC_NOT_IN_SAMPLE, PGC_BOOL,
		{.boolean = {&vs_ivf_exact_probe, false}}
	},
	{
		"bm25.max_prefix_lexemes",
		"Sets for how many lexemes of an index a prefix may stand that ranks.",
		0, PGC_INT,
		{.integer = {&vs_bm25_max_prefix_lexemes,
		BM25_DEFAULT_MAX_PREFIX_LEXEMES, 1, INT_MAX}}
	},
};

/* Refuse a kernel that this processor cannot run. */
static bool
check_kernel(int *newval, void **extra, GucSource source)
{
	const char *name = kernel_options[*newval].name;

	if (vs_kernel_find(name) == NULL)
	{
		GUC_check_errdetail("This processor cannot run the kernel \"%s\".",
							name);
		return false;
	}
	return true;
}

/* Put the kernel in force. */
static void
assign_kernel(int newval, void *extra)
{
	vs_kernel = vs_kernel_find(kernel_options[newval].name);
}

/*
 * Raise an error if the setting exists already and is not just a placeholder
 * from SET or a configuration file: guc.c would raise one that does not say
 * what to do.
 */
static void
check_setting_is_free(const char *name)
{
	if (GetConfigOption(name, true, false) == NULL ||
		(GetConfigOptionFlags(name, true) & GUC_CUSTOM_PLACEHOLDER) != 0)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("setting \"%s\" already belongs to another module",
					name),
			 errdetail("vsearch and pgvector cannot be loaded into the same session."),
			 errhint("Remove pgvector (\"vector\") from shared_preload_libraries, session_preload_libraries and local_preload_libraries, and connect anew.")));
}

/* Tell PostgreSQL of one setting. */
static void
define_setting(const VsSetting *setting)
{
	switch (setting->type)
	{
		case PGC_BOOL:
			DefineCustomBoolVariable(setting->name, setting->help, NULL,
									 setting->as.boolean.variable,
									 setting->as.boolean.boot,
									 PGC_USERSET, setting->flags,
									 NULL, NULL, NULL);
			break;
		case PGC_INT:
			DefineCustomIntVariable(setting->name, setting->help, NULL,
									setting->as.integer.variable,
									setting->as.integer.boot,
									setting->as.integer.min,
									setting->as.integer.max,
									PGC_USERSET, setting->flags,
									setting->as.integer.check,
									setting->as.integer.assign, NULL);
			break;
		case PGC_REAL:
			DefineCustomRealVariable(setting->name, setting->help, NULL,
									 setting->as.real.variable,
									 setting->as.real.boot,
									 setting->as.real.min,
									 setting->as.real.max,
									 PGC_USERSET, setting->flags,
									 NULL, NULL, NULL);
			break;
		default:
			Assert(setting->type == PGC_ENUM);
			DefineCustomEnumVariable(setting->name, setting->help, NULL,
									 setting->as.choice.variable,
									 setting->as.choice.boot,
									 setting->as.choice.options,
									 PGC_USERSET, setting->flags,
									 setting->as.choice.check,
									 setting->as.choice.assign, NULL);
			break;
	}
}

void
vs_settings_define(void)
{
	/* First look at all, as what is defined cannot be taken back. */
	for (int i = 0; i < lengthof(settings); i++)
		check_setting_is_free(settings[i].name);

	for (int i = 0; i < lengthof(settings); i++)
		define_setting(&settings[i]);
	for (int i = 0; i < lengthof(prefixes); i++)
		MarkGUCPrefixReserved(prefixes[i]);
}
