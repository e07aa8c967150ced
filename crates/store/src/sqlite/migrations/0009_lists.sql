-- What is a user's own of a conversation: how its entry stands in their list, and what they put away of its log.

ALTER TABLE im_session ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;           -- 1: it stands above the others
ALTER TABLE im_session ADD COLUMN quiet_until_ms INTEGER NOT NULL DEFAULT 0;   -- until then nothing rings
ALTER TABLE im_session ADD COLUMN marked_unread INTEGER NOT NULL DEFAULT 0;    -- 1: until the user reads or writes there
ALTER TABLE im_session ADD COLUMN removed_at INTEGER NOT NULL DEFAULT 0;       -- not in the list until something behind it is shown
ALTER TABLE im_session ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0;          -- the user sees nothing up to here
ALTER TABLE im_session ADD COLUMN hidden_top INTEGER NOT NULL DEFAULT 0;       -- the last message that the user hid

-- Messages that a user hid from themselves.
CREATE TABLE im_hidden (
    user_id         INTEGER NOT NULL,
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    counted         INTEGER NOT NULL,       -- 1: it counted as unread before
    PRIMARY KEY (user_id, small_id, big_id, server_msg_id)
) STRICT, WITHOUT ROWID;

-- Older builds would show what was put away.
UPDATE im_store SET min_writer_version = 6;
