//! What a user does in a conversation, and how it waits in the queue: messages, and changes of what was said. Plain data.

use anser_proto::{ClientMsgId, ConversationId, v1};
use bytes::Bytes;

use super::Request;
use crate::view::{Kind, Mentions, Refusal};

/// What somebody wants to say.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Draft {
    pub kind: Kind,
    /// The text; for other types a plain-text fallback.
    pub content: String,
    /// What else the type needs: see [`Draft::with_parts`]; of [`Kind::Custom`] it is the app's own.
    pub attachment: Bytes,
    /// Does not count as unread.
    pub uncounted: bool,
    /// The message of the same conversation that this one answers.
    pub reply_to: Option<u64>,
    /// Whom it names.
    pub mentions: Mentions,
}

impl Draft {
    pub fn new(kind: Kind, content: impl Into<String>) -> Self {
        let (content, attachment, mentions) = (content.into(), Bytes::new(), Mentions::default());
        Self { kind, content, attachment, uncounted: false, reply_to: None, mentions }
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text, text)
    }

    /// By the server's rule, which refuses the same id with another body.
    fn has_body_of(&self, other: &Self) -> bool {
        (self.kind, &self.content, &self.attachment, self.reply_to, &self.mentions)
            == (other.kind, &other.content, &other.attachment, other.reply_to, &other.mentions)
    }
}

/// What takes the place of a message's body.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Edit {
    /// The new text, whole; for other types the plain-text fallback.
    pub content: String,
    /// The new attachment, whole.
    pub attachment: Bytes,
    /// `changed` of the message that the user saw: if it was changed again meanwhile, the edit is refused with `CONFLICT`.
    pub if_changed: Option<u64>,
    /// Whom the message names from then on, and nobody else.
    pub mentions: Mentions,
}

impl Edit {
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: text.into(), attachment: Bytes::new(), if_changed: None, mentions: Mentions::default() }
    }
}

/// Which message is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Anybody's, by its place.
    ServerMsgId(u64),
    /// An own one, by its identity: also one that still waits to be sent.
    Own(ClientMsgId),
}

impl From<u64> for Target {
    fn from(server_msg_id: u64) -> Self {
        Self::ServerMsgId(server_msg_id)
    }
}

impl From<ClientMsgId> for Target {
    fn from(client_msg_id: ClientMsgId) -> Self {
        Self::Own(client_msg_id)
    }
}

/// What waits in the queue of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Act {
    Send(Draft),
    /// Takes the body of a message away for everybody.
    Recall(Target),
    Edit(Target, Edit),
    /// All emojis of the user below a message.
    React(u64, Vec<String>),
    /// For all who see it.
    Pin(u64),
    Unpin(u64),
}

impl From<Draft> for Act {
    fn from(draft: Draft) -> Self {
        Self::Send(draft)
    }
}

impl Act {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Send(one), Self::Send(other)) => one.has_body_of(other),
            (one, other) => one == other,
        }
    }

    pub(super) fn body_bytes(&self) -> usize {
        match self {
            Self::Send(draft) => draft.content.len() + draft.attachment.len(),
            Self::Recall(_) | Self::Pin(_) | Self::Unpin(_) => 0,
            Self::Edit(_, edit) => edit.content.len() + edit.attachment.len(),
            Self::React(_, emojis) => emojis.iter().map(String::len).sum(),
        }
    }
}

/// Something on its way to the server, or something that the server refused for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Queued {
    pub conversation: ConversationId,
    pub client_msg_id: ClientMsgId,
    pub act: Act,
    pub client_time_ms: u64,
    /// It was given to a connection at least once: the server may have it.
    pub transmitted: bool,
    /// The server's last word on it. It is tried no more.
    pub refused: Option<Refusal>,
}

/// What tells a message, or a change, of this user from all their others: the same id in another conversation is another one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageKey {
    pub conversation: ConversationId,
    pub client_msg_id: ClientMsgId,
}

impl Queued {
    /// One that was not transmitted yet.
    pub fn new(
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        act: impl Into<Act>,
        client_time_ms: u64,
    ) -> Self {
        Self { conversation, client_msg_id, act: act.into(), client_time_ms, transmitted: false, refused: None }
    }

    pub fn key(&self) -> MessageKey {
        MessageKey { conversation: self.conversation, client_msg_id: self.client_msg_id.clone() }
    }

    /// It is this message of the log, as it was sent.
    pub(super) fn is_in_log_as(&self, message: &v1::Message) -> bool {
        let Act::Send(draft) = &self.act else { return false };
        let reply_to = (message.reply_to > 0).then_some(message.reply_to);
        let mentions = Mentions::from(message.mentions.clone());
        (draft.kind, &draft.content, &draft.attachment, draft.reply_to, &draft.mentions)
            == (message.r#type().into(), &message.content, &message.attachment, reply_to, &mentions)
    }

    /// The request that carries it: the same in every attempt.
    pub fn to_request(&self) -> Request {
        let (conversation_id, client_msg_id) = (self.conversation.to_string(), self.client_msg_id.to_string());
        let client_time_ms = self.client_time_ms;
        match &self.act {
            Act::Send(draft) => Request::Send(v1::Send {
                conversation_id,
                client_msg_id,
                r#type: v1::message::Type::from(draft.kind).into(),
                content: draft.content.clone(),
                attachment: draft.attachment.clone(),
                client_time_ms,
                settings: Some(v1::Settings { uncounted: draft.uncounted }),
                reply_to: draft.reply_to.unwrap_or(0),
                mentions: draft.mentions.clone().into(),
            }),
            Act::Recall(target) => {
                let target = Some(target.clone().into());
                Request::Recall(v1::Recall { conversation_id, client_msg_id, client_time_ms, target })
            }
            Act::Edit(target, edit) => Request::Edit(v1::Edit {
                conversation_id,
                client_msg_id,
                content: edit.content.clone(),
                attachment: edit.attachment.clone(),
                client_time_ms,
                if_changed: edit.if_changed,
                mentions: edit.mentions.clone().into(),
                target: Some(target.clone().into()),
            }),
            Act::React(server_msg_id, emojis) => Request::React(v1::React {
                conversation_id,
                client_msg_id,
                server_msg_id: *server_msg_id,
                emojis: emojis.clone(),
                client_time_ms,
            }),
            Act::Pin(server_msg_id) => {
                let server_msg_id = *server_msg_id;
                Request::PinMessage(v1::PinMessage { conversation_id, client_msg_id, server_msg_id, client_time_ms })
            }
            Act::Unpin(server_msg_id) => {
                let server_msg_id = *server_msg_id;
                Request::UnpinMessage(v1::UnpinMessage {
                    conversation_id,
                    client_msg_id,
                    server_msg_id,
                    client_time_ms,
                })
            }
        }
    }

    /// What [`Queued::to_request`] made; none if it is anything else.
    pub(crate) fn from_request(request: Request) -> Option<Self> {
        let (conversation_id, client_msg_id, act, client_time_ms) = match request {
            Request::Send(send) => {
                let draft = Draft {
                    kind: send.r#type().into(),
                    content: send.content,
                    attachment: send.attachment,
                    uncounted: send.settings.is_some_and(|settings| settings.uncounted),
                    reply_to: (send.reply_to > 0).then_some(send.reply_to),
                    mentions: send.mentions.into(),
                };
                (send.conversation_id, send.client_msg_id, Act::Send(draft), send.client_time_ms)
            }
            Request::Recall(recall) => {
                let act = Act::Recall(recall.target?.try_into().ok()?);
                (recall.conversation_id, recall.client_msg_id, act, recall.client_time_ms)
            }
            Request::Edit(edit) => {
                let target = edit.target?.try_into().ok()?;
                let (content, attachment, mentions) = (edit.content, edit.attachment, edit.mentions.into());
                let body = Edit { content, attachment, if_changed: edit.if_changed, mentions };
                (edit.conversation_id, edit.client_msg_id, Act::Edit(target, body), edit.client_time_ms)
            }
            Request::React(react) => {
                let act = Act::React(react.server_msg_id, react.emojis);
                (react.conversation_id, react.client_msg_id, act, react.client_time_ms)
            }
            Request::PinMessage(pin) => {
                (pin.conversation_id, pin.client_msg_id, Act::Pin(pin.server_msg_id), pin.client_time_ms)
            }
            Request::UnpinMessage(unpin) => {
                (unpin.conversation_id, unpin.client_msg_id, Act::Unpin(unpin.server_msg_id), unpin.client_time_ms)
            }
            _ => return None,
        };
        Some(Self::new(conversation_id.parse().ok()?, client_msg_id.parse().ok()?, act, client_time_ms))
    }
}

impl From<Target> for v1::recall::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::ServerMsgId(id) => Self::ServerMsgId(id),
            Target::Own(id) => Self::OwnClientMsgId(id.to_string()),
        }
    }
}

impl From<Target> for v1::edit::Target {
    fn from(target: Target) -> Self {
        match target {
            Target::ServerMsgId(id) => Self::ServerMsgId(id),
            Target::Own(id) => Self::OwnClientMsgId(id.to_string()),
        }
    }
}

impl TryFrom<v1::recall::Target> for Target {
    type Error = anser_proto::ids::BadId;

    fn try_from(target: v1::recall::Target) -> Result<Self, Self::Error> {
        Ok(match target {
            v1::recall::Target::ServerMsgId(id) => Self::ServerMsgId(id),
            v1::recall::Target::OwnClientMsgId(id) => Self::Own(id.parse()?),
        })
    }
}

impl TryFrom<v1::edit::Target> for Target {
    type Error = anser_proto::ids::BadId;

    fn try_from(target: v1::edit::Target) -> Result<Self, Self::Error> {
        Ok(match target {
            v1::edit::Target::ServerMsgId(id) => Self::ServerMsgId(id),
            v1::edit::Target::OwnClientMsgId(id) => Self::Own(id.parse()?),
        })
    }
}
