-- People: sqlite/migrations/0005_people.sql in this dialect.

CREATE TABLE IF NOT EXISTS im_change (
    user_id         BIGINT UNSIGNED NOT NULL,
    kind            INT NOT NULL COMMENT '1 contact, 2 block; 0: changes up to this stamp may be forgotten',
    thing           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'which one of its kind: the other''s user_id',
    mailbox_seq     BIGINT UNSIGNED NOT NULL COMMENT 'stamp',
    PRIMARY KEY (user_id, kind, thing),
    UNIQUE KEY in_order (user_id, mailbox_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_contact (
    user_id         BIGINT UNSIGNED NOT NULL,
    peer_id         BIGINT UNSIGNED NOT NULL,
    state           INT NOT NULL COMMENT '1 contact, 2 the user asked, 3 the peer asks, 4 the user said no: nobody is shown that',
    remark          TEXT NOT NULL COMMENT 'the user''s own name for a contact',
    text            TEXT NOT NULL COMMENT 'what was said with the request',
    since_ms        BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (user_id, peer_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_block (
    user_id         BIGINT UNSIGNED NOT NULL,
    peer_id         BIGINT UNSIGNED NOT NULL,
    since_ms        BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (user_id, peer_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_session' AND column_name = 'refused') = 0,
    'ALTER TABLE im_session
         ADD COLUMN refused BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: one of the two blocked the other'',
         ADD COLUMN contact BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: the two are contacts'',
         ADD COLUMN shown_read_mark BIGINT UNSIGNED COMMENT ''as the peer is shown it, where that is not the mark'',
         ADD COLUMN shown_delivered_mark BIGINT UNSIGNED',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
UPDATE im_store SET min_writer_version = 2;
