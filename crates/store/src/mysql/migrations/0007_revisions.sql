-- Messages change where they stand: sqlite/migrations/0007_revisions.sql in this dialect. The key of the digests is filled in by whoever opens the
-- store. The rules of writing come first, so that nodes of before stop as soon as they can.

UPDATE im_store SET min_writer_version = 4;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_store' AND column_name = 'digest_key') = 0,
    'ALTER TABLE im_store
         ADD COLUMN digest_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT ''''
         COMMENT ''of body_digest, in hex; never leaves the store''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_conversation' AND column_name = 'last_shown') = 0,
    'ALTER TABLE im_conversation
         ADD COLUMN last_shown BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the last entry that is not a silent one'',
         ADD COLUMN recalled_top BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the last message that counted and is recalled; 0: none is''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
UPDATE im_conversation SET last_shown = server_msg_id WHERE last_shown = 0;

CREATE TABLE IF NOT EXISTS im_recalled (
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    entry           BIGINT UNSIGNED NOT NULL COMMENT 'the silent entry that recalled it',
    PRIMARY KEY (small_id, big_id, server_msg_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_reaction (
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    user_id         BIGINT UNSIGNED NOT NULL,
    emojis          TEXT NOT NULL COMMENT 'each with the silent entry that put it there',
    PRIMARY KEY (small_id, big_id, server_msg_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- for each shard --

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_send_{shard}' AND column_name = 'reply_to') = 0,
    'ALTER TABLE im_message_send_{shard}
         ADD COLUMN reply_to BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the message that it answers; 0: none'',
         ADD COLUMN target BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''of a silent entry: the message that it changed'',
         ADD COLUMN changed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the last entry that changed this message'',
         ADD COLUMN recalled_by BIGINT UNSIGNED COMMENT ''NULL: it is not recalled'',
         ADD COLUMN edited_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
         ADD COLUMN edits INT UNSIGNED NOT NULL DEFAULT 0,
         ADD COLUMN reactions TEXT COMMENT ''a line for each emoji: how many, and the first users'',
         ADD COLUMN body_digest BINARY(16) COMMENT ''of the body that was sent, once it is gone''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_message_recv_{shard}' AND column_name = 'reply_to') = 0,
    'ALTER TABLE im_message_recv_{shard}
         ADD COLUMN reply_to BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the message that it answers; 0: none'',
         ADD COLUMN target BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''of a silent entry: the message that it changed'',
         ADD COLUMN changed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''the last entry that changed this message'',
         ADD COLUMN recalled_by BIGINT UNSIGNED COMMENT ''NULL: it is not recalled'',
         ADD COLUMN edited_ms BIGINT UNSIGNED NOT NULL DEFAULT 0,
         ADD COLUMN edits INT UNSIGNED NOT NULL DEFAULT 0,
         ADD COLUMN reactions TEXT COMMENT ''a line for each emoji: how many, and the first users'',
         ADD COLUMN body_digest BINARY(16) COMMENT ''of the body that was sent, once it is gone''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
