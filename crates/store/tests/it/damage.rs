//! A damaged row fails what needs it and nothing else, whichever the database: rows are damaged by hand, under an open store.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};
use anser_store::{
    Error, Failure, GroupChange, GroupUpdate, JoinMode, LogPage, MemberIds, MembersAction, MembersChange,
    MessageChange, NewLink, NewMessage, NicknameChange, Options, Party, Role, Sequencer, Session, Store, Stretch,
    Target, What, sequencer::HeadSequencer,
};
use async_trait::async_trait;

use crate::talk::{common, found, group, send, sender, settle, single, text};

/// A store, and whoever damages it.
#[async_trait]
pub trait Hand: Send + Sync {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_with(common(), Arc::new(HeadSequencer::new())).await
    }

    /// With one transaction at a time.
    async fn open_with(&self, options: Options, sequencer: Arc<dyn Sequencer>) -> Arc<dyn Store>;

    async fn run(&self, sql: &str);

    /// Leaves something in this column of these rows that is no text.
    async fn spoil(&self, table: &str, column: &str, which: &str);

    /// Leaves something in this column of these rows that is no number of 32 bits.
    async fn spoil_number(&self, table: &str, column: &str, which: &str);

    /// Lets each change of this user's mailbox fail.
    async fn jam(&self, user: u64);
}

/// Users 1 to 5: 1 and 2 wrote to each other, and are in group 10 with 3.
pub async fn village(hand: &dyn Hand) -> Arc<dyn Store> {
    let store = hand.open().await;
    settle(&*store, 5).await;
    found(&*store, 10, 1, &[2, 3]).await;
    for n in 1..=4 {
        for to in [single(1, 2), group(10)] {
            send(&*store, text(1 + n % 2, to, &format!("{to}-{n}"))).await.expect("stored");
        }
    }
    store
}

async fn page(store: &dyn Store, reader: u64, of: anser_proto::ConversationId) -> LogPage {
    let stretch = Stretch { after: Some(0), before: 0, limit: 100, bytes_max: 1 << 20 };
    store.read_log(UserId(reader), of, stretch).await.expect("a page")
}

pub async fn a_damaged_message_keeps_its_place(hand: &dyn Hand) {
    let store = village(hand).await;
    let (healthy, of_group) = (page(&*store, 2, single(1, 2)).await, page(&*store, 3, group(10)).await);
    hand.spoil("im_message_recv_2", "content", "to_id = 2 AND server_msg_id = 4").await;
    hand.run("UPDATE im_message_recv_2 SET client_msg_id = 'a b' WHERE group_id = 10 AND server_msg_id = 3").await;
    for (reader, of, at, mut healthy) in [(2, single(1, 2), 4, healthy), (3, group(10), 3, of_group)] {
        let damaged = page(&*store, reader, of).await;
        let was = &mut healthy.messages[at - 1];
        (was.kind, was.content) = (0, "".into());
        if at == 3 {
            was.client_msg_id = "damaged-3".parse().expect("an id");
        }
        assert_eq!(damaged, healthy);
    }
    let last = store.session(UserId(2), single(1, 2)).await.expect("an entry").last.expect("a message");
    assert_eq!((last.server_msg_id, last.kind, &*last.content), (4, 0, ""));
    assert_eq!(page(&*store, 1, single(1, 2)).await.messages[3].kind, 1, "the other copy is whole");
    assert_eq!(store.stats().damaged, 3);
    let next = send(&*store, text(1, single(1, 2), "next")).await.expect("stored");
    assert_eq!(next.server_msg_id, 5);
    store.close().await;
}

/// The names of whom the entries of user 2 are about.
fn names(sessions: &[Session]) -> Vec<(String, Option<Role>)> {
    let name = |session: &Session| match &session.party {
        Party::Peer(peer) => (peer.nickname.to_string(), None),
        Party::Group(group, role) => (group.name.to_string(), *role),
    };
    let mut names: Vec<_> = sessions.iter().map(name).collect();
    names.sort();
    names
}

async fn all_lists(store: &dyn Store) -> Vec<(String, Option<Role>)> {
    let user = UserId(2);
    let changes = store.changes(user, 0, 100).await.expect("changes");
    assert!(changes.caught_up);
    let sessions = store.sessions(user, None, 100).await.expect("a page").rows;
    assert_eq!(names(&changes.sessions), names(&sessions));
    for session in &sessions {
        assert!(session.head > 3 && session.last.is_some(), "{session:?}");
        assert_eq!(store.session(user, session.conversation).await.as_ref(), Ok(session));
    }
    let moved = store.moved_groups(user, vec![(GroupId(10), 1)]).await.expect("groups");
    assert_eq!(moved.len(), 1);
    names(&sessions)
}

pub async fn a_damaged_entry_of_a_list_keeps_its_place(hand: &dyn Hand) {
    let store = village(hand).await;
    let somebody = |name: &str| (name.to_owned(), None);
    let of_group = |name: &str| (name.to_owned(), Some(Role::Member));
    assert_eq!(all_lists(&*store).await, [somebody("Somebody"), of_group("a group")]);
    hand.spoil("im_user", "nickname", "user_id = 1").await;
    assert_eq!(all_lists(&*store).await, [somebody(""), of_group("a group")]);
    hand.spoil("im_group", "name", "group_id = 10").await;
    hand.run("UPDATE im_group_member SET role = 9 WHERE user_id IN (2, 3)").await;
    assert_eq!(all_lists(&*store).await, [somebody(""), of_group("")]);
    for _ in 0..20 {
        let own = store.group(UserId(2), GroupId(10)).await;
        assert!(
            matches!(&own, Err(Error::Failed(Failure::Damaged(why))) if why.contains("im_group_member")),
            "{own:?}"
        );
    }

    hand.run("UPDATE im_group_member SET role = 1 WHERE user_id = 2").await;
    let members = store.members(UserId(2), GroupId(10), UserId(0), 2).await.expect("a page");
    let rest = store.members(UserId(2), GroupId(10), UserId(2), 2).await.expect("a page");
    let shown: Vec<_> =
        members.rows.iter().chain(&rest.rows).map(|one| (one.user.user.0, &*one.user.nickname, one.role)).collect();
    assert!(members.more && !rest.more);
    assert_eq!(shown, [(1, "", Role::Owner), (2, "Somebody", Role::Member), (3, "Somebody", Role::Member)]);
    let MemberIds { version, members: ids, .. } = store.member_ids(GroupId(10)).await.expect("members");
    assert_eq!((version, ids.len()), (1, 3));
    let users = store.users(vec![UserId(1), UserId(2)], vec!["user-1".into()]).await.expect("users");
    assert_eq!(users.iter().map(|user| &*user.nickname).collect::<Vec<_>>(), ["", "Somebody"]);
    assert_eq!(store.list_users(UserId(0), 10).await.expect("users").rows.len(), 5);

    let met = store.stats().damaged;
    assert!(met > 10, "{met}");
    hand.run("UPDATE im_user SET nickname = 'Ada'; UPDATE im_group SET name = 'a group'").await;
    assert_eq!(all_lists(&*store).await, [somebody("Ada"), of_group("a group")]);
    assert_eq!(store.stats().damaged, met);
    hand.run("DELETE FROM im_user WHERE user_id = 1; DELETE FROM im_group").await;
    assert_eq!(all_lists(&*store).await, [somebody(""), of_group("")]);
    store.close().await;
}

async fn act(store: &dyn Store, by: u64, action: MembersAction) {
    let change = MembersChange { group: GroupId(10), operator: sender(by), action, login_version: 0 };
    store.change_members(change).await.expect("they may");
}

/// In group 10: 4 and 5 wait, 1 created two links, 2 and 3 have names of their own, and 1 and 3 put something below message 2.
async fn door(store: &dyn Store) {
    let id = |id: &str| id.parse().expect("an id");
    let (group, operator, login_version) = (GroupId(10), sender(1), 0);
    let change = GroupChange { join_mode: Some(JoinMode::Approval), ..Default::default() };
    store.update_group(GroupUpdate { group, operator, change, login_version }).await.expect("the owner may");
    act(store, 2, MembersAction::Invite(vec![UserId(4), UserId(5)])).await;
    for n in 1..=2 {
        let (creator, device_id) = (UserId(1), "a-device".into());
        let (link_id, token_hash, expires_ms, max_uses, approval) = (n, [n as u8; 16], 0, 0, false);
        let new =
            NewLink { group, creator, link_id, token_hash, expires_ms, max_uses, approval, device_id, login_version };
        store.create_link(new).await.expect("the owner may");
    }
    for n in 2..=3 {
        let (member, nickname, client_msg_id) = (sender(n), "Another".into(), id(&format!("name-{n}")));
        let change = NicknameChange { group, member, client_msg_id, nickname, client_time_ms: 1, login_version };
        store.set_nickname(change).await.expect("a member may");
    }
    for user in [1, 3] {
        let change = Some(MessageChange { target: Target::Place(2), what: What::React });
        let (kind, content) = (62, "x".into());
        let of = text(user, self::group(10), &format!("below-{user}"));
        send(store, NewMessage { kind, content, counted: false, change, ..of }).await.expect("a member may");
    }
}

pub async fn a_damaged_row_of_a_list_is_left_out(hand: &dyn Hand) {
    let store = village(hand).await;
    door(&*store).await;
    hand.spoil("im_join_request", "text", "user_id = 4").await;
    hand.spoil_number("im_link", "uses", "link_id = 1").await;
    hand.spoil("im_reaction", "emojis", "user_id = 1").await;
    hand.run("UPDATE im_group_member SET role = 9 WHERE user_id = 2").await;
    let (owner, group, first) = (UserId(1), GroupId(10), UserId(0));
    let waiting = store.join_requests(owner, group, first, 10).await.expect("a page");
    assert_eq!(waiting.rows.iter().map(|row| row.user.user.0).collect::<Vec<_>>(), [5]);
    let links = store.links(owner, group).await.expect("links");
    assert_eq!(links.iter().map(|link| link.link_id).collect::<Vec<_>>(), [2]);
    let names = page(&*store, 1, self::group(10)).await.nicknames;
    assert_eq!(names.iter().map(|name| name.user.0).collect::<Vec<_>>(), [3]);
    let below = store.reactions(owner, self::group(10), 2, first, 10).await.expect("a page");
    assert_eq!(below.rows.iter().map(|row| row.user.0).collect::<Vec<_>>(), [3]);
    assert_eq!(store.stats().damaged, 5, "the last one on the page as well");
    store.close().await;
}
