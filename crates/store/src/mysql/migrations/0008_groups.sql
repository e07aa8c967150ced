-- What a group is like beside its members: sqlite/migrations/0008_groups.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_group' AND column_name = 'mute_all') = 0,
    'ALTER TABLE im_group
         ADD COLUMN mute_all BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: the owner and admins alone write'',
         ADD COLUMN join_mode INT NOT NULL DEFAULT 0 COMMENT ''0 members invite, 2 the owner and admins alone'',
         ADD COLUMN members_mention_all BOOLEAN NOT NULL DEFAULT 0,
         ADD COLUMN announced BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT ''server_msg_id of the notice of the announcement'',
         ADD COLUMN dissolved_at BIGINT UNSIGNED COMMENT ''server_msg_id of the last notice; it ends every stay''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_group_member' AND column_name = 'muted_until_ms') = 0,
    'ALTER TABLE im_group_member
         ADD COLUMN muted_until_ms BIGINT UNSIGNED NOT NULL DEFAULT 0',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

CREATE TABLE IF NOT EXISTS im_announcement (
    group_id        BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    text            TEXT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Older builds would store what somebody muted says, and go on in a group that ended.
UPDATE im_store SET min_writer_version = 5;
