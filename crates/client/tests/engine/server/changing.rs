//! What recalls, edits and reactions do in the model: the message in its log is replaced, and a silent entry takes the next place.

use std::collections::BTreeSet;

use anser_client::{ConversationId, UserId};
use anser_proto::v1;
use v1::{
    client_frame::Request,
    error::Code,
    message::{State, Type},
    server_frame::Body,
};

use super::{Asker, Push, Server, sent};

impl Server {
    pub(super) fn perform(
        &mut self,
        asker: &Asker,
        id: ConversationId,
        request: Request,
    ) -> Result<(Body, Vec<Push>), Code> {
        if let ConversationId::Group(group) = id
            && !self.is_member(asker.user, group)
        {
            return Err(Code::NotMember);
        }
        match request {
            Request::Send(send) => {
                may_name(id, send.mentions.as_ref())?;
                if send.reply_to > 0 {
                    let target = self.target(asker, id, Named::ServerMsgId(send.reply_to))?;
                    is_there(&target)?;
                }
                Ok(self.send(asker, id, send))
            }
            Request::Recall(recall) => {
                let target = self.target(asker, id, recall.target.map(Named::from).ok_or(Code::BadField)?)?;
                is_author(asker, &target)?;
                let now = recalled(&target, asker.user);
                let is_new = target.state() == State::Present;
                Ok(self.change(asker, id, recall.client_msg_id, Type::Recall, is_new.then_some(now), &target))
            }
            Request::Edit(edit) => {
                let target = self.target(asker, id, edit.target.map(Named::from).ok_or(Code::BadField)?)?;
                is_author(asker, &target)?;
                is_there(&target)?;
                if edit.if_changed.is_some_and(|changed| changed != target.changed) {
                    return Err(Code::Conflict);
                }
                may_name(id, edit.mentions.as_ref())?;
                let is_new = edit.content != target.content || edit.mentions != target.mentions;
                let (content, mentions) = (edit.content, edit.mentions);
                let now = v1::Message { content, mentions, edits: target.edits + 1, ..target.clone() };
                Ok(self.change(asker, id, edit.client_msg_id, Type::Edit, is_new.then_some(now), &target))
            }
            Request::React(react) => {
                let target = self.target(asker, id, Named::ServerMsgId(react.server_msg_id))?;
                is_there(&target)?;
                let now = reacted(&target, asker.user, react.emojis);
                let is_new = now != target;
                Ok(self.change(asker, id, react.client_msg_id, Type::Reaction, is_new.then_some(now), &target))
            }
            Request::PinMessage(pin) => {
                let target = self.target(asker, id, Named::ServerMsgId(pin.server_msg_id))?;
                is_there(&target)?;
                let now = v1::Message { pinned: self.head_of_all(id) + 1, ..target.clone() };
                let is_new = target.pinned == 0;
                Ok(self.change(asker, id, pin.client_msg_id, Type::Notice, is_new.then_some(now), &target))
            }
            Request::UnpinMessage(unpin) => {
                let target = self.target(asker, id, Named::ServerMsgId(unpin.server_msg_id))?;
                let now = v1::Message { pinned: 0, ..target.clone() };
                let is_new = target.pinned > 0;
                Ok(self.change(asker, id, unpin.client_msg_id, Type::Unpin, is_new.then_some(now), &target))
            }
            _ => Err(Code::BadField),
        }
    }

    fn head_of_all(&self, id: ConversationId) -> u64 {
        self.logs.get(&id).map_or(0, |log| log.len() as u64)
    }

    fn target(&self, asker: &Asker, id: ConversationId, named: Named) -> Result<v1::Message, Code> {
        let is_meant = |message: &&&v1::Message| match &named {
            Named::ServerMsgId(at) => message.server_msg_id == *at,
            Named::Own(own) => message.client_msg_id == *own && message.from_id == asker.user,
        };
        let shown = self.shown(asker.user, id);
        let found = shown.iter().find(is_meant).filter(|message| message.notice.is_none());
        found.map(|message| (*message).clone()).ok_or(Code::NotFound)
    }

    /// `now`: what the target is from now on; none: it is that already.
    fn change(
        &mut self,
        asker: &Asker,
        id: ConversationId,
        client_msg_id: String,
        kind: Type,
        now: Option<v1::Message>,
        target: &v1::Message,
    ) -> (Body, Vec<Push>) {
        let Some(mut now) = now else {
            self.refused.insert(client_msg_id.clone());
            self.unchanged.insert(client_msg_id);
            let changed = v1::Sent { server_msg_id: target.changed, ..v1::Sent::default() };
            return (Body::Sent(changed), Vec::new());
        };
        let notice = v1::Notice {
            kind: v1::notice::Kind::Pinned.into(),
            operator_id: asker.user,
            server_msg_id: target.server_msg_id,
            ..v1::Notice::default()
        };
        let notice = (kind == Type::Notice).then_some(notice);
        let (r#type, from_id) = (kind.into(), asker.user);
        let entry = v1::Message { client_msg_id, from_id, r#type, notice, ..v1::Message::default() };
        let entry = self.append(id, entry);
        now.changed = entry.server_msg_id;
        self.targets.insert((id, entry.server_msg_id), target.server_msg_id);
        let log = self.logs.get_mut(&id).expect("it has a target");
        log[target.server_msg_id as usize - 1] = now.clone();
        let tell = |server: &Self, to: u64, mailbox_seq: u64| {
            let sees = server.stay_begins(to, id) <= now.server_msg_id;
            let changed = if sees { vec![now.clone()] } else { Vec::new() };
            if entry.notice.is_some() {
                let event = v1::MessageEvent { message: Some(entry.clone()), mailbox_seq, changed };
                return Push { to, body: Body::Message(event) };
            }
            let (after, through) = (entry.server_msg_id - 1, entry.server_msg_id);
            let event = v1::MessagesChanged {
                conversation_id: id.to_string(),
                after,
                through,
                changed,
                mailbox_seq,
                nicknames: Vec::new(),
            };
            Push { to, body: Body::MessagesChanged(event) }
        };
        let (mut own, mut pushes) = (0, Vec::new());
        match id {
            ConversationId::Group(group) => {
                pushes.extend(self.members(group).into_iter().map(|to| tell(self, to, 0)));
            }
            ConversationId::Single { .. } => {
                let peer = id.peer_of(UserId(asker.user)).expect("a sender is a party").0;
                for to in BTreeSet::from([asker.user, peer]) {
                    let seq = self.stamp(to, id);
                    if to == asker.user {
                        own = seq;
                    }
                    pushes.push(tell(self, to, seq));
                }
            }
        }
        (sent(&entry, own), pushes)
    }
}

/// Whom a request means.
enum Named {
    ServerMsgId(u64),
    Own(String),
}

impl From<v1::recall::Target> for Named {
    fn from(target: v1::recall::Target) -> Self {
        match target {
            v1::recall::Target::ServerMsgId(id) => Self::ServerMsgId(id),
            v1::recall::Target::OwnClientMsgId(id) => Self::Own(id),
        }
    }
}

impl From<v1::edit::Target> for Named {
    fn from(target: v1::edit::Target) -> Self {
        match target {
            v1::edit::Target::ServerMsgId(id) => Self::ServerMsgId(id),
            v1::edit::Target::OwnClientMsgId(id) => Self::Own(id),
        }
    }
}

/// All of a group, where everybody may.
fn may_name(id: ConversationId, mentions: Option<&v1::Mentions>) -> Result<(), Code> {
    let is_group = matches!(id, ConversationId::Group(_));
    if is_group || mentions.is_none_or(|mentions| !mentions.all) { Ok(()) } else { Err(Code::Forbidden) }
}

fn is_author(asker: &Asker, target: &v1::Message) -> Result<(), Code> {
    if target.from_id == asker.user { Ok(()) } else { Err(Code::Forbidden) }
}

fn is_there(target: &v1::Message) -> Result<(), Code> {
    if target.state() == State::Present { Ok(()) } else { Err(Code::Gone) }
}

fn recalled(target: &v1::Message, by: u64) -> v1::Message {
    v1::Message {
        content: String::new(),
        reply_to: 0,
        reactions: Vec::new(),
        mentions: None,
        state: State::Recalled.into(),
        recalled_by: by,
        pinned: 0,
        ..target.clone()
    }
}

fn reacted(target: &v1::Message, user: u64, emojis: Vec<String>) -> v1::Message {
    let mut now = target.clone();
    for reaction in &mut now.reactions {
        reaction.user_ids.retain(|other| *other != user);
    }
    for emoji in emojis {
        match now.reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.user_ids.push(user),
            None => now.reactions.push(v1::Reaction { emoji, user_ids: vec![user], ..v1::Reaction::default() }),
        }
    }
    now.reactions.iter_mut().for_each(|reaction| reaction.count = reaction.user_ids.len() as u32);
    now.reactions.retain(|reaction| reaction.count > 0);
    now.reactions.iter_mut().for_each(|reaction| reaction.user_ids.sort_unstable());
    now.reactions.sort_by(|one, other| one.emoji.cmp(&other.emoji));
    now
}
