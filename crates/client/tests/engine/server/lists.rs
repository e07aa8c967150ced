//! What a user puts away in the model: nobody else is told, and what is shown to them is less.

use anser_client::ConversationId;
use anser_proto::v1;
use v1::{change::Now, client_frame::Request, error::Code, server_frame::Body};

use super::{Asker, Push, Server, is_silent, refusal};

impl Server {
    pub(super) fn put_away(&mut self, asker: &Asker, request: Request) -> (Option<Body>, Vec<Push>) {
        let (Request::UpdateSession(v1::UpdateSession { conversation_id, .. })
        | Request::ClearSession(v1::ClearSession { conversation_id, .. })
        | Request::HideMessages(v1::HideMessages { conversation_id, .. })) = &request
        else {
            return (None, Vec::new());
        };
        let id: ConversationId = conversation_id.parse().expect("a good conversation id");
        if self.visible(asker.user, id).is_empty() {
            return (refusal(Code::NotFound), Vec::new());
        }
        match request {
            Request::ClearSession(clear) => self.clear(asker, id, clear.server_msg_id),
            Request::HideMessages(hide) => self.hide(asker, id, &hide.server_msg_ids),
            Request::UpdateSession(update) => {
                let entry = self.entries.entry((asker.user, id)).or_default();
                entry.marked_unread = update.marked_unread.unwrap_or(entry.marked_unread);
                self.stamp(asker.user, id);
                self.tell_session(asker.user, id, Vec::new())
            }
            _ => (None, Vec::new()),
        }
    }

    fn clear(&mut self, asker: &Asker, id: ConversationId, through: u64) -> (Option<Body>, Vec<Push>) {
        let through = through.min(self.head(asker.user, id));
        let (_, pushes) = self.mark(asker, &id.to_string(), through, true);
        let receipts = pushes.into_iter().filter(|push| !matches!(push.body, Body::SessionChanged(_)));
        let entry = self.entries.entry((asker.user, id)).or_default();
        entry.cleared = entry.cleared.max(through);
        self.stamp(asker.user, id);
        self.tell_session(asker.user, id, receipts.collect())
    }

    fn tell_session(&self, user: u64, id: ConversationId, mut pushes: Vec<Push>) -> (Option<Body>, Vec<Push>) {
        let changed = Body::SessionChanged(v1::SessionChanged { session: Some(self.row(user, id)) });
        pushes.push(Push { to: user, body: changed.clone() });
        (Some(changed), pushes)
    }

    fn hide(&mut self, asker: &Asker, id: ConversationId, places: &[u64]) -> (Option<Body>, Vec<Push>) {
        let mut changed = v1::Changed::default();
        for place in places {
            if self.shown(asker.user, id).iter().any(|message| message.server_msg_id == *place) {
                let seq = self.mailboxes.entry(asker.user).or_default();
                *seq += 1;
                self.entries.entry((asker.user, id)).or_default().hidden.insert(*place, *seq);
                changed.changes.push(hidden(id, *place, *seq));
            }
        }
        if changed.changes.is_empty() {
            return (Some(Body::Changed(changed)), Vec::new());
        }
        self.stamp(asker.user, id);
        let session = Body::SessionChanged(v1::SessionChanged { session: Some(self.row(asker.user, id)) });
        let pushes = [Body::Changed(changed.clone()), session].map(|body| Push { to: asker.user, body });
        (Some(Body::Changed(changed)), Vec::from(pushes))
    }

    /// Without silent entries, and what the user put away.
    pub(crate) fn shown(&self, user: u64, id: ConversationId) -> Vec<&v1::Message> {
        let seen = |message: &&v1::Message| !is_silent(message) && self.sees(user, id, message.server_msg_id);
        self.visible(user, id).into_iter().filter(seen).collect()
    }

    pub(super) fn sees(&self, user: u64, id: ConversationId, at: u64) -> bool {
        let entry = self.entries.get(&(user, id));
        let is_away = entry.is_some_and(|entry| at <= entry.cleared || entry.hidden.contains_key(&at));
        self.may_see(user, id, at) && !is_away
    }

    /// By their stamps.
    pub(super) fn hidden_since(&self, user: u64, since: u64) -> Vec<v1::Change> {
        let own = self.entries.iter().filter(|((owner, _), _)| *owner == user);
        let all = own.flat_map(|((_, id), entry)| entry.hidden.iter().map(|(place, seq)| hidden(*id, *place, *seq)));
        all.filter(|change| change.mailbox_seq > since).collect()
    }

    pub(super) fn first(&self, user: u64, id: ConversationId) -> u64 {
        let visible = self.visible(user, id).first().map_or(0, |message| message.server_msg_id);
        visible.max(self.entries.get(&(user, id)).map_or(0, |entry| entry.cleared + 1))
    }
}

fn hidden(id: ConversationId, place: u64, mailbox_seq: u64) -> v1::Change {
    let hidden = v1::Hidden { conversation_id: id.to_string(), server_msg_id: place };
    v1::Change { mailbox_seq, now: Some(Now::Hidden(hidden)) }
}
