//! What other nodes say to this one: pushes for who is connected here, kicks, and appends to conversations whose home it is.

use std::sync::Arc;

use anser_proto::{CloseCode, v1::server_frame::Body as EventBody};
use anser_store::{Failure, NewMessage};
use bytes::Bytes;

use super::{
    append,
    deliver::{Audience, LogPosition, publish_here},
    presence, session,
};
use crate::{
    accepted::ConnId,
    cluster::{
        Inbox, NodeId,
        counts::Dropped,
        envelope::{Body, Envelope, GroupPush, Kick, Present, PresentDevice, Push, SessionChanged},
        losses::Concerned,
        peers::Asker,
        relay::Told,
        seen::Seen,
    },
    ctx::Ctx,
    event::Event,
    hub::{Crowd, Doomed},
    outbox::Wave,
};

/// Bytes that are under way for other nodes and wait for the store; what comes on top is dropped, and they do it themselves.
pub const UNDER_WAY_BYTES_MAX: u32 = 64 << 20;
/// What anything takes of it at least, so that no more than 4096 things are under way.
const BYTES_MIN: usize = 16 << 10;

/// Messages of others that are taken together: connections are woken behind their pushes.
const TAKEN_TOGETHER_MAX: usize = 256;

/// Tells those who are connected here what others have to tell them, until they say nothing any more. What need not wait for the store is
/// done in the order in which it came.
pub async fn listen(cx: Arc<Ctx>, mut pushes: Inbox) {
    let mut listener = Listener { cx, seen: Seen::default() };
    while let Some(first) = pushes.recv().await {
        let mut wave = Wave::default();
        listener.take("listen", &mut wave, first).await;
        for _ in 1..TAKEN_TOGETHER_MAX {
            let Some(next) = pushes.try_recv() else { break };
            listener.take("listen", &mut wave, next).await;
            wave.wake_if_old();
        }
    }
}

/// Takes answers, and obeys, until both ways end.
pub async fn obey(cx: Arc<Ctx>, mut answers: Inbox, mut kicks: Inbox) {
    let mut listener = Listener { cx, seen: Seen::default() };
    loop {
        let arrived = tokio::select! {
            arrived = answers.recv() => arrived,
            arrived = kicks.recv() => arrived,
        };
        let Some(bytes) = arrived else { return };
        listener.take("obey", &mut Wave::default(), bytes).await;
    }
}

struct Listener {
    cx: Arc<Ctx>,
    seen: Seen,
}

impl Listener {
    async fn take(&mut self, task: &'static str, wave: &mut Wave, bytes: Bytes) {
        let Some(envelope) = self.cx.peers.unsealed(bytes) else { return };
        let watch = self.cx.peers.counts.watch.clone();
        if watch.piece(task, self.receive(wave, envelope)).await.is_none() {
            self.cx.peers.counts.losses.here.add(Concerned::Everybody);
        }
    }

    /// An older node says all of it one way.
    async fn receive(&mut self, wave: &mut Wave, Envelope { from, body }: Envelope) {
        match body {
            Body::Push(push) => self.push(wave, push).await,
            Body::GroupPush(push) => self.group_push(wave, push).await,
            Body::Kick(kick) => self.kick(from, &kick),
            // Of which it is not known that they hold, the next round tells.
            Body::LoginsOver(over) => drop(self.cx.hub.end_logins(&over)),
            Body::Present(present) => self.present(from, present),
            Body::Append { until_ms, .. } if (self.cx.clock)() > until_ms => {
                self.cx.peers.counts.dropped(Dropped::Late);
            }
            Body::Append { call, from_conn, until_ms, answer, messages } => {
                self.append(Asker { node: from, call, way: answer }, until_ms, ConnId(from_conn), messages);
            }
            Body::AppendAnswer { call, outcomes } => self.cx.peers.calls.answered(from, call, outcomes),
            Body::SessionChanged(SessionChanged { user, conversation }) => {
                self.later(0, Concerned::users(&[user]), move |cx| async move {
                    session::changed_here(&cx, user, None, conversation).await;
                });
            }
            Body::MembersChanged(version) => self.cx.members.forget_before(version),
            Body::Missed(concerned) => self.cx.peers.counts.losses.here.add(concerned),
            Body::Presence(users) => self.cx.presence.take(from, &users),
            Body::Leaving => self.cx.peers.calls.left(from),
        }
    }

    async fn push(&self, wave: &mut Wave, Push { users, except, event }: Push) {
        let Some(event) = self.event(event) else { return };
        if let Some(EventBody::ProfileChanged(changed)) = event.body()
            && let Some(profile) = &changed.user
        {
            let nickname = profile.nickname.as_str().into();
            users.iter().for_each(|user| self.cx.hub.rename(*user, &nickname, changed.mailbox_seq));
        }
        if let Some(EventBody::Changed(changed)) = event.body() {
            users.iter().for_each(|user| presence::follow(&self.cx, *user, changed));
        }
        publish_here(&self.cx, wave, Audience::Users(&users), &event, except.map(ConnId)).await;
    }

    async fn group_push(&self, wave: &mut Wave, push: GroupPush) {
        let GroupPush { group, members_version, server_msg_id, behind, except, event } = push;
        let bytes = event.len();
        let Some(event) = self.event(event) else { return };
        let position = LogPosition { group, members_version, server_msg_id, behind };
        let except = except.map(ConnId);
        match self.cx.members.known(group, members_version) {
            Some(members) => {
                publish_here(&self.cx, wave, Audience::Members(position, &members), &event, except).await;
            }
            None => self.later(bytes, Concerned::members(group, members_version), move |cx| async move {
                match cx.members.at_least(&cx, group, members_version).await {
                    Ok(members) => {
                        let wave = &mut Wave::default();
                        publish_here(&cx, wave, Audience::Members(position, &members), &event, except).await;
                    }
                    Err(error) => {
                        tracing::warn!(%group, %error, "members unknown: they are told to sync");
                        cx.peers.counts.losses.here.add(Concerned::members(group, members_version));
                    }
                }
            }),
        }
    }

    fn event(&self, bytes: Bytes) -> Option<Event> {
        let event = Event::received(bytes);
        if event.is_none() {
            self.cx.peers.counts.dropped(Dropped::Garbage);
        }
        event
    }

    fn kick(&mut self, from: NodeId, kick: &Kick) {
        if !self.seen.first(kick.id) {
            return;
        }
        let Kick { user, before, .. } = *kick;
        self.cx.hub.kick(&Doomed { user, device_id: kick.device_id.as_deref(), before }, kick.code);
        let Some(device_id) = &kick.device_id else { return };
        let devices = self.cx.hub.devices(user);
        if let Some(here) = devices.iter().find(|here| here.device_id == *device_id && here.accepted > before) {
            // The device had come here already when its login there, which had begun before, was done.
            let (id, device_id) = (self.cx.ids.create(), Some(Arc::clone(device_id)));
            let code = CloseCode::Replaced;
            self.cx.peers.kick_at(from, Kick { id, user, device_id, code, before: here.accepted });
        }
        // A device went there: its node counts the user's.
        if !devices.is_empty() {
            self.cx.peers.tell_present(from, Present { kick_id: kick.id, user, devices });
        }
    }

    /// Beyond the number of devices that a user may have on all nodes together, the oldest connections end; and of one class those that yield.
    fn present(&self, from: NodeId, present: Present) {
        let user = present.user;
        let Crowd { before, yielding } = self.cx.hub.count_elsewhere(from, present);
        let over = before.map(|before| (None, CloseCode::Replaced, before));
        let of_class = yielding.into_iter().map(|device| {
            let PresentDevice { device_id, accepted, .. } = device;
            (Some(device_id), CloseCode::DeviceYielded, accepted.next())
        });
        for (device_id, code, before) in of_class.chain(over) {
            self.cx.hub.kick(&Doomed { user, device_id: device_id.as_deref(), before }, code);
            self.cx.peers.tell(Told::Kick(Kick { id: self.cx.ids.create(), user, device_id, code, before }));
        }
    }

    fn append(&self, asker: Asker, until_ms: u64, from_conn: ConnId, messages: Vec<NewMessage>) {
        let (asked, bytes) = (messages.len(), messages.iter().map(NewMessage::bytes).sum());
        let work = move |cx: Arc<Ctx>| async move {
            append::append_for(&cx, asker, until_ms, from_conn, messages).await;
        };
        if !self.begin(bytes, work) {
            self.cx.peers.counts.dropped(Dropped::Busy);
            // It does so itself, and need not wait for that.
            self.cx.peers.answer_append(asker, vec![Err(Failure::Closed.into()); asked]);
        }
    }

    /// `concerned`: when there is no room for it.
    fn later<F>(&self, bytes: usize, concerned: Concerned, work: impl FnOnce(Arc<Ctx>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        if !self.begin(bytes, work) {
            self.cx.peers.counts.dropped(Dropped::IncomingFull);
            self.cx.peers.counts.losses.here.add(concerned);
        }
    }

    /// Does what waits for the store in a task of its own, unless too much is under way.
    fn begin<F>(&self, bytes: usize, work: impl FnOnce(Arc<Ctx>) -> F + Send + 'static) -> bool
    where
        F: Future<Output = ()> + Send,
    {
        let bytes = u32::try_from(bytes.max(BYTES_MIN)).unwrap_or(u32::MAX);
        let Ok(place) = Arc::clone(&self.cx.under_way).try_acquire_many_owned(bytes) else { return false };
        let cx = Arc::clone(&self.cx);
        tokio::spawn(async move {
            work(cx).await;
            drop(place);
        });
        true
    }
}
