-- What a user lets others do and see, in the row that is read of them with every message: who may put them into groups (0 everybody,
-- 1 contacts, 2 nobody), 4 if their read marks are not shown, and 8 times who is told when they were last there (as before).
ALTER TABLE im_mailbox ADD COLUMN privacy INTEGER NOT NULL DEFAULT 0;

-- Who does not know of it would put them into groups.
UPDATE im_store SET min_writer_version = 3;
