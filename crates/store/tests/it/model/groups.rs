//! Steps about what groups are like, links and members' own names, and what a store answers to them.

use std::sync::Arc;

use anser_proto::{GroupId, UserId};
use anser_store::{Appended, GroupChange, History, JoinMode, LinkRevocation, LinkUse, NewLink, NicknameChange, Store};
use proptest::prelude::*;

use super::{DAY, GROUPS, Login, NOON, Operator, group, login, operator, plain_change, sample, sender, user};

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Of which group; its id is its token too.
    CreateLink(GroupId, Operator, u8, NewLink),
    RevokeLink(GroupId, Operator, u8),
    /// By which link.
    JoinByLink(UserId, u8, &'static str, Login),
    /// What the entry is called, and the name.
    SetNickname(UserId, GroupId, &'static str, &'static str, Login),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => create_link(),
        1 => (group(), operator(), 0..4_u8).prop_map(|(group, by, link)| Step::RevokeLink(group, by, link)),
        4 => (user(), 0..12_u8, sample(&["x", "y"]), login())
            .prop_map(|(user, link, text, login)| Step::JoinByLink(user, link, text, login)),
        3 => (user(), group(), sample(&["a", "n", "o", "p"]), sample(&["", "x", "y"]), login())
            .prop_map(|(user, group, id, name, login)| Step::SetNickname(user, group, id, name, login)),
    ]
}

pub(super) fn update_group() -> impl Strategy<Value = super::Step> {
    let text = || prop::option::of(sample(&["", "n", "m"])).prop_map(|text| text.map(Arc::from));
    let flag = || prop::option::of(any::<bool>());
    let join_mode = prop::option::of(sample(&[JoinMode::Free, JoinMode::Approval, JoinMode::Closed]));
    let history = prop::option::of(sample(&[History::None, History::Last(1), History::Last(3), History::All]));
    let change = (text(), text(), text(), flag(), join_mode, flag(), history).prop_map(
        |(name, avatar, announcement, mute_all, join_mode, members_mention_all, history)| GroupChange {
            name,
            avatar,
            announcement,
            mute_all,
            join_mode,
            members_mention_all,
            history,
        },
    );
    (group(), operator(), change)
        .prop_map(|(group, operator, change)| super::Step::UpdateGroup(group, operator, change))
}

fn create_link() -> impl Strategy<Value = Step> {
    let expires_ms = prop_oneof![2 => Just(0), 1 => Just(NOON + DAY / 2)];
    let parts = (group(), operator(), 0..4_u8, expires_ms, 0..3_u32, prop::bool::weighted(0.3));
    parts.prop_map(|(group, operator, link, expires_ms, max_uses, approval)| {
        let (creator, link_id, login_version) = (UserId(0), 0, 0);
        // Of two links one is found by a token.
        let token_hash = [link + 4 * GROUPS.iter().position(|of| *of == group).unwrap_or(0) as u8; 16];
        let new = NewLink {
            group,
            creator,
            link_id,
            token_hash,
            expires_ms,
            max_uses,
            approval,
            device_id: "device".into(),
            login_version,
        };
        Step::CreateLink(group, operator, link, new)
    })
}

pub(super) async fn take(store: &dyn Store, step: Step) -> String {
    match step {
        Step::CreateLink(group, operator, link, new) => {
            let creator = operator.of(store, group).await;
            let login_version = Login::Present.version(store, creator).await;
            format!("{:?}", store.create_link(NewLink { creator, link_id: link.into(), login_version, ..new }).await)
        }
        Step::RevokeLink(group, operator, link) => {
            let user = operator.of(store, group).await;
            let login_version = Login::Present.version(store, user).await;
            let revocation =
                LinkRevocation { group, user, link_id: link.into(), device_id: "device".into(), login_version };
            format!("{:?}", store.revoke_link(revocation).await)
        }
        Step::JoinByLink(user, token, text, login) => {
            let (login_version, token_hash) = (login.version(store, user).await, [token; 16]);
            let preview = store.preview_link(user, token_hash).await;
            let by = LinkUse { token_hash, user: sender(user), text: text.into(), login_version };
            format!("{preview:?} {}", plain_change(store.join_by_link(by).await))
        }
        Step::SetNickname(user, group, id, nickname, login) => {
            let (login_version, nickname) = (login.version(store, user).await, nickname.into());
            let (member, client_msg_id) = (sender(user), id.parse().expect("a good id"));
            let change = NicknameChange { group, member, client_msg_id, nickname, client_time_ms: 5, login_version };
            let place = store.set_nickname(change).await;
            format!("{:?}", place.map(|place| Appended { members_version: 0, ..place }))
        }
    }
}
