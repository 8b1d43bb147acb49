/*
 * codebook.h
 *		What a codec was trained to, on an index's pages.
 *
 * A codebook is a stream of the codec's mean, of what L1 needs, and of its
 * centroids, over a chain of pages.  Vectors are float16 with an exponent, and
 * training rounds them before anything is encoded: builds, checks and scans
 * use the same values.  Centroids may be appended: codes name their centroid, so
 * what was written before stays valid.
 *
 * The access method keeps a VsCodebook on its metapage, in whatever form.
 */
#ifndef VS_CODEBOOK_H
#define VS_CODEBOOK_H

#include "postgres.h"

#include "quant/rabitq.h"
#include "storage/edit.h"
#include "utils/rel.h"

typedef struct VsCodebook
{
	int			dim;
	int			bits;
	VsEstimate	estimate;
	int			exponent;		/* the codec's unit */
	float		residual;		/* typical, of the codec */
	int			ncentroids;
	uint32		seed;			/* of the rotation */
	uint32		version;		/* changes with the contents */
	BlockNumber first_block;
	uint16		page_kind;
} VsCodebook;

/* Floats and other memory that the codec of a codebook needs. */
extern Size vs_codebook_codec_nbytes(const VsCodebook *codebook);

/*
 * Train a codec from n samples (n x dim, overwritten), in the current memory
 * context.  dim, bits, estimate and ncentroids must be set; sets exponent,
 * residual, seed and version.
 */
extern VsRabitq *vs_codebook_train(VsCodebook *codebook, float *samples, int n);

/* Write a codec that was trained to new pages; sets first_block. */
extern void vs_codebook_write(Relation index, VsCodebook *codebook,
							  const VsRabitq *codec, VsEditMode mode);

/*
 * Write n further centroids (n x dim) to new pages, to which nothing leads yet;
 * returns the first.  They count once the codebook's last page has it as its
 * next and the metapage says so, in one edit of the caller's: a new version,
 * and n centroids more.
 */
extern BlockNumber vs_codebook_write_more(Relation index,
										  const VsCodebook *codebook,
										  const float *centroids, int n);

/* The last page of the chain. */
extern BlockNumber vs_codebook_last_block(Relation index,
										  const VsCodebook *codebook);

/* Let a page of the chain, which is in an edit, be followed by another. */
extern void vs_codebook_set_next(Page page, BlockNumber next);

/*
 * Read a codec into memory of vs_codebook_codec_nbytes(codebook) bytes, aligned
 * for floats, which it uses from then on.  ERROR if the pages are damaged.
 */
extern void vs_codebook_read(Relation index, const VsCodebook *codebook,
							 VsRabitq *codec, void *memory);

#endif							/* VS_CODEBOOK_H */
