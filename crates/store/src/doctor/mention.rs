//! Whom messages name: the rows by which those who are named find it, and the messages themselves.

use super::{
    Doctor, Patient,
    check::{Check, Over},
    log::{group_log, noted_of, receive_table, send_table, sent_log},
};
use crate::rows::MentionRow;

/// The message names whom the row `here` is for.
const NAMES: &str = "message.server_msg_id = here.server_msg_id AND message.from_id = here.from_id AND message.counted = 1
                     AND ' ' || message.mentions || ' ' LIKE '% ' || CASE here.user_id WHEN 0 THEN 'all' ELSE here.user_id END || ' %'";
/// The head of its conversation.
const HEAD: &str = "im_conversation AS head WHERE head.small_id = here.small_id AND head.big_id = here.big_id";

impl<P: Patient> Doctor<'_, P> {
    pub(super) async fn mentions(&mut self) -> Result<(), P::Error> {
        for shard in 0..self.shards {
            self.unnoted_mentions(shard).await?;
        }
        self.mentions_of_nothing().await?;
        self.mentions_beyond_the_head().await
    }

    /// Of those who are named one by one in a group it would take a look at each; all, and the other one of two, have one row.
    async fn unnoted_mentions(&mut self, shard: u64) -> Result<(), P::Error> {
        let of_two = "here.to_id <> here.from_id AND ' ' || here.mentions || ' ' LIKE '% ' || here.to_id || ' %'";
        let named = [("here.to_id", of_two), ("0", "here.mentions LIKE 'all%'")];
        for ((table, lies_there, noted), (user, named)) in noted_of(shard).into_iter().zip(named) {
            let missing = format!(
                "here.mentions IS NOT NULL AND here.counted = 1 AND {lies_there} AND {named}
                 AND NOT EXISTS (SELECT 1 FROM im_mention AS noted WHERE noted.user_id = {user} AND {noted})"
            );
            let check = Check::of(Over::messages(&table), "'whom it names does not find it'", missing);
            self.check(&check).await?;
        }
        Ok(())
    }

    async fn mentions_of_nothing(&mut self) -> Result<(), P::Error> {
        let dialect = self.dialect;
        let names =
            |table: String, log: String| format!("EXISTS (SELECT 1 FROM {table} AS message WHERE {log} AND {NAMES})");
        let of_group =
            self.by_shard("here.big_id", |shard| names(receive_table(shard), group_log(dialect, "here.big_id")));
        let of_two = self.by_shard("here.from_id", |shard| {
            names(send_table(shard), sent_log(dialect, "message", "here.from_id", "here.user_id"))
        });
        let which = format!("NOT CASE WHEN here.small_id = 0 THEN {of_group} ELSE {of_two} END");
        let wrong = "'no message names them there'";
        self.check(&Check::of(Over::rows_of::<MentionRow>(), wrong, which).deleted()).await
    }

    /// They are looked for no farther than the head says.
    async fn mentions_beyond_the_head(&mut self) -> Result<(), P::Error> {
        let which = format!("EXISTS (SELECT 1 FROM {HEAD} AND head.mentioned_top < here.server_msg_id)");
        let repair = "UPDATE im_conversation SET mentioned_top = named.top
             FROM (SELECT small_id, big_id, max(server_msg_id) AS top FROM im_mention GROUP BY small_id, big_id) AS named
             WHERE named.small_id = im_conversation.small_id AND named.big_id = im_conversation.big_id AND mentioned_top < named.top";
        let check = Check::of(Over::rows_of::<MentionRow>(), "'the head knows of none so far'", which);
        self.check(&check.repaired_by(repair.into())).await
    }
}
