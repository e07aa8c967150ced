//! Conversation lists and mailboxes: everybody's entries are there, marks within bounds, stamps unique.

use std::collections::HashMap;

use super::{
    Doctor, Patient,
    check::{Check, Over},
    log::{group_log, receive_table, received_log, send_table, sent_log},
    page::{PAGE_ROWS, Side, bounded},
};
use crate::{
    query::{Dialect, Query},
    rows::{Damage, Entry, Head, HiddenRow, Stay, Take, UserRow},
};

/// The stays of the user in the group of the entry `here`, the last one first.
const STAYS: &str = "FROM im_group_member AS stay WHERE here.small_id = 0 AND stay.group_id = here.big_id
                         AND stay.user_id = here.user_id ORDER BY stay.joined DESC LIMIT 1";
/// The head of its conversation.
const HEAD: &str = "FROM im_conversation AS head WHERE head.small_id = here.small_id AND head.big_id = here.big_id";
/// Something was said in it, or a group was joined. An entry that is not only says who may write.
const LISTED: &str = "NOT (here.mailbox_seq = 0 AND here.small_id > 0 AND here.user_id IN (here.small_id, here.big_id)
                          AND NOT EXISTS (SELECT 1 FROM im_conversation AS head
                                          WHERE head.small_id = here.small_id AND head.big_id = here.big_id))";
/// The peer of its user.
const PEER: &str = "(CASE here.user_id WHEN here.small_id THEN here.big_id ELSE here.small_id END)";
/// The count of a read mark at which there is no message.
const UNKNOWN: &str = "CASE here.read_mark WHEN 0 THEN 0 ELSE here.read_count END";

/// A row that bears a stamp: a session, or with the conversation 0, 0 the profile.
struct Stamped {
    user: u64,
    small: u64,
    big: u64,
    mailbox_seq: u64,
}

impl<P: Patient> Doctor<'_, P> {
    pub(super) async fn lists(&mut self) -> Result<(), P::Error> {
        self.orphans().await?;
        self.missing_sessions().await?;
        self.marks().await?;
        self.read_counts().await?;
        self.hidden().await?;
        self.missing_mailboxes().await?;
        self.revocations().await?;
        self.stamps().await?;
        self.changes().await
    }

    /// Rows that hang on something that is not there. Those that say nothing without it can go.
    async fn orphans(&mut self) -> Result<(), P::Error> {
        let no_user = |id: &str| format!("NOT EXISTS (SELECT 1 FROM im_user AS made WHERE made.user_id = here.{id})");
        for table in ["im_mailbox", "im_password", "im_device", "im_revoked", "im_last_seen", "im_profile"] {
            let over = Over::rows_of_users(table);
            self.check(&Check::of(over, "'there is no such user'", no_user("user_id")).deleted()).await?;
        }
        for party in ["small_id", "big_id"] {
            let which = format!("here.small_id > 0 AND {}", no_user(party));
            let wrong = format!("'there is no user ' || here.{party}");
            self.check(&Check::of(Over::rows_of::<Head>(), wrong, which)).await?;
        }
        let stay = "SELECT 1 FROM im_group_member AS stay WHERE stay.group_id = here.big_id
                        AND stay.user_id = here.user_id";
        let which = format!(
            "{LISTED} AND (NOT EXISTS (SELECT 1 {HEAD})
             OR (here.small_id > 0 AND here.user_id NOT IN (here.small_id, here.big_id))
             OR (here.small_id = 0 AND NOT EXISTS ({stay})))"
        );
        let wrong = "'the user has no part in such a conversation'";
        self.check(&Check::of(Over::rows_of::<Entry>(), wrong, which).deleted()).await
    }

    /// The entry that a message or a joining created. Its marks are where the user wrote last, or joined; the stamp 0 is
    /// replaced by [`Self::stamps`].
    async fn missing_sessions(&mut self) -> Result<(), P::Error> {
        let last_stay = "here.joined = (SELECT max(stay.joined) FROM im_group_member AS stay
                             WHERE stay.group_id = here.group_id AND stay.user_id = here.user_id)";
        let stays = Over::rows_of::<Stay>();
        self.missing_session(stays, ["here.user_id", "0", "here.group_id"], last_stay, "here.joined").await?;
        let [small, big] = ["here.small_id", "here.big_id"];
        for (user, peer, which) in
            [(small, big, "here.small_id > 0"), (big, small, "here.small_id > 0 AND here.small_id <> here.big_id")]
        {
            let wrote_last = self.by_shard(user, |shard| {
                let sent = sent_log(self.dialect, "message", user, peer);
                format!("(SELECT max(server_msg_id) FROM {} AS message WHERE {sent})", send_table(shard))
            });
            let mark = format!("coalesce({wrote_last}, 0)");
            self.missing_session(Over::rows_of::<Head>(), [user, small, big], which, &mark).await?;
        }
        Ok(())
    }

    async fn missing_session(
        &mut self,
        over: Over,
        key: [&str; 3],
        concerned: &str,
        mark: &str,
    ) -> Result<(), P::Error> {
        let [user, small, big] = key;
        let which = format!(
            "{concerned} AND NOT EXISTS (SELECT 1 FROM im_session AS entry WHERE entry.user_id = {user}
                 AND entry.small_id = {small} AND entry.big_id = {big})"
        );
        let repair = format!(
            "INSERT INTO im_session (user_id, small_id, big_id, mailbox_seq, read_mark, read_count, delivered_mark)
             SELECT {user}, {small}, {big}, 0, {mark}, 0, {mark} FROM {} AS here WHERE {which}",
            over.table
        );
        let check = Check::of(over, "'the entry is missing'", which);
        self.check(&check.told_as("im_session", &key).repaired_by(repair)).await
    }

    async fn marks(&mut self) -> Result<(), P::Error> {
        let dialect = self.dialect;
        // The last message that the user may see.
        let visible = format!("coalesce((SELECT stay.left_at {STAYS}), (SELECT head.server_msg_id {HEAD}))");
        let least = [("read_mark", format!("coalesce((SELECT stay.joined {STAYS}), 0)"))];
        for (column, least) in least.into_iter().chain([("delivered_mark", "here.read_mark".into())]) {
            let mark = format!("here.{column}");
            let right = dialect.smaller(&dialect.larger(&mark, &least), &visible);
            let wrong = format!("'{column} is ' || {mark} || ', not ' || {right}");
            let check = Check::of(Over::rows_of::<Entry>(), wrong, format!("{mark} <> {right}"));
            self.check(&check.set(column, &right)).await?;
        }
        Ok(())
    }

    /// The count at the read mark, from the user's own copies, or the group's log. Where that message is missing, the count
    /// is the last that is known of it, and stays.
    async fn read_counts(&mut self) -> Result<(), P::Error> {
        let dialect = self.dialect;
        let at_mark = |table: String, log: String| {
            format!(
                "(SELECT message.count FROM {table} AS message WHERE {log} AND message.server_msg_id = here.read_mark)"
            )
        };
        let user = "here.user_id";
        let of_group =
            self.by_shard("here.big_id", |shard| at_mark(receive_table(shard), group_log(dialect, "here.big_id")));
        let sent = self.by_shard(user, |shard| at_mark(send_table(shard), sent_log(dialect, "message", user, PEER)));
        let received =
            self.by_shard(user, |shard| at_mark(receive_table(shard), received_log(dialect, "message", PEER, user)));
        let right = format!(
            "coalesce(CASE here.small_id WHEN 0 THEN {of_group} ELSE coalesce({sent}, {received}) END, {UNKNOWN})"
        );
        let wrong = format!("'read_count is ' || here.read_count || ', by the message at the read mark ' || {right}");
        let check = Check::of(Over::rows_of::<Entry>(), wrong, format!("here.read_count <> {right}"));
        self.check(&check.set("read_count", &right)).await
    }

    /// A message that its user hid is looked for no farther than their entry says.
    async fn hidden(&mut self) -> Result<(), P::Error> {
        let of = |entry: &str, hidden: &str| {
            let same = |column| format!("{entry}.{column} = {hidden}.{column}");
            ["user_id", "small_id", "big_id"].map(same).join(" AND ")
        };
        let known = of("entry", "here");
        let which = format!(
            "NOT EXISTS (SELECT 1 FROM im_session AS entry WHERE {known} AND entry.hidden_top >= here.server_msg_id)"
        );
        let top = format!("(SELECT max(server_msg_id) FROM im_hidden AS hidden WHERE {})", of("hidden", "here"));
        let repair = format!("UPDATE im_session AS here SET hidden_top = {top} WHERE hidden_top < {top}");
        let check = Check::of(Over::rows_of::<HiddenRow>(), "'the entry of its user knows of none so far'", which);
        self.check(&check.repaired_by(repair)).await
    }

    async fn missing_mailboxes(&mut self) -> Result<(), P::Error> {
        let missing = "NOT EXISTS (SELECT 1 FROM im_mailbox AS mailbox WHERE mailbox.user_id = here.user_id)";
        let repair = format!(
            "INSERT INTO im_mailbox (user_id, mailbox_seq) SELECT user_id, mailbox_seq FROM im_user AS here
             WHERE {missing}"
        );
        let check = Check::of(Over::rows_of::<UserRow>(), "'the mailbox is missing'", missing);
        self.check(&check.told_as("im_mailbox", &["here.user_id"]).repaired_by(repair)).await
    }

    /// A device was revoked at a version that its user's logins have reached.
    async fn revocations(&mut self) -> Result<(), P::Error> {
        let right = "(SELECT mailbox.login_version FROM im_mailbox AS mailbox WHERE mailbox.user_id = here.user_id)";
        let wrong = format!("'login_version is ' || here.login_version || ', and the logins are at ' || {right}");
        let check = Check::of(Over::rows_of_users("im_revoked"), wrong, format!("here.login_version > {right}"));
        self.check(&check.set("login_version", right)).await
    }

    /// Every stamp is a number of the mailbox, and no two are the same. One user's stamps are in memory at a time, beside a page.
    async fn stamps(&mut self) -> Result<(), P::Error> {
        let (mut at, mut open) = ([0; 3], Vec::<Stamped>::new());
        loop {
            (self.progress)("stamps", self.report.messages);
            let page = self.db.rows(vec![stamps_behind(self.dialect, at)], Stamped::take).await?;
            let is_full = page.len() as u64 == PAGE_ROWS;
            let mut ended = Vec::new();
            for stamped in page {
                at = [stamped.user, stamped.small, stamped.big];
                if open.first().is_some_and(|first| first.user != stamped.user) {
                    ended.push(std::mem::take(&mut open));
                }
                open.push(stamped);
            }
            if !is_full && !open.is_empty() {
                ended.push(std::mem::take(&mut open));
            }
            self.stamps_of(ended).await?;
            if !is_full {
                return Ok(());
            }
        }
    }

    /// What changes seldom has its stamp in a table of its own, in which none stands twice.
    async fn changes(&mut self) -> Result<(), P::Error> {
        let same = |table: &str| {
            format!(
                "EXISTS (SELECT 1 FROM {table} AS other
                         WHERE other.user_id = here.user_id AND other.mailbox_seq = here.mailbox_seq)"
            )
        };
        let within = "EXISTS (SELECT 1 FROM im_mailbox AS mailbox
                              WHERE mailbox.user_id = here.user_id AND mailbox.mailbox_seq >= here.mailbox_seq)";
        let which = format!("{} OR {} OR NOT {within}", same("im_session"), same("im_user"));
        let wrong = "'the stamp ' || here.mailbox_seq || ' is of no change of its own'";
        let check = Check::of(Over::changes(), wrong, which);
        self.check(&check.told_as("im_change", &["here.user_id", "here.kind", "here.thing"])).await
    }

    async fn stamps_of(&mut self, users: Vec<Vec<Stamped>>) -> Result<(), P::Error> {
        let sql = "SELECT user_id, mailbox_seq FROM im_mailbox WHERE user_id = ?";
        let questions = users.iter().map(|stamps| Query::new(sql, [stamps[0].user.into()])).collect();
        let mailboxes = self.db.rows(questions, |row| Ok((row.number()?, row.number()?))).await?;
        let mailboxes: HashMap<u64, u64> = mailboxes.into_iter().collect();
        for stamps in users {
            let at = mailboxes.get(&stamps[0].user).copied();
            self.stamps_of_user(at, stamps).await?;
        }
        Ok(())
    }

    async fn stamps_of_user(&mut self, at: Option<u64>, mut stamps: Vec<Stamped>) -> Result<(), P::Error> {
        stamps.sort_by_key(|stamped| stamped.mailbox_seq);
        let Some(&Stamped { user, mailbox_seq: highest, .. }) = stamps.last() else { return Ok(()) };
        let is_behind = at.is_none_or(|at| at < highest);
        let at_now = at.map_or("nowhere".to_owned(), |at| at.to_string());
        let behind = is_behind
            && self.found_derivable("im_mailbox", user.to_string(), format!("it is at {at_now}, a stamp at {highest}"));
        let (mut next, mut last, mut repair) = (at.unwrap_or(0).max(highest), 0, behind);
        for stamped in stamps {
            if stamped.mailbox_seq > last {
                last = stamped.mailbox_seq;
                continue;
            }
            let (table, key) = stamped.row();
            if self.found_derivable(table, key, format!("the stamp {} is of no change of its own", stamped.mailbox_seq))
            {
                (repair, next) = (true, next + 1);
                self.put_right(&[stamped.moved_to(next)]).await?;
            }
        }
        if repair {
            let sql = "INSERT INTO im_mailbox (user_id, mailbox_seq) VALUES (?, ?)
                       ON CONFLICT (user_id) DO UPDATE SET mailbox_seq = excluded.mailbox_seq";
            let changed = self.db.repair(&Query::new(sql, [user.into(), next.into()])).await?;
            self.report.repaired += u64::from(behind && changed > 0);
        }
        Ok(())
    }
}

/// In order of users, and of their conversations; a profile comes before them.
fn stamps_behind(dialect: Dialect, behind: [u64; 3]) -> Query {
    let key = ["here.user_id", "here.small_id", "here.big_id"].map(str::to_owned);
    let (page, params) = bounded(dialect, &key, [(Side::Behind, Some(&behind))]);
    let sessions = format!(
        "SELECT here.user_id AS user_id, here.small_id AS small, here.big_id AS big, here.mailbox_seq
         FROM im_session AS here WHERE {page} AND {LISTED}"
    );
    let profiles = "SELECT here.user_id AS user_id, 0 AS small, 0 AS big, here.mailbox_seq
                    FROM im_user AS here WHERE here.mailbox_seq <> 0 AND here.user_id > ?";
    let order = "ORDER BY user_id, small, big LIMIT ?";
    dialect.merge([(sessions, &params), (profiles.into(), &[behind[0].into()])], order, PAGE_ROWS)
}

impl Stamped {
    fn take(row: &mut dyn Take) -> Result<Self, Damage> {
        Ok(Self { user: row.number()?, small: row.number()?, big: row.number()?, mailbox_seq: row.number()? })
    }

    fn is_profile(&self) -> bool {
        (self.small, self.big) == (0, 0)
    }

    fn row(&self) -> (&'static str, String) {
        let Self { user, small, big, .. } = self;
        if self.is_profile() {
            return ("im_user", user.to_string());
        }
        ("im_session", format!("{user}, {small}, {big}"))
    }

    fn moved_to(&self, mailbox_seq: u64) -> Query {
        let Self { user, small, big, .. } = *self;
        let number = mailbox_seq.into();
        if self.is_profile() {
            return Query::new("UPDATE im_user SET mailbox_seq = ? WHERE user_id = ?", [number, user.into()]);
        }
        let sql = "UPDATE im_session SET mailbox_seq = ? WHERE user_id = ? AND small_id = ? AND big_id = ?";
        Query::new(sql, [number, user.into(), small.into(), big.into()])
    }
}
