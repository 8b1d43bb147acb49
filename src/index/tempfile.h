/*
 * tempfile.h
 *		Temporary files of a build: of one process, or of a team's participants.
 *
 * Not a BufFile: that reads a block of 8 KB at least, and from one place at a time.
 * Here whoever reads or writes has buffers of its own, as many as it needs.
 *
 * Files of a set are gone when all participants have detached from its segment,
 * others at the end of the transaction.  Errors are raised.
 */
#ifndef VS_TEMPFILE_H
#define VS_TEMPFILE_H

#include "postgres.h"

#include "storage/fd.h"
#include "storage/sharedfileset.h"

/* Create a file: in a set, under a name, or (files NULL) of this process alone. */
extern File vs_tempfile_create(SharedFileSet *files, const char *name);

/* Open a file of a set that another participant has created, to read it. */
extern File vs_tempfile_open(SharedFileSet *files, const char *name);

/* Write or read nbytes at an offset, all of them. */
extern void vs_tempfile_write(File file, const char *bytes, Size nbytes,
							  off_t offset);
extern void vs_tempfile_read(File file, char *bytes, Size nbytes, off_t offset);

#endif							/* VS_TEMPFILE_H */
