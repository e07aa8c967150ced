-- Who put a member into the group, until they answer by writing, reading or inviting. NULL: they have, or nobody put them there.
ALTER TABLE im_group_member ADD COLUMN invited_by INTEGER;
CREATE INDEX im_group_member_unanswered ON im_group_member (user_id, invited_by)
    WHERE invited_by IS NOT NULL AND left_at IS NULL;
