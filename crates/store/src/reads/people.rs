//! What a user is to others, and what changed of it.

use std::ops::ControlFlow;

use anser_proto::{ConversationId, GroupId, UserId};

use crate::{
    Between, Block, Change, Contact, Now, Page, Privacy, Refusal, Seen, User, Who,
    damaged::Damaged,
    query::{Dialect, Query, Value, bound},
    questions,
    read::{Read, Snapshot, beside, cut, keyed, sound},
    reads::user::take_device,
    rows::{
        BlockRow, ChangeRow, ContactRow, Damage, Entry, LastSeenRow, Mailbox, Row, Take, Thing, UserRow, columns_of,
    },
};

/// Rows about a peer, with the peer's profile.
fn about_peers<R: Row<Key = (UserId, UserId)>>(which: &str, params: impl Into<Vec<Value>>) -> Query {
    let (row, peer, table) = (columns_of::<R>(R::TABLE), columns_of::<UserRow>("peer"), R::TABLE);
    let sql = format!(
        "SELECT {row}, {peer} FROM {table} LEFT JOIN im_user AS peer ON peer.user_id = {table}.peer_id WHERE {which}"
    );
    Query::new(sql, params)
}

/// A row of [`about_peers`]. What is damaged is left out.
fn take_about<R: Row<Key = (UserId, UserId)>>(
    row: &mut dyn Take,
    damaged: &Damaged,
) -> Result<Option<(R, User)>, Damage> {
    let key: (UserId, UserId) = row.get()?;
    let Some(found) = sound::<R>(row, &key, damaged) else { return Ok(None) };
    let user = beside::<UserRow>(row, &key.1, damaged).map_or(User::unreadable(key.1), |row| row.user(key.1));
    Ok(Some((found, user)))
}

fn contact_of((row, user): (ContactRow, User)) -> Option<Contact> {
    row.contact(user)
}

/// In order of their stamps.
pub(super) async fn stamps_since<D: Snapshot>(
    db: &mut D,
    user: UserId,
    since: u64,
    limit: u64,
) -> Result<Vec<(u64, Thing)>, D::Error> {
    let sql = "SELECT mailbox_seq, kind, thing FROM im_change WHERE user_id = ? AND mailbox_seq > ?
               ORDER BY mailbox_seq LIMIT ?";
    db.rows(vec![Query::new(sql, [user.into(), since.into(), limit.into()])], |row| row.get()).await
}

/// What changed behind this may be forgotten: then all that is there was stamped, and what is not there may not have been.
pub(super) async fn is_forgotten<D: Snapshot>(db: &mut D, user: UserId, since: u64) -> Result<bool, D::Error> {
    let forgotten = db.find::<ChangeRow>(&(user, Thing::Forgotten)).await?;
    Ok(forgotten.is_some_and(|forgotten| forgotten.mailbox_seq > since))
}

/// The things as they are now. Of a kind that is not known here nothing is said.
pub(super) async fn as_they_are<D: Snapshot>(
    db: &mut D,
    user: UserId,
    stamped: Vec<(u64, Thing)>,
) -> Result<Vec<Change>, D::Error> {
    let damaged = db.damaged();
    let (mut questions, mut changes, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
    for (mailbox_seq, thing) in stamped {
        let (question, now) = match thing {
            Thing::Contact(peer) => (of_peer::<ContactRow>(user, peer), Now::Contact(peer, None)),
            Thing::Block(peer) => (of_peer::<BlockRow>(user, peer), Now::Block(peer, None)),
            Thing::Privacy => (Query::with_key::<Mailbox>(db.dialect(), &user), Now::Privacy(Privacy::default())),
            Thing::Hidden(conversation, place) => {
                hidden.push(Change { mailbox_seq, now: Now::Hidden(conversation, place) });
                continue;
            }
            Thing::JoinRequests(group) => (waiting_for(db.dialect(), user, group), Now::JoinRequests(group, 0)),
            Thing::Devices => (questions::devices_of(user), Now::Devices(Vec::new())),
            Thing::Forgotten | Thing::Unknown(..) => continue,
        };
        questions.push(question);
        changes.push(Change { mailbox_seq, now });
    }
    let each = &mut |at: usize, row: &mut dyn Take| {
        match &mut changes[at].now {
            Now::Privacy(privacy) => *privacy = keyed::<Mailbox>(row, &user)?.privacy,
            // It is all there is to say.
            Now::Hidden(..) => {}
            Now::JoinRequests(_, open) => *open = row.get()?,
            Now::Devices(devices) => devices.extend(take_device(row, &damaged)?),
            Now::Contact(_, contact) => *contact = take_about(row, &damaged)?.and_then(contact_of),
            Now::Block(_, block) => {
                *block = take_about(row, &damaged)?.map(|(row, user): (BlockRow, _)| row.block(user));
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    db.ask(&questions, each).await?;
    changes.append(&mut hidden);
    changes.sort_unstable_by_key(|change| change.mailbox_seq);
    Ok(changes)
}

/// How many wait to be let into a group, if the user may answer them.
fn waiting_for(dialect: Dialect, user: UserId, group: GroupId) -> Query {
    let (present, living) = (dialect.present(), questions::LIVING);
    let sql = format!(
        "SELECT COUNT(*) FROM im_join_request WHERE group_id = ? AND EXISTS (SELECT 1 FROM im_group_member
             WHERE im_group_member.group_id = im_join_request.group_id AND im_group_member.user_id = ? AND {present}
             AND role > 1 AND {living})"
    );
    Query::new(sql, [group.into(), user.into()])
}

fn of_peer<R: Row<Key = (UserId, UserId)>>(user: UserId, peer: UserId) -> Query {
    let which = format!("{0}.user_id = ? AND {0}.peer_id = ?", R::TABLE);
    about_peers::<R>(&which, [user.into(), peer.into()])
}

async fn page_of<R: Row<Key = (UserId, UserId)>, D: Snapshot, T: Send>(
    db: &mut D,
    (user, after, limit): (UserId, UserId, u32),
    only: &str,
    make: impl Fn((R, User)) -> Option<T> + Send + Sync,
) -> Result<Page<T>, D::Error> {
    let damaged = db.damaged();
    let which = format!("{0}.user_id = ? AND {0}.peer_id > ?{only} ORDER BY {0}.peer_id LIMIT ?", R::TABLE);
    let limit = limit.max(1);
    let question = about_peers::<R>(&which, [user.into(), bound(after.0), (u64::from(limit) + 1).into()]);
    let Page { rows, more } = cut(db.rows(vec![question], |row| take_about(row, &damaged)).await?, limit).sound();
    Ok(Page { rows: rows.into_iter().filter_map(make).collect(), more })
}

pub(crate) struct Contacts {
    pub(crate) user: UserId,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for Contacts {
    type Answer = Page<Contact>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Contact>, D::Error> {
        // 4: those to whom the user said no.
        page_of(db, (self.user, self.after, self.limit), " AND im_contact.state <> 4", contact_of).await
    }
}

pub(crate) struct Blocks {
    pub(crate) user: UserId,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for Blocks {
    type Answer = Page<Block>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Block>, D::Error> {
        let make = |(row, user): (BlockRow, User)| Some(row.block(user));
        page_of(db, (self.user, self.after, self.limit), "", make).await
    }
}

pub(crate) struct BetweenTwo {
    pub(crate) user: UserId,
    pub(crate) peer: UserId,
}

impl Read for BetweenTwo {
    type Answer = Between;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Between, D::Error> {
        let Self { user, peer } = *self;
        db.find::<Mailbox>(&peer).await?.ok_or(Refusal::NotFound("user"))?;
        let own = db.find::<Entry>(&(user, ConversationId::single(user, peer))).await?;
        Ok(own.map_or(Between::default(), |Entry { refused, contact, .. }| Between { refused, contact }))
    }
}

pub(crate) struct PrivacyOf(pub(crate) UserId);

impl Read for PrivacyOf {
    type Answer = Privacy;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Privacy, D::Error> {
        let mailbox = db.find::<Mailbox>(&self.0).await?.ok_or(Refusal::NotFound("user"))?;
        Ok(mailbox.privacy)
    }
}

/// Of one user's contacts, who they are.
pub(crate) struct ContactIds(pub(crate) UserId);

impl Read for ContactIds {
    type Answer = Vec<UserId>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<UserId>, D::Error> {
        let sql = "SELECT peer_id FROM im_contact WHERE user_id = ? AND state = 1 ORDER BY peer_id";
        db.rows(vec![Query::new(sql, [self.0.into()])], |row| row.get()).await
    }
}

/// Of these users those who are shown as offline.
pub(crate) struct Invisible(pub(crate) Vec<UserId>);

impl Read for Invisible {
    type Answer = Vec<UserId>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<UserId>, D::Error> {
        let dialect = db.dialect();
        let questions = self.0.iter().map(|user| Query::with_key::<Mailbox>(dialect, user)).collect();
        let found = db.rows(questions, |row| Ok((row.get()?, Mailbox::take(row)?.privacy.invisible))).await?;
        let mut invisible: Vec<_> = found.into_iter().filter_map(|(user, is)| is.then_some(user)).collect();
        invisible.sort_unstable();
        invisible.dedup();
        Ok(invisible)
    }
}

pub(crate) struct SeenBy {
    pub(crate) viewer: UserId,
    pub(crate) users: Vec<UserId>,
}

impl Read for SeenBy {
    type Answer = Vec<Seen>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Vec<Seen>, D::Error> {
        let (viewer, dialect) = (self.viewer, db.dialect());
        let own = db.find::<Mailbox>(&viewer).await?.ok_or(Refusal::NotFound("user"))?.privacy;
        let of = |user: &UserId| {
            let conversation = ConversationId::single(viewer, *user);
            [
                Query::with_key::<Mailbox>(dialect, user),
                Query::with_key::<Entry>(dialect, &(viewer, conversation)),
                Query::with_key::<LastSeenRow>(dialect, user),
            ]
        };
        let questions: Vec<_> = self.users.iter().flat_map(of).collect();
        let mut found = vec![(None, Between::default(), 0); self.users.len()];
        let each = &mut |at: usize, row: &mut dyn Take| {
            let (user, (privacy, between, last_seen_ms)) = (self.users[at / 3], &mut found[at / 3]);
            match at % 3 {
                0 => *privacy = Some(keyed::<Mailbox>(row, &user)?.privacy),
                1 => {
                    let key = (viewer, ConversationId::single(viewer, user));
                    let Entry { refused, contact, .. } = keyed::<Entry>(row, &key)?;
                    *between = Between { refused, contact };
                }
                _ => *last_seen_ms = keyed::<LastSeenRow>(row, &user)?.last_seen_ms,
            }
            Ok(ControlFlow::Continue(()))
        };
        db.ask(&questions, each).await?;
        let seen = self.users.iter().zip(found).map(|(user, (privacy, between, last_seen_ms))| match privacy {
            Some(privacy) => seen(viewer, *user, [own, privacy], between, last_seen_ms),
            None => Seen::nothing(*user),
        });
        Ok(seen.collect())
    }
}

/// Who does not show when they were last there does not see it of others.
fn seen(viewer: UserId, user: UserId, [own, theirs]: [Privacy; 2], between: Between, last_seen_ms: u64) -> Seen {
    if viewer == user {
        return Seen { user, presence: true, last_seen_ms };
    }
    if between.refused {
        return Seen::nothing(user);
    }
    let shows = |privacy: Privacy| match privacy.last_seen {
        Who::Everybody => true,
        Who::Contacts => between.contact,
        Who::Nobody => false,
    };
    let presence = between.contact || theirs.last_seen == Who::Everybody;
    Seen { user, presence, last_seen_ms: if shows(own) && shows(theirs) { last_seen_ms } else { 0 } }
}
