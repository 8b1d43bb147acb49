/*
 * samples.h
 *		Arithmetic on measured numbers.
 */
#ifndef VS_BENCH_SAMPLES_H
#define VS_BENCH_SAMPLES_H

/* A point of the recall-speed curve. */
typedef struct VsCurvePoint
{
	int			knob;
	double		recall;
	double		speed;			/* queries per second, or the like */
} VsCurvePoint;

/* How a speed at a recall was found. */
typedef enum VsCurveReading
{
	VS_CURVE_NOT_REACHED,
	VS_CURVE_BETWEEN,			/* interpolated between two knobs */
	VS_CURVE_AT_LOWEST			/* the lowest knob has at least this recall */
} VsCurveReading;

extern double vs_bench_mean(const double *samples, int n);
extern double vs_bench_quantile(double *samples, int n, double quantile);
extern int	vs_bench_keep_best_points(VsCurvePoint *points, int n);
extern int	vs_bench_fastest_knob(const VsCurvePoint *points, int n,
								  double recall);
extern VsCurveReading vs_bench_read_curve(const VsCurvePoint *points, int n,
										  double recall, double *speed);

#endif							/* VS_BENCH_SAMPLES_H */
