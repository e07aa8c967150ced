-- People: contacts, who asks to be one, whom a user blocked.

-- Where in a user's mailbox each thing of theirs changed last that changes seldom. The stamp of such things stands here alone.
CREATE TABLE im_change (
    user_id         INTEGER NOT NULL,
    kind            INTEGER NOT NULL,       -- 1 contact, 2 block; 0: changes up to this stamp may be forgotten
    thing           TEXT    NOT NULL,       -- which one of its kind: of a contact or a block the other's user_id
    mailbox_seq     INTEGER NOT NULL,       -- stamp
    PRIMARY KEY (user_id, kind, thing)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX im_change_order ON im_change (user_id, mailbox_seq);

-- What a user is to another one. Two contacts have a row each.
CREATE TABLE im_contact (
    user_id         INTEGER NOT NULL,
    peer_id         INTEGER NOT NULL,
    state           INTEGER NOT NULL,       -- 1 contact, 2 the user asked, 3 the peer asks, 4 the user said no: nobody is shown that
    remark          TEXT    NOT NULL,       -- the user's own name for a contact
    text            TEXT    NOT NULL,       -- what was said with the request
    since_ms        INTEGER NOT NULL,
    PRIMARY KEY (user_id, peer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE im_block (
    user_id         INTEGER NOT NULL,
    peer_id         INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,
    PRIMARY KEY (user_id, peer_id)
) STRICT, WITHOUT ROWID;

-- What whoever writes must know, in a row that they read anyway. A session in which nothing was said yet, with the stamp 0, is there for that alone.
ALTER TABLE im_session ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;      -- 1: one of the two blocked the other
ALTER TABLE im_session ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;      -- 1: the two are contacts
-- The marks as the peer is shown them, where those are not the marks.
ALTER TABLE im_session ADD COLUMN shown_read_mark INTEGER;
ALTER TABLE im_session ADD COLUMN shown_delivered_mark INTEGER;

-- Who does not know of blocks would write past them.
UPDATE im_store SET min_writer_version = 2;
