-- The first schema. Every table is STRICT; ids and times are integers; times are milliseconds since 1970.

-- One row: what this store is.
CREATE TABLE im_store (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    schema_version  INTEGER NOT NULL,       -- number of the last migration that ran
    log_id          INTEGER NOT NULL,       -- random; another one after a restore from a backup
    shards          INTEGER NOT NULL        -- number of send and of receive tables; never changes
) STRICT;

-- Heads: where the log of each conversation ends. A one-to-one conversation is (smaller user_id, larger user_id),
-- a group is (0, group_id).
CREATE TABLE im_conversation (
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,       -- of the last message
    count           INTEGER NOT NULL,       -- counted messages up to and with it
    server_time_ms  INTEGER NOT NULL,       -- of the last message
    PRIMARY KEY (small_id, big_id)
) STRICT, WITHOUT ROWID;

-- The conversation list of each user. A row is made by the first message, or by joining the group, and stays.
CREATE TABLE im_session (
    user_id         INTEGER NOT NULL,
    small_id        INTEGER NOT NULL,
    big_id          INTEGER NOT NULL,
    mailbox_seq     INTEGER NOT NULL,       -- stamp: the change of the user's mailbox that last touched this row
    read_mark       INTEGER NOT NULL,       -- the user read up to this server_msg_id
    read_count      INTEGER NOT NULL,       -- count of the message at the read mark: unread = count(head) - read_count
    delivered_mark  INTEGER NOT NULL,       -- their devices have all up to this server_msg_id
    PRIMARY KEY (user_id, small_id, big_id)
) STRICT, WITHOUT ROWID;

-- Where each user's mailbox is: the number of its last change. There is a row for every user.
CREATE TABLE im_mailbox (
    user_id         INTEGER PRIMARY KEY,
    mailbox_seq     INTEGER NOT NULL
) STRICT;

CREATE TABLE im_user (
    user_id         INTEGER PRIMARY KEY,
    account         TEXT    NOT NULL UNIQUE,
    nickname        TEXT    NOT NULL,
    avatar          TEXT    NOT NULL,
    disabled        INTEGER NOT NULL,       -- 1: may not log in
    mailbox_seq     INTEGER NOT NULL        -- stamp of the profile; 0: never changed
) STRICT;

-- What is kept of passwords, apart from the profiles so that nobody reads it in passing.
CREATE TABLE im_password (
    user_id         INTEGER PRIMARY KEY,
    argon2          TEXT    NOT NULL,       -- Argon2id, PHC string
    scram           TEXT    NOT NULL        -- SCRAM-SHA-256, RFC 5803
) STRICT;

CREATE TABLE im_device (
    user_id         INTEGER NOT NULL,
    device_id       TEXT    NOT NULL,
    platform        INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    last_seen_ms    INTEGER NOT NULL,       -- first login of the last day on which it logged in
    PRIMARY KEY (user_id, device_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE im_group (
    group_id        INTEGER PRIMARY KEY,
    creator_id      INTEGER NOT NULL,
    client_group_id TEXT    NOT NULL,       -- chosen by the creator: makes a retry harmless
    name            TEXT    NOT NULL,
    avatar          TEXT    NOT NULL,
    owner_id        INTEGER NOT NULL,
    member_count    INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL,
    members_version INTEGER NOT NULL,       -- server_msg_id of the last notice of somebody coming or going
    UNIQUE (creator_id, client_group_id)
) STRICT;

-- Who was a member when: one row for each stay. A member may see the log from `joined` to `left_at`, both included.
CREATE TABLE im_group_member (
    group_id        INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    joined          INTEGER NOT NULL,       -- server_msg_id of the notice of their coming
    left_at         INTEGER,                -- server_msg_id of the notice of their going; NULL: they are a member
    role            INTEGER NOT NULL,       -- 1 member, 2 admin, 3 owner
    PRIMARY KEY (group_id, user_id, joined)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX im_group_member_present ON im_group_member (group_id, user_id) WHERE left_at IS NULL;
CREATE UNIQUE INDEX im_group_member_groups ON im_group_member (user_id, group_id) WHERE left_at IS NULL;

-- for each shard --

-- One-to-one messages as their senders keep them: shard from_id % shards. Rows append.
CREATE TABLE im_message_send_{shard} (
    id              INTEGER PRIMARY KEY,    -- order of arrival in this table
    from_id         INTEGER NOT NULL,
    to_id           INTEGER NOT NULL,
    server_msg_id   INTEGER NOT NULL,
    client_msg_id   TEXT    NOT NULL,
    type            INTEGER NOT NULL,       -- as in anser.v1.Message.Type
    counted         INTEGER NOT NULL,       -- 1: counts as unread
    count           INTEGER NOT NULL,       -- counted messages of the conversation up to and with this one
    client_time_ms  INTEGER NOT NULL,       -- as the sender's clock said
    server_time_ms  INTEGER NOT NULL,
    from_nickname   TEXT    NOT NULL,
    from_platform   INTEGER NOT NULL,
    from_device_id  TEXT    NOT NULL,
    content         TEXT    NOT NULL,
    attachment      BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX im_message_send_{shard}_log ON im_message_send_{shard} (from_id, to_id, server_msg_id);
-- A message is stored once, for ever. Led by client_msg_id, so that ids in order of time append.
CREATE UNIQUE INDEX im_message_send_{shard}_once ON im_message_send_{shard} (client_msg_id, from_id, to_id);

-- One-to-one messages as their receivers keep them: shard to_id % shards. And the only copy of group messages: shard
-- group_id % shards. Of to_id and group_id one is NULL.
CREATE TABLE im_message_recv_{shard} (
    id              INTEGER PRIMARY KEY,
    from_id         INTEGER NOT NULL,
    to_id           INTEGER,
    group_id        INTEGER,
    server_msg_id   INTEGER NOT NULL,
    client_msg_id   TEXT    NOT NULL,
    type            INTEGER NOT NULL,
    counted         INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    client_time_ms  INTEGER NOT NULL,
    server_time_ms  INTEGER NOT NULL,
    from_nickname   TEXT    NOT NULL,
    from_platform   INTEGER NOT NULL,
    from_device_id  TEXT    NOT NULL,
    content         TEXT    NOT NULL,
    attachment      BLOB    NOT NULL,       -- of a notice: an encoded anser.v1.Notice
    CHECK ((to_id IS NULL) <> (group_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX im_message_recv_{shard}_log ON im_message_recv_{shard} (to_id, from_id, server_msg_id)
    WHERE to_id IS NOT NULL;
CREATE UNIQUE INDEX im_message_recv_{shard}_group ON im_message_recv_{shard} (group_id, server_msg_id)
    WHERE group_id IS NOT NULL;
-- As with what is sent, but for notices (type 50): the store writes those, and their ids are nobody's.
CREATE UNIQUE INDEX im_message_recv_{shard}_once ON im_message_recv_{shard} (client_msg_id, from_id, group_id)
    WHERE group_id IS NOT NULL AND type <> 50;
