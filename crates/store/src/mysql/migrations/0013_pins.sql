-- Messages that are pinned in their conversations: sqlite/migrations/0013_pins.sql in this dialect.

-- Older builds would leave pinned what they recall, and take the notice for a message.
UPDATE im_store SET min_writer_version = 6;

CREATE TABLE IF NOT EXISTS im_pin (
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    entry           BIGINT UNSIGNED NOT NULL COMMENT 'the notice that tells of it',
    user_id         BIGINT UNSIGNED NOT NULL COMMENT 'who pinned it',
    PRIMARY KEY (small_id, big_id, server_msg_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- for each shard --

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_send_{shard}' AND column_name = 'pinned') = 0,
    'ALTER TABLE im_message_send_{shard}
         ADD COLUMN pinned BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the notice that pinned this message; 0: it is not pinned''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_recv_{shard}' AND column_name = 'pinned') = 0,
    'ALTER TABLE im_message_recv_{shard}
         ADD COLUMN pinned BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the notice that pinned this message; 0: it is not pinned''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
