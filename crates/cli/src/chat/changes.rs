//! Replies, edits, recalls, reactions and pins: what the commands do, what became of them, and how it is said in both languages.

use std::sync::Arc;

use anser_client::{Act, ClientMsgId, ConversationId, Edit, Message, MessageState, Queued, Status, UserId};

use super::{
    command::{Change, How},
    keys::send,
    model::Model,
    text::Text,
    timeline::Timeline,
    update::{Effect, complain, say},
    wash,
};

/// Does what a command asks for, or says why not.
pub fn change(model: &mut Model, change: Change, effects: &mut Vec<Effect>) {
    let me = model.my_id();
    let Some(timeline) = &model.open else { return complain(model, model.text.nowhere_to_send()) };
    let conversation = timeline.conversation;
    let Some(target) = target_of(timeline, &change, me) else {
        return complain(model, model.text.no_such_message(change.number));
    };
    let (id, is_mine) = (target.server_msg_id, target.from_id == me);
    let act = match change.how {
        How::Reply(text) => return send(model, text, Some(id), effects),
        How::Edit(_) if !is_mine => return complain(model, model.text.not_your_message()),
        How::Edit(text) => Act::Edit(id.into(), edit_of(target, text)),
        How::Recall => Act::Recall(id.into()),
        How::React(emojis) => Act::React(id, emojis),
        How::Pin => Act::Pin(id),
        How::Unpin => Act::Unpin(id),
    };
    let client_msg_id = (model.next_id)();
    model.changing.insert(client_msg_id.clone());
    effects.push(Effect::Change { conversation, client_msg_id, act });
    if !model.is_online() {
        say(model, model.text.change_waits());
    }
}

/// Another text; what else a message shows stays.
pub fn edit_of(target: &Message, text: String) -> Edit {
    let mut edit = Edit::text(text);
    edit.attachment = target.attachment.clone();
    edit
}

/// The message with this number; else the newest one that can be meant: of others for replies and reactions, own ones for edits and recalls; and to unpin
/// the one that was pinned last.
fn target_of<'a>(timeline: &'a Timeline, change: &Change, me: UserId) -> Option<&'a Arc<Message>> {
    let is_meant = |message: &&Arc<Message>| match change.how {
        How::Edit(_) | How::Recall => message.from_id == me,
        How::Reply(_) | How::React(_) => message.from_id != me,
        How::Pin => true,
        How::Unpin => message.pinned > 0,
    };
    let is_there = |message: &&Arc<Message>| message.notice.is_none() && message.state == MessageState::Present;
    let mut meant = timeline.messages.values().filter(|message| is_there(message) && is_meant(message));
    match change.number {
        Some(number) => timeline.messages.get(&number).filter(|message| message.notice.is_none()),
        None if change.how == How::Unpin => meant.max_by_key(|message| message.pinned),
        None => meant.next_back(),
    }
}

/// A change that waits from before, or was refused then.
pub fn take_unsent(model: &mut Model, queued: &Queued, effects: &mut Vec<Effect>) {
    let (conversation, client_msg_id) = (queued.conversation, queued.client_msg_id.clone());
    match queued.refused {
        None => drop(model.changing.insert(client_msg_id)),
        // Whoever asked for it was told.
        Some(_) => effects.push(Effect::Discard { conversation, client_msg_id }),
    }
}

/// What became of a change. False if it is none.
pub fn follow(
    model: &mut Model,
    conversation: ConversationId,
    client_msg_id: &ClientMsgId,
    status: &Status,
    effects: &mut Vec<Effect>,
) -> bool {
    if !model.changing.contains(client_msg_id) {
        return false;
    }
    match status {
        Status::Failed(why) => {
            let words = model.text.not_changed(&model.title(conversation), &model.text.refusal(why));
            complain(model, words);
            effects.push(Effect::Discard { conversation, client_msg_id: client_msg_id.clone() });
        }
        Status::Queued | Status::Sending | Status::Retrying(_) => return true,
        _ => {}
    }
    model.changing.remove(client_msg_id);
    true
}

/// A message as it is now, in the words of the one who reads it.
pub fn body(text: Text, message: &Message) -> String {
    let pinned = if message.pinned > 0 { text.pinned() } else { "" };
    format!("{}{pinned}", words(text, message))
}

/// The same without that it is pinned.
pub fn words(text: Text, message: &Message) -> String {
    if message.state == MessageState::Recalled {
        return text.recalled().to_owned();
    }
    let parts = message.parts();
    let kind = parts.map_or_else(|| text.kind(message.kind).to_owned(), |parts| text.parts(&parts));
    let words = [kind.as_str(), &wash::lines(&message.content)].join(if kind.is_empty() { "" } else { " " });
    let edited = if message.edits > 0 { text.edited() } else { "" };
    format!("{}{edited}", words.trim_end())
}

/// `👍 2  [🎉 1]`: those in brackets are the person's own too. Empty without any.
pub fn reactions(message: &Message, me: UserId) -> String {
    let each = message.reactions.iter().map(|reaction| {
        let (emoji, count) = (wash::line(&reaction.emoji), reaction.count);
        let is_mine = reaction.mine || reaction.user_ids.contains(&me);
        if is_mine { format!("[{emoji} {count}]") } else { format!("{emoji} {count}") }
    });
    each.collect::<Vec<_>>().join("  ")
}

impl Text {
    pub fn recalled(self) -> &'static str {
        self.pick("(recalled)", "（已撤回）")
    }

    pub fn edited(self) -> &'static str {
        self.pick(" (edited)", "（已编辑）")
    }

    pub fn pinned(self) -> &'static str {
        self.pick(" (pinned)", "（已置顶）")
    }

    /// What `who` pinned, if it is here.
    pub fn pinned_by(self, who: &str, words: Option<&str>) -> String {
        match words {
            Some(words) => self.choose(format!("{who} pinned: {words}"), format!("{who} 置顶了：{words}")),
            None => self.choose(format!("{who} pinned a message"), format!("{who} 置顶了一条消息")),
        }
    }

    /// In the list, where there is no room to say what.
    pub fn something_pinned(self) -> &'static str {
        self.pick("a message was pinned", "置顶了一条消息")
    }

    pub fn pins_title(self) -> &'static str {
        self.pick("Pinned here", "置顶的消息")
    }

    pub fn no_pins(self) -> &'static str {
        self.pick("nothing is pinned here: /pin", "还没有置顶的消息：/pin")
    }

    pub fn no_such_message(self, number: Option<u64>) -> String {
        match number {
            Some(number) => {
                self.choose(format!("no message #{number} is shown here"), format!("这里没有显示 #{number} 号消息"))
            }
            None => self.choose(
                "there is no message that can be meant: name one by its number, as in #12".into(),
                "没有可选的消息：请用编号指明，例如 #12".into(),
            ),
        }
    }

    pub fn not_your_message(self) -> &'static str {
        self.pick("only your own messages can be edited", "只能编辑自己的消息")
    }

    pub fn change_waits(self) -> &'static str {
        self.pick("that will be done once connected", "将在连接后完成")
    }

    pub fn not_changed(self, title: &str, why: &str) -> String {
        self.choose(format!("not changed in {title}: {why}"), format!("“{title}”中的更改未完成：{why}"))
    }
}
