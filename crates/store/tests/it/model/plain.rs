//! What the contract leaves to a store, made equal.

use anser_proto::{ConversationId, UserId, v1};
use anser_store::{
    Appended, Error, Group, MembersChanged, Message, NewMessage, Party, Refusal, Session, Store, Stretch,
};
use prost::Message as _;

pub(super) async fn append_plainly(store: &dyn Store, batch: Vec<NewMessage>) -> String {
    let answers = store.append(batch).await;
    let plain = |answer: Result<_, Refusal>| answer.map(|place| Appended { members_version: 0, ..place });
    format!("{:?}", answers.map(|answers| answers.into_iter().map(plain).collect::<Vec<_>>()))
}

pub(super) async fn read_plainly(
    store: &dyn Store,
    reader: UserId,
    conversation: ConversationId,
    stretch: Stretch,
) -> String {
    let page = store.read_log(reader, conversation, stretch).await;
    let page = page.map(|page| {
        let messages = page.messages.into_iter().map(plain_message).collect::<Vec<_>>();
        ((page.head, page.more, messages, page.after, page.through), (page.changed, page.references, page.nicknames))
    });
    format!("{page:?}")
}

/// Versions go up; by how much is a store's own.
pub(super) fn plain_group(group: Group) -> Group {
    Group { members_version: 0, ..group }
}

pub(super) fn plain_session(mut session: Session) -> Session {
    if let Party::Group(group, role) = session.party {
        session.party = Party::Group(plain_group(group), role);
    }
    session
}

/// What notices are called is a store's own, and in which order they name users.
pub(super) fn plain_message(mut message: Message) -> Message {
    if message.kind == i32::from(v1::message::Type::Notice) {
        let mut notice = v1::Notice::decode(message.attachment).expect("the attachment of a notice is a notice");
        notice.user_ids.sort();
        message.attachment = notice.encode_to_vec().into();
        message.client_msg_id = "notice".parse().expect("it is a good id");
        message.client_time_ms = 0;
    }
    message
}

pub(super) fn plain_change(changed: Result<MembersChanged, Error>) -> String {
    match changed {
        Ok(mut changed) => {
            changed.stamped.sort();
            let notices: Vec<_> = changed.notices.into_iter().map(plain_message).collect();
            format!("{:?}", (plain_group(changed.group), changed.role, notices, changed.stamped, changed.changes))
        }
        // Which limit is told when both are reached is a store's own.
        Err(Error::Refused(Refusal::Limit { .. })) => "limit".into(),
        Err(error) => format!("{error:?}"),
    }
}
