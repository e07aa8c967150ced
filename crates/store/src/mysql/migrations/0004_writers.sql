-- A build whose rules of writing are older than these must not write: sqlite/migrations/0004_writers.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_store' AND column_name = 'min_writer_version') = 0,
    'ALTER TABLE im_store ADD COLUMN min_writer_version INT UNSIGNED NOT NULL DEFAULT 1
         COMMENT ''builds whose rules of writing are older must not write''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
