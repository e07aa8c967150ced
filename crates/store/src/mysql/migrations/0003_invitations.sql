-- Who put a member into the group, until they answer: sqlite/migrations/0003_invitations.sql in this dialect.

SET @add = IF(
    (SELECT COUNT(*) FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = 'im_group_member' AND column_name = 'invited_by') = 0,
    'ALTER TABLE im_group_member
         ADD COLUMN invited_by BIGINT UNSIGNED COMMENT ''who put them there, until they answer'',
         ADD KEY unanswered (user_id, present, invited_by)',
    'DO 0');
PREPARE add_column FROM @add;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
