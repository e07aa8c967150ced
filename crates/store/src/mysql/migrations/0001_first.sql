-- The first schema: the tables of sqlite/migrations/0001_first.sql in this dialect. Ids and times are unsigned; times are
-- milliseconds since 1970. A statement ends with a semicolon at the end of a line, and may run again where it ran before:
-- this database commits each by itself.

-- One row: what this store is. The table comes first, so that those behind it are known to be ours, and its row last, so that a store that
-- has it is whole.
CREATE TABLE IF NOT EXISTS im_store (
    only_row        BOOLEAN NOT NULL PRIMARY KEY CHECK (only_row = 1),
    schema_version  INT UNSIGNED NOT NULL COMMENT 'number of the last migration that ran',
    log_id          BIGINT UNSIGNED NOT NULL COMMENT 'random; another one after a restore from a backup',
    shards          INT UNSIGNED NOT NULL COMMENT 'number of send and of receive tables; never changes'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Heads: where the log of each conversation ends. A one-to-one conversation is (smaller user_id, larger user_id),
-- a group is (0, group_id).
CREATE TABLE IF NOT EXISTS im_conversation (
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL COMMENT 'of the last message',
    count           BIGINT UNSIGNED NOT NULL COMMENT 'counted messages up to and with it',
    server_time_ms  BIGINT UNSIGNED NOT NULL COMMENT 'of the last message',
    PRIMARY KEY (small_id, big_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The conversation list of each user. A row is made by the first message, or by joining the group, and stays.
CREATE TABLE IF NOT EXISTS im_session (
    user_id         BIGINT UNSIGNED NOT NULL,
    small_id        BIGINT UNSIGNED NOT NULL,
    big_id          BIGINT UNSIGNED NOT NULL,
    mailbox_seq     BIGINT UNSIGNED NOT NULL COMMENT 'stamp: the change of the mailbox that last touched this row',
    read_mark       BIGINT UNSIGNED NOT NULL COMMENT 'the user read up to this server_msg_id',
    read_count      BIGINT UNSIGNED NOT NULL COMMENT 'count of the message at the read mark',
    delivered_mark  BIGINT UNSIGNED NOT NULL COMMENT 'their devices have all up to this server_msg_id',
    PRIMARY KEY (user_id, small_id, big_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Where each user's mailbox is: the number of its last change. There is a row for every user, and whoever writes what
-- concerns a user locks it first.
CREATE TABLE IF NOT EXISTS im_mailbox (
    user_id         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    mailbox_seq     BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_user (
    user_id         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    account         VARCHAR(64) NOT NULL,
    nickname        TEXT NOT NULL,
    avatar          TEXT NOT NULL,
    disabled        BOOLEAN NOT NULL COMMENT '1: may not log in',
    mailbox_seq     BIGINT UNSIGNED NOT NULL COMMENT 'stamp of the profile; 0: never changed',
    UNIQUE KEY account (account)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What is kept of passwords, apart from the profiles so that nobody reads it in passing.
CREATE TABLE IF NOT EXISTS im_password (
    user_id         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    argon2          TEXT NOT NULL COMMENT 'Argon2id, PHC string',
    scram           TEXT NOT NULL COMMENT 'SCRAM-SHA-256, RFC 5803'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_device (
    user_id         BIGINT UNSIGNED NOT NULL,
    device_id       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    platform        INT NOT NULL,
    name            TEXT NOT NULL,
    last_seen_ms    BIGINT UNSIGNED NOT NULL COMMENT 'first login of the last day on which it logged in',
    PRIMARY KEY (user_id, device_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_group (
    group_id        BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    creator_id      BIGINT UNSIGNED NOT NULL,
    client_group_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'makes a retry harmless',
    name            TEXT NOT NULL,
    avatar          TEXT NOT NULL,
    owner_id        BIGINT UNSIGNED NOT NULL,
    member_count    INT UNSIGNED NOT NULL,
    created_ms      BIGINT UNSIGNED NOT NULL,
    members_version BIGINT UNSIGNED NOT NULL COMMENT 'server_msg_id of the last notice of somebody coming or going',
    UNIQUE KEY once (creator_id, client_group_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Who was a member when: one row for each stay. A member may see the log from `joined` to `left_at`, both included.
-- `present` is 1 or NULL, and NULLs are no doubles: one present stay of a user in a group at most.
CREATE TABLE IF NOT EXISTS im_group_member (
    group_id        BIGINT UNSIGNED NOT NULL,
    user_id         BIGINT UNSIGNED NOT NULL,
    joined          BIGINT UNSIGNED NOT NULL COMMENT 'server_msg_id of the notice of their coming',
    left_at         BIGINT UNSIGNED COMMENT 'server_msg_id of the notice of their going; NULL: they are a member',
    role            INT NOT NULL COMMENT '1 member, 2 admin, 3 owner',
    present         BOOLEAN AS (IF(left_at IS NULL, 1, NULL)) STORED,
    PRIMARY KEY (group_id, user_id, joined),
    UNIQUE KEY present_members (group_id, present, user_id),
    UNIQUE KEY present_groups (user_id, present, group_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The last transaction of each connection that writes, in the transaction itself: after a broken connection it tells whether
-- the last one was committed.
CREATE TABLE IF NOT EXISTS im_writer (
    writer_id       BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    transaction_no  BIGINT UNSIGNED NOT NULL,
    at_ms           BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- for each shard --

-- One-to-one messages as their senders keep them: shard from_id % shards. Rows append.
CREATE TABLE IF NOT EXISTS im_message_send_{shard} (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'order of arrival in this table',
    from_id         BIGINT UNSIGNED NOT NULL,
    to_id           BIGINT UNSIGNED NOT NULL,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    client_msg_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    type            INT NOT NULL COMMENT 'as in anser.v1.Message.Type',
    counted         BOOLEAN NOT NULL COMMENT '1: counts as unread',
    count           BIGINT UNSIGNED NOT NULL COMMENT 'counted messages of the conversation up to and with this one',
    client_time_ms  BIGINT UNSIGNED NOT NULL COMMENT 'as the sender''s clock said',
    server_time_ms  BIGINT UNSIGNED NOT NULL,
    from_nickname   TEXT NOT NULL,
    from_platform   INT NOT NULL,
    from_device_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    content         MEDIUMTEXT NOT NULL,
    attachment      MEDIUMBLOB NOT NULL,
    UNIQUE KEY log (from_id, to_id, server_msg_id),
    UNIQUE KEY once (client_msg_id, from_id, to_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One-to-one messages as their receivers keep them: shard to_id % shards. And the only copy of group messages: shard
-- group_id % shards. Of to_id and group_id one is NULL. The columns that are made of others stand in for the indexes over
-- some of the rows that other databases have: `owner_id` and `peer_id` name the log (a group has no peer, and no user is 0),
-- and `once_id` is the group of a message that may come again, which no notice (type 50) does.
CREATE TABLE IF NOT EXISTS im_message_recv_{shard} (
    id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    from_id         BIGINT UNSIGNED NOT NULL,
    to_id           BIGINT UNSIGNED,
    group_id        BIGINT UNSIGNED,
    server_msg_id   BIGINT UNSIGNED NOT NULL,
    client_msg_id   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    type            INT NOT NULL,
    counted         BOOLEAN NOT NULL,
    count           BIGINT UNSIGNED NOT NULL,
    client_time_ms  BIGINT UNSIGNED NOT NULL,
    server_time_ms  BIGINT UNSIGNED NOT NULL,
    from_nickname   TEXT NOT NULL,
    from_platform   INT NOT NULL,
    from_device_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    content         MEDIUMTEXT NOT NULL,
    attachment      MEDIUMBLOB NOT NULL COMMENT 'of a notice: an encoded anser.v1.Notice',
    owner_id        BIGINT UNSIGNED AS (COALESCE(to_id, group_id)) STORED,
    peer_id         BIGINT UNSIGNED AS (IF(group_id IS NULL, from_id, 0)) STORED,
    once_id         BIGINT UNSIGNED AS (IF(type = 50, NULL, group_id)) STORED,
    UNIQUE KEY log (owner_id, peer_id, server_msg_id),
    UNIQUE KEY once (client_msg_id, from_id, once_id),
    CHECK ((to_id IS NULL) <> (group_id IS NULL))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
