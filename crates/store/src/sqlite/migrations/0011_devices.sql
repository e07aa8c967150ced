-- Devices that their user named, and revoked; and when users were last there. In im_mailbox.privacy, 32 is one who is shown as offline.

ALTER TABLE im_device ADD COLUMN named INTEGER NOT NULL DEFAULT 0;          -- 1: by the user, and not by itself

-- How many devices were revoked since all logins ended last. So many versions of logins before the present one hold, but for what im_revoked says.
ALTER TABLE im_mailbox ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;

CREATE TABLE im_revoked (
    user_id         INTEGER NOT NULL,
    device_id       TEXT    NOT NULL,
    not_before_s    INTEGER NOT NULL,       -- tokens that were issued before let the device in no more
    login_version   INTEGER NOT NULL,       -- logins of the device of versions before are over
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;

-- When users were last there, to the minute; apart from them, since it changes far more often.
CREATE TABLE im_last_seen (
    user_id         INTEGER PRIMARY KEY,
    last_seen_ms    INTEGER NOT NULL
) STRICT;

-- Who does not know of it would let revoked devices in, and refuse what others say.
UPDATE im_store SET min_writer_version = 6;
