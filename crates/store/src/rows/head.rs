//! Where the log of a conversation ends.

use anser_proto::{ConversationId, GroupId, v1};
use prost::Message as _;

use super::{Guard, Row, columns};
use crate::{NewMessage, Sender};

/// Default: nothing was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Head {
    pub(crate) server_msg_id: u64,
    pub(crate) count: u64,
    pub(crate) server_time_ms: u64,
    /// The last entry that is not a silent one.
    pub(crate) last_shown: u64,
    /// The last message that counted and is recalled; 0: none is.
    pub(crate) recalled_top: u64,
    /// The last message that counted and named somebody; 0: none did.
    pub(crate) mentioned_top: u64,
}

/// A message's place in a log: its id and its count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    pub(crate) server_msg_id: u64,
    pub(crate) count: u64,
}

impl Row for Head {
    type Key = ConversationId;

    const TABLE: &str = "im_conversation";
    const KEY: &[&str] = &["small_id", "big_id"];
    const GUARD: Option<Guard<Self>> = Some(Guard("server_msg_id", |head| head.server_msg_id));

    columns!(server_msg_id, count, server_time_ms, last_shown, recalled_top, mentioned_top);
}

impl Head {
    /// Moves to where the next message will be. The time of a conversation never goes back.
    pub(crate) fn advance(&mut self, now_ms: u64, counted: bool) {
        self.advance_silently(now_ms);
        self.count += u64::from(counted);
        self.last_shown = self.server_msg_id;
    }

    /// The same for an entry that nobody is shown.
    pub(crate) fn advance_silently(&mut self, now_ms: u64) {
        self.server_msg_id += 1;
        self.server_time_ms = self.server_time_ms.max(now_ms);
    }

    pub(crate) fn place(&self) -> Place {
        Place { server_msg_id: self.server_msg_id, count: self.count }
    }

    /// The notice at the head, to which it was moved. Nobody's message can be under its id already: ids of notices are apart.
    pub(crate) fn notice(&self, group: GroupId, operator: &Sender, told: v1::Notice) -> NewMessage {
        let notice = v1::Notice { operator_id: operator.user.0, ..told };
        NewMessage {
            conversation: ConversationId::Group(group),
            from: operator.clone(),
            client_msg_id: format!("notice-{}", self.server_msg_id).parse().expect("it is short and ASCII"),
            kind: v1::message::Type::Notice.into(),
            content: "".into(),
            attachment: notice.encode_to_vec().into(),
            client_time_ms: self.server_time_ms,
            counted: false,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        }
    }
}
