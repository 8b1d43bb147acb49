/*
 * hnsw_numbers.c
 *		Lists of numbers of nodes, upper records or blocks.
 */
#include "postgres.h"

#include "hnsw/hnsw_numbers.h"
#include "utils/memutils.h"

void
vs_hnsw_numbers_add(VsHnswNumbers *numbers, uint32 number)
{
	if (numbers->n == numbers->capacity)
	{
		uint32		capacity = Max(numbers->capacity * 2, 1024);

		if (numbers->items == NULL)
			numbers->items = palloc(sizeof(uint32) * capacity);
		else
			numbers->items = repalloc_huge(numbers->items,
										   sizeof(uint32) * (Size) capacity);
		numbers->capacity = capacity;
	}
	numbers->items[numbers->n++] = number;
}

bool
vs_hnsw_numbers_contain(const VsHnswNumbers *numbers, uint32 number)
{
	uint32		low = 0;
	uint32		high = numbers->n;

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;

		if (numbers->items[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < numbers->n && numbers->items[low] == number;
}
