-- What users say of themselves beside their names: sqlite/migrations/0012_profiles.sql in this dialect. The rules of writing come first, so that nodes of before
-- stop as soon as they can.
UPDATE im_store SET min_writer_version = 6;

CREATE TABLE IF NOT EXISTS im_profile (
    user_id         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    version         BIGINT UNSIGNED NOT NULL COMMENT 'how often the profile changed, names included',
    signature       TEXT NOT NULL,
    custom          TEXT NOT NULL COMMENT 'of the app, JSON'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT IGNORE INTO im_profile SELECT user_id, 1, '', '' FROM im_user WHERE mailbox_seq > 0;
