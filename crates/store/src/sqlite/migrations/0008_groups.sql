-- What a group is like beside its members, who may not speak in it, and when it ended.

ALTER TABLE im_group ADD COLUMN mute_all INTEGER NOT NULL DEFAULT 0;            -- 1: the owner and admins alone write
ALTER TABLE im_group ADD COLUMN join_mode INTEGER NOT NULL DEFAULT 0;           -- 0 members invite, 2 the owner and admins alone
ALTER TABLE im_group ADD COLUMN members_mention_all INTEGER NOT NULL DEFAULT 0;
ALTER TABLE im_group ADD COLUMN announced INTEGER NOT NULL DEFAULT 0;           -- server_msg_id of the notice of the announcement
ALTER TABLE im_group ADD COLUMN dissolved_at INTEGER;                           -- server_msg_id of the last notice; it ends every stay
ALTER TABLE im_group_member ADD COLUMN muted_until_ms INTEGER NOT NULL DEFAULT 0;

-- Apart from the groups, since every message reads its group.
CREATE TABLE im_announcement (
    group_id        INTEGER PRIMARY KEY,
    text            TEXT    NOT NULL
) STRICT;

-- Older builds would store what somebody muted says, and go on in a group that ended.
UPDATE im_store SET min_writer_version = 5;
