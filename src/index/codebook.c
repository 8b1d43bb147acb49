/*
 * codebook.c
 *		What a codec was trained to, on an index's pages.
 *
 * The stream consists of 16-bit words: a vector is its exponent and dim
 * float16; the floats that L1 needs keep their 32 bits, since weights differ by
 * more than float16 holds.  A vector may begin on one page and end on the next.
 */
#include "postgres.h"

#include "index/codebook.h"
#include "index/seed.h"
#include "kernel/kernel.h"
#include "miscadmin.h"
#include "quant/f16vec.h"

/* On each page, before its words. */
typedef struct CodebookHeader
{
	BlockNumber next;			/* next page of the stream, or Invalid */
	uint32		nwords;			/* on this page */
} CodebookHeader;

#define PAGE_NWORDS \
	((VS_PAGE_CAPACITY - sizeof(CodebookHeader)) / sizeof(uint16))

#define WORDS_PER_FLOAT (sizeof(float) / sizeof(uint16))

/* A stream that is being read: the page under way is locked. */
typedef struct Reader
{
	Relation	index;
	const VsCodebook *codebook;
	BlockNumber next_block;
	Buffer		buffer;
	const uint16 *words;		/* not read yet, of this page */
	Size		nwords;
} Reader;

/* A codec as the codebook says, without its vectors. */
static void
init_codec(VsRabitq *codec, const VsCodebook *codebook)
{
	memset(codec, 0, sizeof(VsRabitq));
	codec->dim = codebook->dim;
	codec->bits = codebook->bits;
	codec->estimate = codebook->estimate;
	codec->exponent = codebook->exponent;
	codec->residual = codebook->residual;
	codec->ncentroids = codebook->ncentroids;
}

/* Floats that are no vectors: they lie between the mean and the centroids. */
static Size
count_plain_floats(const VsRabitq *codec)
{
	return vs_rabitq_codebook_nfloats(codec) -
		(Size) codec->dim * (1 + codec->ncentroids);
}

/* Words of n vectors. */
static inline Size
vectors_nwords(int dim, int n)
{
	return (Size) n * (1 + dim);
}

/* Append vectors (n x dim) to a stream; returns its new end. */
static uint16 *
form_vectors(uint16 *words, int dim, const float *vectors, int n)
{
	for (int i = 0; i < n; i++)
	{
		int16		exponent = vs_f16vec_encode(dim, vectors + (Size) i * dim,
												words + 1);

		words[0] = (uint16) exponent;
		words += 1 + dim;
	}
	return words;
}

/* Round vectors (n x dim) to what is stored of them. */
static void
round_vectors(int dim, float *vectors, int n)
{
	uint16	   *halves = palloc(sizeof(uint16) * dim);

	for (int i = 0; i < n; i++)
	{
		float	   *vector = vectors + (Size) i * dim;
		int			exponent = vs_f16vec_encode(dim, vector, halves);

		vs_kernel->f16_to_f32(dim, halves, vs_f16vec_scale(exponent), vector);
	}
	pfree(halves);
}

Size
vs_codebook_codec_nbytes(const VsCodebook *codebook)
{
	VsRabitq	codec;

	init_codec(&codec, codebook);
	return sizeof(float) * vs_rabitq_codebook_nfloats(&codec) +
		vs_rotation_signs_nbytes(codebook->dim);
}

VsRabitq *
vs_codebook_train(VsCodebook *codebook, float *samples, int n)
{
	VsRabitq   *codec = palloc(sizeof(VsRabitq));
	int			dim = codebook->dim;
	float	   *floats;

	codebook->seed = pg_prng_uint32(vs_prng);
	init_codec(codec, codebook);
	vs_rotation_init(&codec->rotation, dim, codebook->seed,
					 palloc(vs_rotation_signs_nbytes(dim)));
	floats = palloc(sizeof(float) * vs_rabitq_codebook_nfloats(codec));
	vs_rabitq_train(codec, samples, n, codebook->seed, floats);
	round_vectors(dim, floats, 1);
	round_vectors(dim, floats + dim + count_plain_floats(codec),
				  codec->ncentroids);

	codebook->exponent = codec->exponent;
	codebook->residual = codec->residual;
	codebook->version = pg_prng_uint32(&pg_global_prng_state);
	return codec;
}

/* Write one page of a stream, which is new and locked; releases it. */
static void
write_page(Relation index, uint16 kind, Buffer buffer, BlockNumber next,
		   const uint16 *words, Size nwords, VsEditMode mode)
{
	VsEdit		edit;
	Page		page;
	CodebookHeader *header;

	vs_edit_begin(&edit, index, mode);
	page = vs_edit_page(&edit, buffer, VS_EDIT_NEW);
	vs_page_init(page, kind, VS_PAGE_CAPACITY);
	header = (CodebookHeader *) vs_page_records(page);
	header->next = next;
	header->nwords = nwords;
	memcpy(header + 1, words, sizeof(uint16) * nwords);
	vs_edit_commit(&edit);
	UnlockReleaseBuffer(buffer);
}

/* Write words to a new chain of pages; returns the first. */
static BlockNumber
write_chain(Relation index, uint16 kind, const uint16 *words, Size nwords,
			VsEditMode mode)
{
	int			npages = (nwords + PAGE_NWORDS - 1) / PAGE_NWORDS;
	BlockNumber first = InvalidBlockNumber;

	/* From the last page to the first, so that each knows its successor. */
	for (int i = npages - 1; i >= 0; i--)
	{
		Size		begin = (Size) i * PAGE_NWORDS;
		Buffer		buffer;
		BlockNumber block;

		CHECK_FOR_INTERRUPTS();
		buffer = vs_page_extend_locked(index);
		block = BufferGetBlockNumber(buffer);
		write_page(index, kind, buffer, first, words + begin,
				   Min(nwords - begin, PAGE_NWORDS), mode);
		first = block;
	}
	return first;
}

void
vs_codebook_write(Relation index, VsCodebook *codebook, const VsRabitq *codec,
				  VsEditMode mode)
{
	int			dim = codec->dim;
	Size		nplain = count_plain_floats(codec);
	Size		nwords = vectors_nwords(dim, 1 + codec->ncentroids) +
		WORDS_PER_FLOAT * nplain;
	uint16	   *words = palloc(sizeof(uint16) * nwords);
	uint16	   *end;

	/* The floats begin with the mean. */
	end = form_vectors(words, dim, codec->mean, 1);
	memcpy(end, codec->mean + dim, sizeof(float) * nplain);
	end += WORDS_PER_FLOAT * nplain;
	end = form_vectors(end, dim, codec->centroids, codec->ncentroids);
	Assert(end == words + nwords);

	codebook->first_block = write_chain(index, codebook->page_kind, words,
										nwords, mode);
	pfree(words);
}

BlockNumber
vs_codebook_write_more(Relation index, const VsCodebook *codebook,
					   const float *centroids, int n)
{
	Size		nwords = vectors_nwords(codebook->dim, n);
	uint16	   *words = palloc(sizeof(uint16) * nwords);
	BlockNumber first;

	form_vectors(words, codebook->dim, centroids, n);
	first = write_chain(index, codebook->page_kind, words, nwords,
						VS_EDIT_LOGGED);
	pfree(words);
	return first;
}

BlockNumber
vs_codebook_last_block(Relation index, const VsCodebook *codebook)
{
	BlockNumber block = codebook->first_block;

	for (;;)
	{
		Buffer		buffer = vs_page_read(index, block, BUFFER_LOCK_SHARE,
										  codebook->page_kind);
		BlockNumber next = ((const CodebookHeader *)
							vs_page_records(BufferGetPage(buffer)))->next;

		UnlockReleaseBuffer(buffer);
		if (next == InvalidBlockNumber)
			return block;
		CHECK_FOR_INTERRUPTS();
		block = next;
	}
}

void
vs_codebook_set_next(Page page, BlockNumber next)
{
	((CodebookHeader *) vs_page_records(page))->next = next;
}

/* ERROR: the pages hold something else than the codebook should be. */
static void
report_damage(const Reader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("codebook of index \"%s\" is incomplete",
					RelationGetRelationName(reader->index)),
			 errhint("Please REINDEX it.")));
}

/* Go on to the next page of a stream. */
static void
read_next_page(Reader *reader)
{
	const CodebookHeader *header;

	if (BufferIsValid(reader->buffer))
		UnlockReleaseBuffer(reader->buffer);
	reader->buffer = InvalidBuffer;
	if (reader->next_block == InvalidBlockNumber)
		report_damage(reader);

	reader->buffer = vs_page_read(reader->index, reader->next_block,
								  BUFFER_LOCK_SHARE,
								  reader->codebook->page_kind);
	header = (const CodebookHeader *)
		vs_page_records(BufferGetPage(reader->buffer));
	reader->next_block = header->next;
	reader->words = (const uint16 *) (header + 1);
	reader->nwords = Min(header->nwords, PAGE_NWORDS);

	/* Where every page has some, a chain that leads in a circle ends. */
	if (reader->nwords == 0)
		report_damage(reader);
}

/* Take up to "wanted" words that lie together; sets their number. */
static const uint16 *
read_words(Reader *reader, Size wanted, Size *nwords)
{
	const uint16 *words;

	if (reader->nwords == 0)
		read_next_page(reader);
	words = reader->words;
	*nwords = Min(wanted, reader->nwords);
	reader->words += *nwords;
	reader->nwords -= *nwords;
	return words;
}

/* Read n floats that were kept as they are. */
static void
read_floats(Reader *reader, Size n, float *floats)
{
	uint16	   *words = (uint16 *) floats;
	Size		wanted = WORDS_PER_FLOAT * n;
	Size		nread;

	for (; wanted > 0; wanted -= nread)
	{
		const uint16 *source = read_words(reader, wanted, &nread);

		memcpy(words, source, sizeof(uint16) * nread);
		words += nread;
	}
}

/* Read a vector. */
static void
read_vector(Reader *reader, float *vector)
{
	Size		wanted = reader->codebook->dim;
	Size		nread;
	int16		exponent = (int16) *read_words(reader, 1, &nread);
	float		scale = vs_f16vec_scale(exponent);

	if (exponent < VS_F16VEC_MIN_EXPONENT || exponent > VS_F16VEC_MAX_EXPONENT)
		report_damage(reader);
	for (; wanted > 0; wanted -= nread)
	{
		const uint16 *halves = read_words(reader, wanted, &nread);

		vs_kernel->f16_to_f32(nread, halves, scale, vector);
		vector += nread;
	}
}

void
vs_codebook_read(Relation index, const VsCodebook *codebook, VsRabitq *codec,
				 void *memory)
{
	int			dim = codebook->dim;
	float	   *floats = memory;
	float	   *centroids;
	Size		nplain;
	Reader		reader = {.index = index, .codebook = codebook,
	.next_block = codebook->first_block, .buffer = InvalidBuffer};

	init_codec(codec, codebook);
	nplain = count_plain_floats(codec);
	centroids = floats + dim + nplain;

	read_vector(&reader, floats);
	read_floats(&reader, nplain, floats + dim);
	for (int i = 0; i < codebook->ncentroids; i++)
		read_vector(&reader, centroids + (Size) i * dim);
	UnlockReleaseBuffer(reader.buffer);

	vs_rabitq_use_codebook(codec, floats);
	vs_rotation_init(&codec->rotation, dim, codebook->seed,
					 centroids + (Size) codebook->ncentroids * dim);
}
