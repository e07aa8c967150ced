-- How users come into a group, who may not, and what newcomers see.

ALTER TABLE im_group ADD COLUMN history INTEGER NOT NULL DEFAULT 0;     -- messages of before that newcomers see: at most 200; 65535 all
-- First id of the log that they see; NULL: `joined`. Fixed when they join.
ALTER TABLE im_group_member ADD COLUMN visible_from INTEGER;
ALTER TABLE im_group_member ADD COLUMN nickname TEXT;                   -- of their own, in this group
ALTER TABLE im_group_member ADD COLUMN nickname_changed INTEGER NOT NULL DEFAULT 0;     -- by this entry of the log; 0: never

-- Who may not come back. For them it is as if the group were not there.
CREATE TABLE im_ban (
    group_id        INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    banned_by       INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

-- Who waits to be let in. Of a group that was dissolved nobody does.
CREATE TABLE im_join_request (
    group_id        INTEGER NOT NULL,
    user_id         INTEGER NOT NULL,
    proposed_by     INTEGER,                -- NULL: they asked themselves
    link_id         INTEGER,                -- by which they asked
    text            TEXT    NOT NULL,       -- what they said with it
    since_ms        INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;

-- Links by which users join. The token of a link is told once, to whoever created it.
CREATE TABLE im_link (
    group_id        INTEGER NOT NULL,
    link_id         INTEGER NOT NULL,
    token_hash      BLOB    NOT NULL UNIQUE,    -- the first half of the SHA-256 of its token
    created_by      INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL,
    expires_ms      INTEGER NOT NULL,       -- 0: never
    max_uses        INTEGER NOT NULL,       -- 0: any number
    uses            INTEGER NOT NULL,
    approval        INTEGER NOT NULL,       -- 1: who uses it waits to be let in
    PRIMARY KEY (group_id, link_id)
) STRICT, WITHOUT ROWID;

-- Older builds would let in who may not come back, and hide from newcomers what they may see.
UPDATE im_store SET min_writer_version = 6;
