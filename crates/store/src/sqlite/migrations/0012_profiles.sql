-- What users say of themselves beside their names, for whoever looks them up. Apart from them, since every list reads those. A user of whom there is no row
-- never changed their profile.
CREATE TABLE im_profile (
    user_id         INTEGER PRIMARY KEY,
    version         INTEGER NOT NULL,       -- how often the profile changed, names included
    signature       TEXT    NOT NULL,
    custom          TEXT    NOT NULL        -- the app's own, JSON
) STRICT;
INSERT INTO im_profile SELECT user_id, 1, '', '' FROM im_user WHERE mailbox_seq > 0;

-- Older builds would change a profile and leave its version.
UPDATE im_store SET min_writer_version = 6;
