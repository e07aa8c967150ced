-- What is a user's own of a conversation: sqlite/migrations/0009_lists.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_session' AND column_name = 'cleared') = 0,
    'ALTER TABLE im_session
         ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: it stands above the others'',
         ADD COLUMN quiet_until_ms BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''until then nothing rings'',
         ADD COLUMN marked_unread BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: until the user reads or writes there'',
         ADD COLUMN removed_at BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''not in the list until something behind it is shown'',
         ADD COLUMN cleared BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the user sees nothing up to here'',
         ADD COLUMN hidden_top BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the last message that the user hid''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

CREATE TABLE IF NOT EXISTS im_hidden (
    user_id         BIGINT UNSIGNED NOT NULL,
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    counted         BOOLEAN NOT NULL COMMENT '1: it counted as unread before',
    PRIMARY KEY (user_id, small_id, big_id, server_msg_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Older builds would show what was put away.
UPDATE im_store SET min_writer_version = 6;
