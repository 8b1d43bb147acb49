/*
 * tempfile.c
 *		Temporary files of a build: of one process, or of a team's participants.
 */
#include "postgres.h"

#include "commands/tablespace.h"
#include "executor/instrument.h"
#include "index/tempfile.h"
#include "utils/wait_event.h"

File
vs_tempfile_create(SharedFileSet *files, const char *name)
{
	if (files != NULL)
		return FileSetCreate(&files->fs, name);
	PrepareTempTablespaces();
	return OpenTemporaryFile(false);
}

File
vs_tempfile_open(SharedFileSet *files, const char *name)
{
	File		file = FileSetOpen(&files->fs, name, O_RDONLY);

	if (file <= 0)
		elog(ERROR, "could not open temporary file \"%s\" of an index build",
			 name);
	return file;
}

/* Blocks that EXPLAIN and pg_stat_statements count for nbytes. */
static int64
count_blocks(Size nbytes)
{
	return (nbytes + BLCKSZ - 1) / BLCKSZ;
}

void
vs_tempfile_write(File file, const char *bytes, Size nbytes, off_t offset)
{
	Size		done = 0;

	while (done < nbytes)
	{
		int			count = FileWrite(file, unconstify(char *, bytes) + done,
									  Min(nbytes - done, PG_INT32_MAX),
									  offset + done, WAIT_EVENT_BUFFILE_WRITE);

		if (count <= 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m",
							FilePathName(file))));
		done += count;
	}
	pgBufferUsage.temp_blks_written += count_blocks(nbytes);
}

void
vs_tempfile_read(File file, char *bytes, Size nbytes, off_t offset)
{
	Size		done = 0;

	while (done < nbytes)
	{
		int			count = FileRead(file, bytes + done,
									 Min(nbytes - done, PG_INT32_MAX),
									 offset + done, WAIT_EVENT_BUFFILE_READ);

		if (count <= 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 count < 0 ? errmsg("could not read file \"%s\": %m",
										FilePathName(file)) :
					 errmsg("unexpected end of file \"%s\"",
							FilePathName(file))));
		done += count;
	}
	pgBufferUsage.temp_blks_read += count_blocks(nbytes);
}
