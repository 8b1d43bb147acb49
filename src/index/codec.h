/*
 * codec.h
 *		Codecs kept by the backend, so that a query need not read the codebook.
 */
#ifndef VS_CODEC_H
#define VS_CODEC_H

#include "postgres.h"

#include "index/codebook.h"

/*
 * The codec of an index, as of the codebook's version: kept, or read from its
 * pages.  Stays valid until the current memory context is reset.
 */
extern const VsRabitq *vs_codec_acquire(Relation index,
										const VsCodebook *codebook);

#endif							/* VS_CODEC_H */
