-- Messages change where they stand: they are recalled, edited and reacted to. Each change is an entry of the log too, a silent one (types 60 to
-- 79), which nobody is shown. Builds that do not know of those must not write: min_writer_version 4.

ALTER TABLE im_store ADD COLUMN digest_key TEXT NOT NULL DEFAULT '';   -- of body_digest, in hex; never leaves the store
UPDATE im_store SET min_writer_version = 4, digest_key = hex(randomblob(32));

-- The last entry that is not a silent one, which the conversation list shows; and the last message that counted and is recalled (0: none is),
-- so that most unread counts need no look at im_recalled.
ALTER TABLE im_conversation ADD COLUMN last_shown INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_conversation ADD COLUMN recalled_top INTEGER NOT NULL DEFAULT 0;
UPDATE im_conversation SET last_shown = server_msg_id;

-- Messages that counted and are recalled: they are subtracted from unread counts.
CREATE TABLE im_recalled (
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    entry           INTEGER NOT NULL,       -- the silent entry that recalled it
    PRIMARY KEY (small_id, big_id, server_msg_id)
) STRICT, WITHOUT ROWID;

-- What one user put below one message.
CREATE TABLE im_reaction (
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    emojis          TEXT    NOT NULL,       -- each with the silent entry that put it there
    PRIMARY KEY (small_id, big_id, server_msg_id, user_id)
) STRICT, WITHOUT ROWID;

-- for each shard --

ALTER TABLE im_message_send_{shard} ADD COLUMN reply_to INTEGER NOT NULL DEFAULT 0;     -- the message that it answers; 0: none
ALTER TABLE im_message_send_{shard} ADD COLUMN target INTEGER NOT NULL DEFAULT 0;       -- of a silent entry: the message that it changed
ALTER TABLE im_message_send_{shard} ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;      -- the last entry that changed this message
ALTER TABLE im_message_send_{shard} ADD COLUMN recalled_by INTEGER;                     -- NULL: it is not recalled
ALTER TABLE im_message_send_{shard} ADD COLUMN edited_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_send_{shard} ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_send_{shard} ADD COLUMN reactions TEXT;                          -- a line for each emoji: how many, and the first users
ALTER TABLE im_message_send_{shard} ADD COLUMN body_digest BLOB;                        -- of the body that was sent, once it is gone
ALTER TABLE im_message_recv_{shard} ADD COLUMN reply_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_recv_{shard} ADD COLUMN target INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_recv_{shard} ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_recv_{shard} ADD COLUMN recalled_by INTEGER;
ALTER TABLE im_message_recv_{shard} ADD COLUMN edited_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_recv_{shard} ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_message_recv_{shard} ADD COLUMN reactions TEXT;
ALTER TABLE im_message_recv_{shard} ADD COLUMN body_digest BLOB;
