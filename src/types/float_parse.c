/*
 * float_parse.c
 *		Reading the decimal numbers that texts of vectors are made of.
 *
 * The digits are gathered in an integer that is scaled by a power of ten in
 * double.  Both are rounded at most once, so the double is less than 2 units in
 * its last place off.  That cannot change the float4 it rounds to, unless it is
 * that close to the middle between two of them.  Then, and for anything else
 * out of the ordinary, strtof decides.
 */
#include "c.h"

#include <float.h>

#include "types/float_parse.h"

/* Powers of ten that double holds exactly. */
static const double powers[] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
};

/* Bits of a double's mantissa that a float4 lacks, and half of their range. */
#define EXTRA_BITS_MASK UINT64CONST(0x1FFFFFFF)
#define EXTRA_BITS_HALF INT64CONST(0x10000000)

/* How near to the middle a double is left to strtof; must be at least 2. */
#define MARGIN 4

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Append the digits at *pos to *digits and advance *pos past them.  Returns
 * how many there were; stops short of more than uint64 holds.
 */
static inline int
gather_digits(const char **pos, uint64 *digits)
{
	const char *start = *pos;

	while (is_digit(**pos) && *digits < UINT64CONST(1000000000000000000))
	{
		*digits = *digits * 10 + (**pos - '0');
		(*pos)++;
	}
	return *pos - start;
}

/* Read an exponent of up to two digits, if there is one at *pos. */
static inline int
gather_exponent(const char **pos)
{
	const char *cur = *pos;
	bool		negative = false;
	int			exponent;

	if (*cur != 'e' && *cur != 'E')
		return 0;
	cur++;
	if (*cur == '-' || *cur == '+')
		negative = *cur++ == '-';
	if (!is_digit(*cur))
		return 0;
	exponent = *cur++ - '0';
	if (is_digit(*cur))
		exponent = exponent * 10 + (*cur++ - '0');
	*pos = cur;
	return negative ? -exponent : exponent;
}

/* Is this where a number ends, rather than where strtof might read on? */
static inline bool
is_terminator(char c)
{
	return c == ',' || c == ']' || c == '}' || c == ' ' ||
		(c >= '\t' && c <= '\r');
}

/*
 * Round a double that may be 2 units in the last place off to float4.  False
 * if the result is uncertain or too large.  The powers of ten leave no value
 * between zero and 1e-22, so that it is never subnormal.
 */
static inline bool
round_to_float(double value, float *result)
{
	uint64		bits;
	int64		from_middle;

	if (value > FLT_MAX)
		return false;
	memcpy(&bits, &value, sizeof(bits));
	from_middle = (int64) (bits & EXTRA_BITS_MASK) - EXTRA_BITS_HALF;
	if (from_middle >= -MARGIN && from_middle <= MARGIN)
		return false;
	*result = (float) value;
	return true;
}

float
vs_float_parse(const char *str, char **end)
{
	const char *pos = str;
	bool		negative = false;
	uint64		digits = 0;
	int			ndigits;
	int			exponent = 0;
	double		value;
	float		result;

	if (*pos == '-' || *pos == '+')
		negative = *pos++ == '-';
	ndigits = gather_digits(&pos, &digits);
	if (*pos == '.')
	{
		pos++;
		exponent = -gather_digits(&pos, &digits);
		ndigits -= exponent;
	}
	if (ndigits == 0)
		return strtof(str, end);
	exponent += gather_exponent(&pos);
	if (!is_terminator(*pos) || abs(exponent) >= lengthof(powers))
		return strtof(str, end);

	value = (double) digits;
	if (exponent < 0)
		value /= powers[-exponent];
	else
		value *= powers[exponent];

	if (!round_to_float(value, &result))
		return strtof(str, end);
	*end = unconstify(char *, pos);
	return negative ? -result : result;
}
