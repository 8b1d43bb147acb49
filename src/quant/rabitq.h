/*
 * rabitq.h
 *		RaBitQ codes: a few bits per dimension that estimate distances.
 *
 * A codec is trained once from a sample and then immutable; another may share
 * its centroids and have more behind them.  A vector's code is the same wherever
 * it is written, on every instruction set: it can be copied between pages and
 * recomputed by a check.  See README.md, "Codes".
 *
 * All estimates are in the codec's unit: vectors are multiplied by
 * 2^-exponent first, so squared distances and products by 2^(-2 * exponent),
 * L1 distances by 2^-exponent.
 */
#ifndef VS_RABITQ_H
#define VS_RABITQ_H

#include "c.h"

#include <math.h>

#include "kernel/kernel.h"
#include "quant/l1.h"
#include "quant/rotation.h"

/* What an estimate estimates. */
typedef enum VsEstimate
{
	VS_ESTIMATE_L2_SQ,			/* |q - x|^2 */
	VS_ESTIMATE_NEGATIVE_IP,	/* -<q, x> */
	VS_ESTIMATE_L1				/* sum of |q[i] - x[i]|: see README.md, "L1" */
} VsEstimate;

#define VS_RABITQ_MAX_CENTROIDS 256

/*
 * With this many bits the code is the vector itself, float16 elements with the
 * exponent in the centroid's place: for vectors so short that quantizing them
 * saves little.  Such estimates are exact, wherever the data lie.
 */
#define VS_RABITQ_FLOAT16_BITS 16

/* The per-vector numbers beside a code, as float16 bits. */
typedef struct VsCodeFactors
{
	uint16		add;
	uint16		mul;
} VsCodeFactors;

typedef struct VsRabitq
{
	int			dim;
	int			bits;			/* 1, 2, 4 or 8 per dimension, or see below */
	VsEstimate	estimate;
	int			exponent;
	float		residual;		/* typical distance to the nearest centroid */
	int			ncentroids;
	const float *mean;			/* dim, rotated and scaled */
	const float *centroids;		/* ncentroids x dim, rotated and scaled */
	bool		has_l1;			/* whether vectors are brought to L2 */
	VsL1		l1;				/* before scale and rotation */
	VsRotation	rotation;
} VsRabitq;

/* A query bound to a codec, for many estimates. */
typedef struct VsRabitqQuery
{
	const VsRabitq *codec;
	const VsKernel *kernel;		/* the one that was in force when bound */
	float	   *rotated;		/* dim floats of work space */
	int8	   *quantized;		/* dim bytes of work space */
	uint8	   *prepared;		/* in the kernel's layout */
	float		step;			/* value of one unit of a quantized element */
	float		offset;			/* half a code's range times the query's sum */
	float		mean_norm_sq;
	float		noise;			/* typical error of an estimate; 0 by L1 */
	float		centroid_terms[VS_RABITQ_MAX_CENTROIDS];
} VsRabitqQuery;

/*
 * The floats that training finds: the mean, those of VsL1 where a codec has it,
 * and last the centroids.  They are kept as one array.  dim, bits, estimate and ncentroids
 * must be set.
 */
extern size_t vs_rabitq_codebook_nfloats(const VsRabitq *codec);

/* Let a codec use such an array, which stays the caller's. */
extern void vs_rabitq_use_codebook(VsRabitq *codec, const float *codebook);

/*
 * Train from n >= 1 samples (n x dim, row-major, unscaled; overwritten).  dim,
 * bits, estimate, ncentroids and the rotation must be set up.  Finds the
 * exponent and writes the codebook, which the codec then uses.
 */
extern void vs_rabitq_train(VsRabitq *codec, float *samples, int n, uint64 seed,
							float *codebook);

/*
 * Train further centroids (ncentroids x dim, the caller's memory) beside those
 * of a codec, from n >= 1 samples (overwritten).  Returns the share of the
 * samples' mean squared distance to the nearest centroid that they take away,
 * and the typical distance that is left.  Codes stay valid in a codec whose
 * centroids these follow.
 */
extern float vs_rabitq_train_more(const VsRabitq *codec, float *samples, int n,
								  int ncentroids, uint64 seed, float *centroids,
								  float *residual);

/*
 * The typical distance of n >= 1 samples (overwritten) to the nearest centroid,
 * as training finds it.
 */
extern float vs_rabitq_residual(const VsRabitq *codec, float *samples, int n);

/* Whether a codec has all the centroids of n codes. */
extern bool vs_rabitq_knows(const VsRabitq *codec, int n, const uint8 *centroids);

/*
 * Encode x (dim floats) into vs_code_nbytes(bits, dim) bytes; scratch is dim
 * floats.
 */
extern void vs_rabitq_encode(const VsRabitq *codec, const float *x,
							 float *scratch, uint8 *code,
							 VsCodeFactors *factors, uint8 *centroid);

/*
 * The part of encoding and binding that codecs of one rotation and unit share:
 * x scaled and rotated, and, by L1, what was clamped off it, which is returned.
 * The functions that take the two are not for codes of VS_RABITQ_FLOAT16_BITS.
 */
extern float vs_rabitq_rotate(const VsRabitq *codec, const float *x,
							  float *rotated);
extern void vs_rabitq_encode_rotated(const VsRabitq *codec,
									 const float *rotated, float clamped,
									 float *scratch, uint8 *code,
									 VsCodeFactors *factors, uint8 *centroid);

/* Allocate a query in the current memory context; free with the context. */
extern VsRabitqQuery *vs_rabitq_query_create(const VsRabitq *codec);

/* Bind the query to x (dim floats, unscaled). */
extern void vs_rabitq_query_bind(VsRabitqQuery *query, const float *x);
extern void vs_rabitq_query_bind_rotated(VsRabitqQuery *query,
										 const float *rotated, float clamped);

/*
 * Bind the query to an encoded vector, for distances between codes.  Only for
 * a codec whose single centroid is the mean, of at most 4 bits.
 */
extern void vs_rabitq_query_bind_code(VsRabitqQuery *query, const uint8 *code,
									  float add, float mul);

/*
 * What is estimated, from the squared distance or product that a code gives.
 * For L1 that is the squared distance of vectors brought to L2.
 */
static inline float
vs_rabitq_finish_estimate(const VsRabitq *codec, float value)
{
	return codec->estimate == VS_ESTIMATE_L1 ? sqrtf(Max(value, 0.0f)) : value;
}

/*
 * The estimate for one code whose factors are decoded and whose codec has a
 * single centroid.
 */
static inline float
vs_rabitq_estimate_one(const VsRabitqQuery *query, const uint8 *code,
					   float add, float mul)
{
	const VsRabitq *codec = query->codec;
	int32		dot;

	query->kernel->code_dots(codec->bits, codec->dim, query->prepared, code,
							 0, 1, &dot);
	return vs_rabitq_finish_estimate(codec, query->centroid_terms[0] + add +
									 mul * (query->step * dot - query->offset));
}

/*
 * Estimate the distances of n codes that begin stride bytes apart.  Writes n
 * floats, never NaN.
 */
extern void vs_rabitq_estimate(const VsRabitqQuery *query, int n,
							   const uint8 *codes, size_t stride,
							   const VsCodeFactors *factors,
							   const uint8 *centroids, float *estimates);

/*
 * out = x, by L1 clamped and weighted, scaled to the codec's unit, huge elements
 * clamped (dim floats).
 */
extern void vs_rabitq_scale(const VsRabitq *codec, const float *x, float *out);

/*
 * What is estimated, computed: from q and the float16 elements x times scale.
 * May overflow.
 */
static inline float
vs_rabitq_exact(VsEstimate estimate, int dim, const float *q, const uint16 *x,
				float scale)
{
	switch (estimate)
	{
		case VS_ESTIMATE_NEGATIVE_IP:
			return -vs_kernel->f32_f16_ip(dim, q, x, scale);
		case VS_ESTIMATE_L1:
			return vs_kernel->f32_f16_l1(dim, q, x, scale);
		default:
			return vs_kernel->f32_f16_l2_sq(dim, q, x, scale);
	}
}

#endif							/* VS_RABITQ_H */
