-- Whom messages name, and by what those who are named find it.

-- The last message that counted and named somebody (0: none did), so that most conversations need no look at im_mention.
ALTER TABLE im_conversation ADD COLUMN mentioned_top INTEGER NOT NULL DEFAULT 0;

-- Messages that count, by whom they name. One that is recalled has no rows here.
CREATE TABLE im_mention (
    user_id         INTEGER NOT NULL,       -- 0: all members, without a row for each
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    from_id         INTEGER NOT NULL,       -- the author of the message
    PRIMARY KEY (user_id, small_id, big_id, server_msg_id)
) STRICT, WITHOUT ROWID;

-- Older builds would recall messages and leave those whom they name with what was said.
UPDATE im_store SET min_writer_version = 6;

-- for each shard --

ALTER TABLE im_message_send_{shard} ADD COLUMN mentions TEXT;           -- users whom it names, `all` before them; NULL: nobody
ALTER TABLE im_message_recv_{shard} ADD COLUMN mentions TEXT;
