-- How users come into a group, who may not, and what newcomers see: sqlite/migrations/0010_joining.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_group' AND column_name = 'history') = 0,
    'ALTER TABLE im_group
         ADD COLUMN history INT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''messages of before that newcomers see: at most 200; 65535 all''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_group_member' AND column_name = 'visible_from') = 0,
    'ALTER TABLE im_group_member
         ADD COLUMN visible_from BIGINT UNSIGNED COMMENT ''first id of the log that they see; NULL: joined'',
         ADD COLUMN nickname TEXT COMMENT ''of their own, in this group'',
         ADD COLUMN nickname_changed BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''by this entry of the log; 0: never''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

CREATE TABLE IF NOT EXISTS im_ban (
    group_id        BIGINT UNSIGNED NOT NULL,
    user_id         BIGINT UNSIGNED NOT NULL,
    banned_by       BIGINT UNSIGNED NOT NULL,
    since_ms        BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (group_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_join_request (
    group_id        BIGINT UNSIGNED NOT NULL,
    user_id         BIGINT UNSIGNED NOT NULL,
    proposed_by     BIGINT UNSIGNED COMMENT 'NULL: they asked themselves',
    link_id         BIGINT UNSIGNED COMMENT 'by which they asked',
    text            TEXT NOT NULL COMMENT 'what they said with it',
    since_ms        BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (group_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_link (
    group_id        BIGINT UNSIGNED NOT NULL,
    link_id         BIGINT UNSIGNED NOT NULL,
    token_hash      BINARY(16) NOT NULL COMMENT 'the first half of the SHA-256 of its token',
    created_by      BIGINT UNSIGNED NOT NULL,
    created_ms      BIGINT UNSIGNED NOT NULL,
    expires_ms      BIGINT UNSIGNED NOT NULL COMMENT '0: never',
    max_uses        BIGINT UNSIGNED NOT NULL COMMENT '0: any number',
    uses            BIGINT UNSIGNED NOT NULL,
    approval        BOOLEAN NOT NULL COMMENT '1: who uses it waits to be let in',
    PRIMARY KEY (group_id, link_id),
    UNIQUE KEY called (token_hash)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Older builds would let in who may not come back, and hide from newcomers what they may see.
UPDATE im_store SET min_writer_version = 6;
