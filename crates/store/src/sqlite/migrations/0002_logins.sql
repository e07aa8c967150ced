-- Which logins are over rests on the row that every change reads of who makes it.

-- One more whenever the user's logins are ended: by a new password, by being disabled. What a login of an earlier version asks for
-- is not done.
ALTER TABLE im_mailbox ADD COLUMN login_version INTEGER NOT NULL DEFAULT 0;
