-- What a user lets others do and see: sqlite/migrations/0006_privacy.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_mailbox' AND column_name = 'privacy') = 0,
    'ALTER TABLE im_mailbox ADD COLUMN privacy BIGINT UNSIGNED NOT NULL DEFAULT 0
         COMMENT ''who may put them into groups (0 everybody, 1 contacts, 2 nobody), 4: read marks are not shown, 8 times who sees when they were there''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
UPDATE im_store SET min_writer_version = 3;
