//! Who has read what was said in a group: worked out from the marks whenever somebody asks, and kept nowhere.

use std::ops::ControlFlow;

use anser_proto::{ConversationId, GroupId, UserId, limits::RECEIPT_MEMBERS_MAX};

use super::beside::{Reader, questions_for};
use crate::{
    READERS_OF_A_GROUP, Readers, Refusal, Role,
    query::Query,
    read::{Read, Snapshot},
    rows::{Entry, GroupRow, Mailbox, Stay, Take, is_notice, is_silent},
    steps::distinct,
};

pub(crate) struct WhoRead {
    pub(crate) asker: UserId,
    pub(crate) group: GroupId,
    pub(crate) places: Vec<u64>,
}

/// A present member, and how far they are shown to have read.
struct MemberMark {
    user: UserId,
    joined: u64,
    mark: u64,
}

impl Read for WhoRead {
    type Answer = Vec<Readers>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<Readers>, D::Error> {
        let Self { asker, group, .. } = *self;
        let stay = db.find::<Stay>(&(group, asker)).await?.ok_or(Refusal::NotMember)?;
        let row = db.find::<GroupRow>(&group).await?.filter(|row| row.dissolved_at.is_none());
        if row.ok_or(Refusal::NotMember)?.member_count > RECEIPT_MEMBERS_MAX.into() {
            return Err(Refusal::Limit { what: READERS_OF_A_GROUP, max: RECEIPT_MEMBERS_MAX }.into());
        }
        let authors = self.authors(db, stay.role).await?;
        let members = if authors.is_empty() { Vec::new() } else { self.marks(db).await? };
        let readers = |(server_msg_id, author): (u64, UserId)| {
            let audience = members.iter().filter(|member| member.joined <= server_msg_id && member.user != author);
            let (read, unread): (Vec<_>, Vec<_>) = audience.partition(|member| member.mark >= server_msg_id);
            let users = |members: Vec<&MemberMark>| members.into_iter().map(|member| member.user).collect();
            Readers { server_msg_id, read: users(read), unread: users(unread) }
        };
        Ok(authors.into_iter().map(readers).collect())
    }
}

impl WhoRead {
    /// Of those messages about which the asker may ask, ascending.
    async fn authors<D: Snapshot>(&self, db: &mut D, role: Role) -> Result<Vec<(u64, UserId)>, D::Error> {
        let (user, conversation) = (self.asker, ConversationId::Group(self.group));
        let own = db.find::<Entry>(&(user, conversation)).await?.unwrap_or_default();
        let places = distinct(&self.places).into_iter().collect();
        let columns = "server_msg_id, from_id, type";
        let questions = questions_for(db, Reader { user, conversation, own }, places, columns).await?;
        let mut authors = Vec::new();
        let each = &mut |_, row: &mut dyn Take| {
            let (server_msg_id, (author, kind)): (u64, (UserId, i32)) = row.get()?;
            if !is_silent(kind) && !is_notice(kind) && (author == user || role > Role::Member) {
                authors.push((server_msg_id, author));
            }
            Ok(ControlFlow::Continue(()))
        };
        db.ask(&questions, each).await?;
        Ok(authors)
    }

    /// Who hides their read marks is shown to have read nothing, and is shown the same of others.
    async fn marks<D: Snapshot>(&self, db: &mut D) -> Result<Vec<MemberMark>, D::Error> {
        let hides_reads = db.find::<Mailbox>(&self.asker).await?.is_some_and(|own| own.privacy.hides_reads);
        let present = db.dialect().present();
        let sql = format!(
            "SELECT im_group_member.user_id, joined,
                 CASE mailbox.privacy & 4 WHEN 4 THEN 0 ELSE COALESCE(session.shown_read_mark, session.read_mark, 0) END
             FROM im_group_member
                 LEFT JOIN im_mailbox AS mailbox ON mailbox.user_id = im_group_member.user_id
                 LEFT JOIN im_session AS session ON session.user_id = im_group_member.user_id
                     AND session.small_id = 0 AND session.big_id = im_group_member.group_id
             WHERE group_id = ? AND {present} ORDER BY im_group_member.user_id LIMIT {RECEIPT_MEMBERS_MAX}"
        );
        let take = |row: &mut dyn Take| {
            let (user, (joined, mark)) = row.get()?;
            Ok(MemberMark { user, joined, mark: if hides_reads { 0 } else { mark } })
        };
        db.rows(vec![Query::new(sql, [self.group.into()])], take).await
    }
}
