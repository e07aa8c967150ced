-- Whom messages name: sqlite/migrations/0014_mentions.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_conversation' AND column_name = 'mentioned_top') = 0,
    'ALTER TABLE im_conversation
         ADD COLUMN mentioned_top BIGINT UNSIGNED NOT NULL DEFAULT 0
         COMMENT ''the last message that counted and named somebody; 0: none did''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

CREATE TABLE IF NOT EXISTS im_mention (
    user_id         BIGINT UNSIGNED NOT NULL COMMENT '0: all members, without a row for each',
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    from_id         BIGINT UNSIGNED NOT NULL COMMENT 'the author of the message',
    PRIMARY KEY (user_id, small_id, big_id, server_msg_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Older builds would recall messages and leave those whom they name with what was said.
UPDATE im_store SET min_writer_version = 6;

-- for each shard --

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_send_{shard}' AND column_name = 'mentions') = 0,
    'ALTER TABLE im_message_send_{shard}
         ADD COLUMN mentions TEXT CHARACTER SET ascii COLLATE ascii_bin COMMENT ''users whom it names, `all` before them; NULL: nobody''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_recv_{shard}' AND column_name = 'mentions') = 0,
    'ALTER TABLE im_message_recv_{shard}
         ADD COLUMN mentions TEXT CHARACTER SET ascii COLLATE ascii_bin COMMENT ''users whom it names, `all` before them; NULL: nobody''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
