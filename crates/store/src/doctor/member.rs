//! Groups: who is counted is there, stays lie within the log, and nothing hangs on a group that is not there.

use super::{
    Doctor, Patient,
    check::{Check, Over},
};
use crate::rows::{BanRow, GroupRow, Head, JoinRequestRow, LinkRow, Stay};

const MEMBER_COUNT: &str = "(SELECT count(*) FROM im_group_member AS stay
                              WHERE stay.group_id = here.group_id AND stay.left_at IS NULL)";
const HEAD: &str = "coalesce((SELECT head.server_msg_id FROM im_conversation AS head
                              WHERE head.small_id = 0 AND head.big_id = here.group_id), 0)";
const STAY: &[&str] = &["here.group_id", "here.user_id", "here.joined"];

impl<P: Patient> Doctor<'_, P> {
    pub(super) async fn groups(&mut self) -> Result<(), P::Error> {
        let last = self.dialect.larger("max(stay.joined)", "coalesce(max(stay.left_at), 0)");
        let members_version =
            format!("(SELECT {last} FROM im_group_member AS stay WHERE stay.group_id = here.group_id)");
        // The version rises with what members may do, too.
        for (column, differs, right) in
            [("member_count", "<>", MEMBER_COUNT), ("members_version", "<", &members_version)]
        {
            let wrong = format!("'{column} is ' || here.{column} || ', by its members ' || {right}");
            let which = format!("here.{column} {differs} {right}");
            self.check(&Check::of(Over::rows_of::<GroupRow>(), wrong, which).set(column, right)).await?;
        }
        self.groups_are_whole().await?;
        self.stays().await?;
        self.bans().await?;
        self.coming().await
    }

    async fn groups_are_whole(&mut self) -> Result<(), P::Error> {
        let group = Over::rows_of::<GroupRow>;
        let log =
            "EXISTS (SELECT 1 FROM im_conversation AS head WHERE head.small_id = 0 AND head.big_id = here.group_id)";
        let owner = "EXISTS (SELECT 1 FROM im_group_member AS stay WHERE stay.group_id = here.group_id
                         AND stay.user_id = here.owner_id AND stay.left_at IS NULL AND stay.role = 3)";
        let owned = "(SELECT made.owner_id FROM im_group AS made WHERE made.group_id = here.group_id)";
        let known = "EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = here.big_id)";
        for check in [
            Check::of(group(), "'its log is missing'", format!("NOT {log}")),
            Check::of(
                group(),
                "'user ' || here.owner_id || ' is no member with the role of the owner'",
                format!("here.member_count > 0 AND NOT {owner}"),
            ),
            Check::of(
                Over::rows_of::<Stay>(),
                "'user ' || here.user_id || ' has the role of the owner and is not'",
                format!("here.left_at IS NULL AND here.role = 3 AND here.user_id <> {owned}"),
            ),
            Check::of(
                Over::rows_of::<Head>(),
                "'there is no such group'",
                format!("here.small_id = 0 AND NOT {known}"),
            ),
        ] {
            self.check(&check).await?;
        }
        Ok(())
    }

    async fn bans(&mut self) -> Result<(), P::Error> {
        let no_group = "NOT EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = here.group_id)";
        let no_user = "NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = here.user_id)";
        let member = "EXISTS (SELECT 1 FROM im_group_member AS stay WHERE stay.group_id = here.group_id
                          AND stay.user_id = here.user_id AND stay.left_at IS NULL)";
        let lost = Check::of(Over::rows_of::<BanRow>(), "'it is about nobody'", format!("{no_group} OR {no_user}"));
        self.check(&lost.deleted()).await?;
        // Which of the two is right is for the group's admins to say.
        self.check(&Check::of(Over::rows_of::<BanRow>(), "'who is banned is a member'", member)).await
    }

    async fn coming(&mut self) -> Result<(), P::Error> {
        let no_group = "NOT EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = here.group_id)";
        let no_user = "NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = here.user_id)";
        let present = "EXISTS (SELECT 1 FROM im_group_member AS stay WHERE stay.group_id = here.group_id
                           AND stay.user_id = here.user_id AND stay.left_at IS NULL)";
        let banned = "EXISTS (SELECT 1 FROM im_ban AS ban WHERE ban.group_id = here.group_id
                          AND ban.user_id = here.user_id)";
        for (wrong, which) in [
            ("it is about nobody", &format!("{no_group} OR {no_user}")),
            ("who waits is a member, or banned", &format!("{present} OR {banned}")),
        ] {
            let check = Check::of(Over::rows_of::<JoinRequestRow>(), format!("'{wrong}'"), which.as_str());
            self.check(&check.deleted()).await?;
        }
        self.check(&Check::of(Over::rows_of::<LinkRow>(), "'there is no such group'", no_group).deleted()).await
    }

    async fn stays(&mut self) -> Result<(), P::Error> {
        let overlap = "EXISTS (SELECT 1 FROM im_group_member AS next WHERE next.group_id = here.group_id
                           AND next.user_id = here.user_id AND next.joined > here.joined
                           AND next.joined <= coalesce(here.left_at, next.joined))";
        let end = self.dialect.larger("here.joined", "coalesce(here.left_at, 0)");
        for (wrong, which) in [
            (
                "there is no such group",
                "NOT EXISTS (SELECT 1 FROM im_group AS made WHERE made.group_id = here.group_id)",
            ),
            ("there is no such user", "NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = here.user_id)"),
            ("the stay lies outside of the log", &format!("here.joined < 1 OR {end} > {HEAD}")),
            ("they left before they joined", "here.left_at <= here.joined"),
            (
                "what they see does not begin before they joined",
                "here.visible_from < 1 OR here.visible_from > here.joined",
            ),
            ("the next stay began before this one ended", overlap),
            ("the role is none", "here.role NOT IN (1, 2, 3)"),
        ] {
            let check = Check::of(Over::rows_of::<Stay>(), format!("'{wrong}'"), which);
            self.check(&check.told_as("im_group_member", STAY)).await?;
        }
        Ok(())
    }
}
