/*
 * float_parse.h
 *		Reading the decimal numbers that texts of vectors are made of.
 */
#ifndef VS_FLOAT_PARSE_H
#define VS_FLOAT_PARSE_H

#include "c.h"

/*
 * The float4 at the start of str, *end being set behind it: strtof to the last
 * bit, and in what it does to errno, but several times faster where the number
 * is plain and followed by ',', ']', '}' or white space.
 */
extern float vs_float_parse(const char *str, char **end);

#endif							/* VS_FLOAT_PARSE_H */
