-- Devices that their user named, and revoked: sqlite/migrations/0011_devices.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_device' AND column_name = 'named') = 0,
    'ALTER TABLE im_device
         ADD COLUMN named BOOLEAN NOT NULL DEFAULT 0 COMMENT ''1: by the user, and not by itself''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_mailbox' AND column_name = 'revocations') = 0,
    'ALTER TABLE im_mailbox
         ADD COLUMN revocations BIGINT UNSIGNED NOT NULL DEFAULT 0
         COMMENT ''so many versions of logins before the present one hold, but for what im_revoked says''',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

CREATE TABLE IF NOT EXISTS im_revoked (
    user_id         BIGINT UNSIGNED NOT NULL,
    device_id       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    not_before_s    BIGINT UNSIGNED NOT NULL COMMENT 'tokens that were issued before let the device in no more',
    login_version   BIGINT UNSIGNED NOT NULL COMMENT 'logins of the device of versions before are over',
    PRIMARY KEY (user_id, device_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_last_seen (
    user_id         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    last_seen_ms    BIGINT UNSIGNED NOT NULL COMMENT 'to the minute'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Who does not know of it would let revoked devices in, and refuse what others say.
UPDATE im_store SET min_writer_version = 6;
