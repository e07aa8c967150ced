-- Messages that are pinned in their conversations. The row of a message knows of it too, and what pinned it is a notice of a type of its own, 51: it
-- has the identity that its sender gave it.

CREATE TABLE im_pin (
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    entry           INTEGER NOT NULL,       -- the notice that tells of it
    user_id         INTEGER NOT NULL,       -- who pinned it
    PRIMARY KEY (small_id, big_id, server_msg_id)
) STRICT, WITHOUT ROWID;

-- Older builds would leave pinned what they recall, and take the notice for a message.
UPDATE im_store SET min_writer_version = 6;

-- for each shard --

ALTER TABLE im_message_send_{shard} ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;       -- the notice that pinned this message; 0: it is not pinned
ALTER TABLE im_message_recv_{shard} ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
