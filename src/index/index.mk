# Flags of what access methods share; included from the top-level Makefile.

# Loops over all elements of many rows: compilers should take vectors of them.
CENTROID_OBJS = src/index/centroids.o src/index/screen.o src/index/training.o \
	src/index/training_samples.o

$(CENTROID_OBJS): override CFLAGS += -O3
