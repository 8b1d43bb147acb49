# Flags of the codecs; included from the top-level Makefile.
#
# Encoding gives the same bits on every machine: nothing may be fused.

QUANT_OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/quant/*.c)))

$(QUANT_OBJS): override CFLAGS += -O3 -ffp-contract=off
