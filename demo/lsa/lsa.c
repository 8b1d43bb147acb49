/*
 * lsa.c
 *		Latent semantic analysis: vectors for texts and for words.
 *
 *	lsa DIMENSIONS DOCS TERMS <input
 *
 * Input, DOCS and TERMS are in binary COPY format.  The last field of each
 * input tuple is a tsvector, the words of a text; DOCS gets the tuple with
 * the text's vector in its place.  TERMS gets for each word (word text,
 * ndocs integer, embedding vector).  A text's vector is the sum of its words'
 * vectors, made unit length; so a question can be embedded in SQL.
 *
 * Texts and words that occur together end up near each other: the vectors are
 * the projection of the weighted text-by-word matrix to its leading right
 * singular vectors.  See Deerwester et al., "Indexing by latent semantic
 * analysis", JASIS 41 (1990).
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "copy_binary.h"
#include "svd.h"

#define MAX_FIELDS 16

/* Words in fewer texts than this tell nothing about other texts. */
#define MIN_DOCS 2

/*
 * How much an occurrence counts, by the weight that its position carries in
 * the tsvector: D (none), C, B, A.
 */
static const float occurrence_weight[4] = {1.0f, 1.0f, 1.0f, 0.6f};

/* A word and what is known about it. */
typedef struct Term
{
	char	   *word;
	int			ndocs;			/* texts that have it */
	int			column;			/* its column in the matrix, or -1 */
} Term;

/* All words, found by hashing: slots hold 1 + the index of a term. */
typedef struct Vocabulary
{
	Term	   *terms;
	int			nterms;
	int		   *slots;
	unsigned	nslots;			/* a power of 2, more than the terms */
} Vocabulary;

/* A word's occurrences in one text. */
typedef struct Entry
{
	int			term;
	float		frequency;
} Entry;

/* The texts: the head of each tuple, and the words of all of them. */
typedef struct Texts
{
	int			ntexts;
	int			nfields;		/* without the tsvector */
	char	  **heads;			/* fields as they go into DOCS */
	size_t	   *head_len;
	size_t	   *first_entry;	/* ntexts + 1 */
	Entry	   *entries;
} Texts;

/* FNV-1a */
static unsigned
hash_word(const char *word)
{
	unsigned	hash = 2166136261u;

	while (*word)
		hash = (hash ^ (unsigned char) *word++) * 16777619u;
	return hash;
}

/* Put a term where find_term will look for it. */
static int *
find_slot(Vocabulary *vocabulary, const char *word)
{
	unsigned	slot = hash_word(word) & (vocabulary->nslots - 1);

	while (vocabulary->slots[slot] != 0 &&
		   strcmp(vocabulary->terms[vocabulary->slots[slot] - 1].word,
				  word) != 0)
		slot = (slot + 1) & (vocabulary->nslots - 1);
	return &vocabulary->slots[slot];
}

/* Twice as many slots. */
static void
enlarge_vocabulary(Vocabulary *vocabulary)
{
	free(vocabulary->slots);
	vocabulary->nslots = vocabulary->nslots == 0 ? 1024 :
		2 * vocabulary->nslots;
	vocabulary->slots = allocate(vocabulary->nslots, sizeof(int));
	vocabulary->terms = enlarge(vocabulary->terms, vocabulary->nslots,
								sizeof(Term));
	for (int i = 0; i < vocabulary->nterms; i++)
		*find_slot(vocabulary, vocabulary->terms[i].word) = i + 1;
}

/* The index of a word, which is added when it is new. */
static int
find_term(Vocabulary *vocabulary, const char *word)
{
	int		   *slot;

	if (2 * (unsigned) vocabulary->nterms >= vocabulary->nslots)
		enlarge_vocabulary(vocabulary);
	slot = find_slot(vocabulary, word);
	if (*slot == 0)
	{
		Term	   *term = &vocabulary->terms[vocabulary->nterms++];

		term->word = strcpy(allocate(strlen(word) + 1, 1), word);
		term->ndocs = 0;
		term->column = -1;
		*slot = vocabulary->nterms;
	}
	return *slot - 1;
}

/*
 * Add the words of a tsvector to the entries of a text.  Its binary form is an
 * int32 number of words, for each the word with a zero byte, an int16 number
 * of positions and the positions, whose upper two bits are the weight.
 */
static Entry *
add_words(Vocabulary *vocabulary, const CopyField *field, Entry *entry)
{
	const char *data = field->data;
	int			nwords = field->len < 4 ? 0 : copy_get_int32(data);

	data += 4;
	for (int i = 0; i < nwords; i++)
	{
		const char *word = data;
		int			npositions;

		data += strlen(word) + 1;
		npositions = copy_get_int16(data);
		data += 2;
		entry->term = find_term(vocabulary, word);
		entry->frequency = npositions > 0 ? 0.0f : 1.0f;
		for (int j = 0; j < npositions; j++, data += 2)
		{
			int			weight = (copy_get_int16(data) >> 14) & 3;

			entry->frequency += occurrence_weight[weight];
		}
		vocabulary->terms[entry->term].ndocs++;
		entry++;
	}
	return entry;
}

/* Keep the fields of a text, but the last, as they go into DOCS. */
static char *
form_head(const CopyField *fields, int nfields, size_t *len)
{
	char	   *head;
	FILE	   *file = open_memstream(&head, len);

	if (file == NULL)
		fail("out of memory");
	for (int i = 0; i < nfields; i++)
		copy_write_field(file, fields[i].data, fields[i].len);
	fclose(file);
	return head;
}

/* Read all texts. */
static void
read_texts(FILE *file, Texts *texts, Vocabulary *vocabulary)
{
	CopyField	fields[MAX_FIELDS];
	size_t		nentries = 0;
	size_t		max_entries = 0;
	int			max_texts = 0;
	int			nfields;

	copy_read_header(file);
	while ((nfields = copy_read_tuple(file, fields, MAX_FIELDS)) > 0)
	{
		const CopyField *words = &fields[nfields - 1];
		int			n = texts->ntexts;

		if (n + 1 >= max_texts)
		{
			max_texts = 2 * max_texts + 1024;
			texts->heads = enlarge(texts->heads, max_texts, sizeof(char *));
			texts->head_len = enlarge(texts->head_len, max_texts,
									  sizeof(size_t));
			texts->first_entry = enlarge(texts->first_entry, max_texts,
										 sizeof(size_t));
		}
		/* A word takes 3 bytes or more, so this many will do. */
		if (nentries + words->len > max_entries)
		{
			max_entries = 2 * (nentries + words->len);
			texts->entries = enlarge(texts->entries, max_entries,
									 sizeof(Entry));
		}
		texts->nfields = nfields - 1;
		texts->heads[n] = form_head(fields, nfields - 1, &texts->head_len[n]);
		texts->first_entry[n] = nentries;
		nentries = add_words(vocabulary, words, texts->entries + nentries) -
			texts->entries;
		texts->first_entry[n + 1] = nentries;
		texts->ntexts++;
	}
}

/* How telling a word is: nothing if all texts have it. */
static float
inverse_document_frequency(const Texts *texts, const Term *term)
{
	return logf((float) texts->ntexts / term->ndocs);
}

/* Form the matrix of weighted words, a row of unit length for each text. */
static void
form_matrix(const Texts *texts, Vocabulary *vocabulary, SparseMatrix *matrix)
{
	size_t		nentries = texts->first_entry[texts->ntexts];
	size_t		n = 0;

	matrix->nrows = texts->ntexts;
	matrix->ncols = 0;
	for (int i = 0; i < vocabulary->nterms; i++)
		if (vocabulary->terms[i].ndocs >= MIN_DOCS)
			vocabulary->terms[i].column = matrix->ncols++;
	matrix->row_start = allocate(matrix->nrows + 1, sizeof(size_t));
	matrix->col = allocate(nentries, sizeof(int));
	matrix->value = allocate(nentries, sizeof(float));

	for (int row = 0; row < matrix->nrows; row++)
	{
		float		norm_sq = 0.0f;

		matrix->row_start[row] = n;
		for (size_t i = texts->first_entry[row];
			 i < texts->first_entry[row + 1]; i++)
		{
			const Entry *entry = &texts->entries[i];
			const Term *term = &vocabulary->terms[entry->term];

			if (term->column < 0)
				continue;
			matrix->col[n] = term->column;
			matrix->value[n] = log1pf(entry->frequency) *
				inverse_document_frequency(texts, term);
			norm_sq += matrix->value[n] * matrix->value[n];
			n++;
		}
		if (norm_sq > 0.0f)
			for (size_t i = matrix->row_start[row]; i < n; i++)
				matrix->value[i] /= sqrtf(norm_sq);
	}
	matrix->row_start[matrix->nrows] = n;
}

/* Scale a vector to unit length, unless it is zero. */
static void
normalize(float *vector, int dim)
{
	double		norm_sq = 0.0;

	for (int i = 0; i < dim; i++)
		norm_sq += (double) vector[i] * vector[i];
	if (norm_sq > 0.0)
		for (int i = 0; i < dim; i++)
			vector[i] = (float) (vector[i] / sqrt(norm_sq));
}

/* Write the texts with their vectors. */
static void
write_texts(FILE *file, const Texts *texts, const SparseMatrix *matrix,
			const float *word_vectors, int dim)
{
	float	   *vector = allocate(dim, sizeof(float));

	copy_write_header(file);
	for (int row = 0; row < texts->ntexts; row++)
	{
		memset(vector, 0, sizeof(float) * dim);
		for (size_t i = matrix->row_start[row];
			 i < matrix->row_start[row + 1]; i++)
			for (int j = 0; j < dim; j++)
				vector[j] += matrix->value[i] *
					word_vectors[(size_t) matrix->col[i] * dim + j];
		normalize(vector, dim);

		copy_write_tuple(file, texts->nfields + 1);
		if (fwrite(texts->heads[row], 1, texts->head_len[row], file) !=
			texts->head_len[row])
			fail("cannot write the output");
		copy_write_vector(file, vector, dim);
	}
	copy_write_end(file);
	free(vector);
}

/* Write the words with their vectors, scaled by what each counts. */
static void
write_terms(FILE *file, const Texts *texts, const Vocabulary *vocabulary,
			const float *word_vectors, int dim)
{
	float	   *vector = allocate(dim, sizeof(float));

	copy_write_header(file);
	for (int i = 0; i < vocabulary->nterms; i++)
	{
		const Term *term = &vocabulary->terms[i];
		float		weight = inverse_document_frequency(texts, term);

		if (term->column < 0)
			continue;
		for (int j = 0; j < dim; j++)
			vector[j] = weight * word_vectors[(size_t) term->column * dim + j];
		copy_write_tuple(file, 3);
		copy_write_field(file, term->word, strlen(term->word));
		copy_write_int4(file, term->ndocs);
		copy_write_vector(file, vector, dim);
	}
	copy_write_end(file);
	free(vector);
}

static FILE *
open_output(const char *path)
{
	FILE	   *file = fopen(path, "wb");

	if (file == NULL)
		fail("cannot open %s for writing", path);
	return file;
}

int
main(int argc, char **argv)
{
	Texts		texts = {0};
	Vocabulary	vocabulary = {0};
	SparseMatrix matrix = {0};
	float	   *singular_values;
	float	   *word_vectors;
	int			dim = argc == 4 ? atoi(argv[1]) : 0;

	if (dim <= 0 || dim > 2000)
		fail("usage: lsa DIMENSIONS DOCS TERMS <input");

	read_texts(stdin, &texts, &vocabulary);
	form_matrix(&texts, &vocabulary, &matrix);
	if (2 * dim > matrix.ncols || 2 * dim > matrix.nrows)
		fail("%d texts with %d words are too few for %d dimensions",
			 matrix.nrows, matrix.ncols, dim);

	singular_values = allocate(dim, sizeof(float));
	word_vectors = allocate((size_t) matrix.ncols * dim, sizeof(float));
	svd_truncated(&matrix, dim, singular_values, word_vectors);

	write_texts(open_output(argv[2]), &texts, &matrix, word_vectors, dim);
	write_terms(open_output(argv[3]), &texts, &vocabulary, word_vectors, dim);
	printf("%d texts, %d words\n", matrix.nrows, matrix.ncols);
	return 0;
}
