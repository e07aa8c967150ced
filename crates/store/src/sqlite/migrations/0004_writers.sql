-- A build whose rules of writing are older than these must not write. A schema that only has more in it is everybody's.
ALTER TABLE im_store ADD COLUMN min_writer_version INTEGER NOT NULL DEFAULT 1;
