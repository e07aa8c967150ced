//! What must be true once the faults stopped: every device shows what it may see, once, in order, as it is now.

use std::collections::BTreeSet;

use anser_client::{ClientMsgId, ConversationId};
use anser_proto::v1;

use super::{World, device::Device};

impl World {
    pub(super) fn check(&self) {
        for (at, device) in self.devices.iter().enumerate() {
            assert!(device.caught_up, "{} never caught up", device.name);
            let waiting = device.disk.outgoing.iter().find(|queued| queued.refused.is_none());
            assert!(waiting.is_none(), "{} still waits to send {waiting:?}", device.name);
            for id in self.server.conversations_of(device.user) {
                self.check_shown(device, id);
                self.check_session(device, id);
            }
            self.check_said(at, device);
        }
    }

    fn check_shown(&self, device: &Device, id: ConversationId) {
        let kept = device.disk.kept.get(&id).unwrap_or_else(|| panic!("{} does not know {id}", device.name));
        let visible = self.server.shown(device.user, id);
        // Who left is not told of changes any more.
        let is_told = self.is_told(device, id);
        let said = |message: &v1::Message| (said(message), is_told.then(|| now(message)));
        let expected: Vec<_> =
            visible.iter().filter(|message| message.server_msg_id >= kept.low).map(|m| said(m)).collect();
        let shown = device.disk.messages.get(&id);
        let shown: Vec<_> = shown.into_iter().flatten().map(|(_, message)| said(message)).collect();
        assert_eq!(shown, expected, "{} shows {id} wrongly from {}", device.name, kept.low);
        let whole = device.policy_is_whole() && !device.evicted.contains(&id) && !device.disk.dropped.contains(&id);
        assert!(!whole || kept.low <= 1, "{} does not have the beginning of {id}", device.name);
    }

    fn check_session(&self, device: &Device, id: ConversationId) {
        let (mine, row) = (&device.disk.kept[&id].session, self.server.row(device.user, id));
        let is_told = self.is_told(device, id);
        let marks = |row: &v1::Session| {
            let member = row.group.as_ref().map(|group| group.role);
            let mentions = (row.mentions, row.mentioned_at);
            let told = is_told.then(|| (row.unread, mentions, row.last.clone(), row.marked_unread));
            (row.head, told, row.read_mark, row.peer_read_mark, row.peer_delivered_mark, member)
        };
        assert_eq!(marks(mine), marks(&row), "{} has another entry of {id} than the server", device.name);
    }

    fn is_told(&self, device: &Device, id: ConversationId) -> bool {
        match id {
            ConversationId::Single { .. } => true,
            ConversationId::Group(group) => self.server.is_member(device.user, group),
        }
    }

    /// Stored exactly once and in the order in which it was said; or refused, or lost with the server's store. One whose refusal was lost
    /// with its connection may have been taken later, behind others that were not refused.
    fn check_said(&self, at: usize, device: &Device) {
        let refused: BTreeSet<_> = device.disk.outgoing.iter().map(|queued| queued.client_msg_id.to_string()).collect();
        for ((_, id), names) in self.said.iter().filter(|((said_by, _), _)| *said_by == at) {
            let log = self.server.logs.get(id).map(Vec::as_slice).unwrap_or_default();
            let stored: Vec<_> = log.iter().filter(|message| names.contains(&message.client_msg_id)).collect();
            let stored: Vec<_> = stored.iter().map(|message| &message.client_msg_id).collect();
            let is_stored = |id: &&ClientMsgId| stored.iter().any(|stored| *stored == id.as_str());
            let cancelled = device.cancelled.iter().find(is_stored);
            assert!(cancelled.is_none(), "{} cancelled {cancelled:?}, and it is stored", device.name);
            let once: BTreeSet<_> = stored.iter().collect();
            assert_eq!(once.len(), stored.len(), "what {} said in {id} is stored twice", device.name);
            let is_in_order = |name: &&String| !self.server.refused.contains(*name);
            let expected = names.iter().filter(|name| stored.contains(name) || !self.is_gone(&refused, name));
            let expected: Vec<_> = expected.filter(is_in_order).collect();
            let stored: Vec<_> = stored.into_iter().filter(is_in_order).collect();
            assert_eq!(stored, expected, "what {} said in {id} is stored otherwise", device.name);
        }
    }

    fn is_gone(&self, refused: &BTreeSet<String>, name: &String) -> bool {
        let is_unchanged = self.server.unchanged.contains(name);
        is_unchanged || refused.contains(name) || self.lost.contains(name) || self.withdrawn.contains(name)
    }
}

fn said(message: &v1::Message) -> (u64, String, u64) {
    (message.server_msg_id, message.client_msg_id.clone(), message.count)
}

/// What changes of a message.
type Now = (u64, i32, String, u64, Vec<v1::Reaction>, u64, Option<v1::Mentions>);

fn now(message: &v1::Message) -> Now {
    let v1::Message { changed, state, content, reply_to, reactions, pinned, mentions, .. } = message.clone();
    (changed, state, content, reply_to, reactions, pinned, mentions)
}
