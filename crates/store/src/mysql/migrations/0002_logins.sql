-- Which logins are over rests on the row that every change reads of who makes it: sqlite/migrations/0002_logins.sql in this dialect. Only
-- MariaDB adds a column unless it is there, so that it is looked for first.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_mailbox' AND column_name = 'login_version') = 0,
    'ALTER TABLE im_mailbox ADD COLUMN login_version BIGINT UNSIGNED NOT NULL DEFAULT 0
         COMMENT ''one more whenever the user''''s logins are ended: what an earlier one asks for is not done''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
