//! Messages, of which each party of a one-to-one conversation keeps a copy, and a group one.

use std::sync::Arc;

use anser_proto::{ClientMsgId, ConversationId, SILENT_TYPES, UserId, v1};

use super::{Column, Damage, Head, Put, Row, Salvage, Take};
use crate::{Mentions, Message, NewMessage, PIN_NOTICE, Reaction, Reactions, Revision, Sender, digest::Digest};

/// A message at its place.
#[derive(Clone, Copy)]
pub(crate) struct MessageRow<'m> {
    pub(crate) message: &'m NewMessage,
    /// Where the log ends with it.
    pub(crate) head: &'m Head,
    /// Of an entry that changes another one.
    pub(crate) changing: Option<Changing>,
}

#[derive(Clone, Copy)]
pub(crate) struct Changing {
    pub(crate) target: u64,
    pub(crate) body_digest: Digest,
}

impl MessageRow<'_> {
    /// What is stored of the body. That of a silent entry goes into its target.
    pub(crate) fn body(&self) -> (&str, &[u8]) {
        let is_silent = self.changing.is_some() && is_silent(self.message.kind);
        if is_silent { ("", &[]) } else { (&self.message.content, &self.message.attachment) }
    }

    pub(crate) fn mentions(&self) -> Option<String> {
        if self.changing.is_some() { None } else { self.message.mentions.packed() }
    }

    pub(crate) fn target(&self) -> u64 {
        self.changing.map_or(0, |changing| changing.target)
    }

    pub(crate) fn body_digest(&self) -> Option<Digest> {
        self.changing.map(|changing| changing.body_digest)
    }
}

/// Types of silent entries: nobody is shown them.
pub(crate) fn is_silent(kind: i32) -> bool {
    SILENT_TYPES.contains(&kind)
}

pub(crate) fn is_notice(kind: i32) -> bool {
    kind == v1::message::Type::Notice as i32 || kind == PIN_NOTICE
}

/// What is read of a message, by [`take_message`].
pub(crate) const COLUMNS: &str = "server_msg_id, client_msg_id, from_id, from_nickname, from_platform, from_device_id, type, content, \
     attachment, client_time_ms, server_time_ms, count, counted, reply_to, changed, recalled_by, edited_ms, edits, reactions, pinned, mentions";

/// A row of [`COLUMNS`], as far as it can be read. It has a place in any case.
pub(crate) fn take_message(row: &mut Salvage<'_>, conversation: ConversationId) -> Result<Message, Damage> {
    let server_msg_id = row.row.get()?;
    let client_msg_id = row.with(|row| {
        let id = row.text()?.parse::<ClientMsgId>();
        id.map(Some).map_err(|bad| Damage(format!("client_msg_id: {bad}")))
    });
    Ok(Message {
        conversation,
        server_msg_id,
        client_msg_id: client_msg_id.unwrap_or_else(|| nameless(server_msg_id)),
        from: Sender { user: UserId(row.get()), nickname: row.get(), platform: row.get(), device_id: row.get() },
        kind: row.get(),
        content: row.get(),
        attachment: row.with(|row| row.bytes()),
        client_time_ms: row.get(),
        server_time_ms: row.get(),
        count: row.get(),
        counted: row.get(),
        reply_to: row.get(),
        revision: Revision {
            changed: row.get(),
            recalled_by: row.get(),
            edited_ms: row.get(),
            edits: row.get(),
            reactions: row.get(),
            pinned: row.get(),
        },
        mentions: row.get(),
    })
}

fn nameless(server_msg_id: u64) -> ClientMsgId {
    format!("damaged-{server_msg_id}").parse().expect("it is short and ASCII")
}

/// A message that stands in its log and may be changed there, with all its copies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StandingMessage {
    pub(crate) message: Message,
    /// Of the body that it was sent with, once that is gone.
    pub(crate) body_digest: Option<Digest>,
}

impl StandingMessage {
    /// What [`Row::take`] reads.
    pub(crate) fn columns() -> String {
        format!("{COLUMNS}, body_digest")
    }

    /// Its columns but for the body, in the order of [`StandingMessage::put_beside_body`].
    #[cfg(feature = "cluster")]
    pub(crate) const BESIDE_BODY: &'static [&'static str] = Self::COLUMNS.split_at(2).1;

    #[cfg(feature = "cluster")]
    pub(crate) fn has_body_of(&self, other: &Self) -> bool {
        self.message.content == other.message.content && self.message.attachment == other.message.attachment
    }

    pub(crate) fn put_beside_body(&self, to: &mut dyn Put) {
        let Message { reply_to, mentions, revision, .. } = &self.message;
        reply_to.put(to);
        revision.changed.put(to);
        revision.recalled_by.put(to);
        revision.edited_ms.put(to);
        revision.edits.put(to);
        revision.reactions.put(to);
        revision.pinned.put(to);
        mentions.put(to);
        self.body_digest.put(to);
    }

    pub(crate) fn of(row: &mut dyn Take, conversation: ConversationId) -> Result<Self, Damage> {
        let mut row = Salvage::of(row);
        let message = take_message(&mut row, conversation)?;
        let body_digest = row.get();
        row.damage.map_or(Ok(Self { message, body_digest }), Err)
    }
}

/// Read by [`crate::questions::standing_at`], and written by each database into the tables where its copies lie.
impl Row for StandingMessage {
    type Key = (ConversationId, u64);

    const TABLE: &str = "im_message";
    const KEY: &[&str] = &["small_id", "big_id", "server_msg_id"];
    /// Those that change.
    const COLUMNS: &[&str] = &[
        "content",
        "attachment",
        "reply_to",
        "changed",
        "recalled_by",
        "edited_ms",
        "edits",
        "reactions",
        "pinned",
        "mentions",
        "body_digest",
    ];

    fn put(&self, to: &mut dyn Put) {
        to.text(&self.message.content);
        to.bytes(&self.message.attachment);
        self.put_beside_body(to);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let conversation = from.get()?;
        Self::of(from, conversation)
    }
}

/// `🪿 2 1008 1009`: a line for each emoji, which has no blanks, with its number and whom it names. Null: none.
impl Column for Reactions {
    fn put(&self, to: &mut dyn Put) {
        if self.0.is_empty() {
            return to.null();
        }
        let line = |Reaction { emoji, count, users, .. }: &Reaction| {
            let users = users.iter().map(|user| format!(" {}", user.0)).collect::<String>();
            format!("{emoji} {count}{users}")
        };
        to.text(&self.0.iter().map(line).collect::<Vec<_>>().join("\n"));
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let Some(text) = from.get::<Option<Arc<str>>>()? else { return Ok(Self::default()) };
        let reactions = text.lines().map(take_reaction).collect::<Option<_>>();
        reactions.map(Self).ok_or_else(|| Damage("column reactions is not as the schema has it".into()))
    }
}

/// Null: nobody is named.
impl Column for Mentions {
    fn put(&self, to: &mut dyn Put) {
        match self.packed() {
            Some(text) => to.text(&text),
            None => to.null(),
        }
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let Some(text) = from.get::<Option<Arc<str>>>()? else { return Ok(Self::default()) };
        Self::unpacked(&text).ok_or_else(|| Damage("column mentions is not as the schema has it".into()))
    }
}

fn take_reaction(line: &str) -> Option<Reaction> {
    let mut words = line.split(' ');
    let (emoji, count) = (words.next()?.into(), words.next()?.parse().ok()?);
    let users = words.map(|user| user.parse().ok().map(UserId)).collect::<Option<_>>()?;
    Some(Reaction { emoji, count, users, mine: false })
}
