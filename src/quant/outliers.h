/*
 * outliers.h
 *		Samples so far off that no unit fits them and the others.
 */
#ifndef VS_OUTLIERS_H
#define VS_OUTLIERS_H

/*
 * Move those of n samples (n x dim, row-major) that are very far from all others
 * behind the rest; returns how many stay.  At most some in a hundred go, and none
 * if without them all are alike.
 */
extern int	vs_move_outliers(int dim, int n, float *samples);

#endif							/* VS_OUTLIERS_H */
