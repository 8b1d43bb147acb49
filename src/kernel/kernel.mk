# Flags of the kernels; included from the top-level Makefile.
#
# A kernel is compiled for its instruction set and chosen at run time.  Where
# there is no such instruction set its file compiles to nothing.

KERNEL_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/kernel/*.c)))

# No fusing of a * b + c behind our backs: conversions are identical on every
# instruction set, and where sums fuse the kernel says so.
$(KERNEL_OBJS): override CFLAGS += -O3 -ffp-contract=off

# The plain loop, for reference and for processors without anything better.
src/kernel/kernel_scalar.o: override CFLAGS += \
	-fno-tree-vectorize -fno-tree-slp-vectorize

kernel_machine := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))

ifeq ($(kernel_machine),x86_64)
src/kernel/kernel_avx2.o: override CFLAGS += -mavx2 -mfma -mf16c
src/kernel/kernel_avx512.o src/kernel/bytes_avx512.o: override CFLAGS += -mavx2 -mfma -mf16c \
	-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
endif

# NEON itself needs no flags.
ifeq ($(kernel_machine),aarch64)
src/kernel/kernel_neon_dotprod.o: override CFLAGS += -march=armv8.2-a+dotprod
endif
