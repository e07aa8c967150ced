//! Who is connected to this node: user -> connections. Pushing never waits.
//!
//! Events enter, each encoded once a format; bytes leave into outboxes. It knows no sockets, which is why a push can be
//! measured by itself (`benches/fanout.rs`).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use anser_proto::{CloseCode, Format, UserId, v1};
use bytes::Bytes;

use crate::outbox::Outbox;

/// Names a connection for as long as the process runs, in the order in which connections were accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConnId(u64);

pub struct Hub {
    /// By user id: a push to one user does not wait for a push to another.
    shards: [Mutex<HashMap<UserId, Online>>; SHARDS],
    next_conn: AtomicU64,
    /// Connections of one user. Beyond it the oldest is kicked.
    per_user_max: usize,
}

const SHARDS: usize = 64;

/// A user who is connected.
struct Online {
    nickname: Arc<Nickname>,
    attached: Vec<Attached>,
}

struct Attached {
    conn: ConnId,
    device_id: Arc<str>,
    format: Format,
    outbox: Arc<Outbox>,
}

impl Hub {
    pub fn new(per_user_max: u32) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { shards, next_conn: AtomicU64::new(1), per_user_max: per_user_max.max(1) as usize }
    }

    /// A connection was accepted.
    pub fn next_conn(&self) -> ConnId {
        ConnId(self.next_conn.fetch_add(1, Ordering::Relaxed))
    }

    /// From now on pushes to the user reach this outbox. Of two connections of one device the older is kicked:
    /// it may be dead without knowing it, and two would take each other's place in the sender's order. That is the one
    /// which was accepted first, also when its login took longer than the newer one's: else a client that gave up
    /// waiting and came again would be thrown out by its own past.
    pub fn attach(
        self: &Arc<Self>,
        conn: ConnId,
        user: UserId,
        device_id: Arc<str>,
        format: Format,
        outbox: Arc<Outbox>,
    ) -> Attachment {
        let mut shard = self.shard(user);
        let online = shard.entry(user).or_insert_with(|| Online { nickname: Arc::default(), attached: Vec::new() });
        online.attached.retain(|other| {
            let older = other.device_id == device_id && other.conn < conn;
            if older {
                other.outbox.kick(CloseCode::Replaced);
            }
            !older
        });
        if online.attached.iter().any(|other| other.device_id == device_id) {
            outbox.kick(CloseCode::Replaced);
        } else {
            if online.attached.len() >= self.per_user_max {
                let oldest = online.attached.iter().map(|other| other.conn).min();
                online.attached.retain(|other| {
                    if Some(other.conn) == oldest {
                        other.outbox.kick(CloseCode::Replaced);
                    }
                    Some(other.conn) != oldest
                });
            }
            online.attached.push(Attached { conn, device_id, format, outbox });
        }
        Attachment { hub: Arc::clone(self), user, conn, nickname: Arc::clone(&online.nickname) }
    }

    /// Puts the event into the outboxes of all connections of the user but `except`; tells how many.
    pub fn push(&self, user: UserId, except: Option<ConnId>, event: &Event) -> usize {
        let shard = self.shard(user);
        let Some(online) = shard.get(&user) else { return 0 };
        let receivers = online.attached.iter().filter(|attached| Some(attached.conn) != except);
        receivers.map(|attached| attached.outbox.push(event.encoded(attached.format))).count()
    }

    /// Whether the user has a connection other than `except`, which may have ended meanwhile.
    pub fn has_other(&self, user: UserId, except: Option<ConnId>) -> bool {
        let shard = self.shard(user);
        shard.get(&user).is_some_and(|online| online.attached.iter().any(|attached| Some(attached.conn) != except))
    }

    /// Ends all connections of the user.
    pub fn kick(&self, user: UserId, code: CloseCode) {
        if let Some(online) = self.shard(user).get(&user) {
            online.attached.iter().for_each(|attached| attached.outbox.kick(code));
        }
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, HashMap<UserId, Online>> {
        // The low bits of a Snowflake count on, so neighbours in time fall apart.
        let index = usize::try_from(user.0 % SHARDS as u64).expect("below the number of shards");
        self.shards[index].lock().expect("nothing panics while holding it")
    }
}

/// A connection's place in the hub, which it leaves when this is dropped.
pub struct Attachment {
    hub: Arc<Hub>,
    pub user: UserId,
    pub conn: ConnId,
    pub nickname: Arc<Nickname>,
}

/// What a user is called now, shared by all of his connections; and up to which change of his mailbox that is known.
#[derive(Default)]
pub struct Nickname(Mutex<(u64, Arc<str>)>);

impl Nickname {
    pub fn get(&self) -> Arc<str> {
        Arc::clone(&self.0.lock().expect("nothing panics while holding it").1)
    }

    /// `mailbox_seq` is that of the change itself, or one that was read before the name was. An older name does not replace
    /// a newer one, whichever arrives last.
    pub fn set(&self, nickname: &Arc<str>, mailbox_seq: u64) {
        let mut known = self.0.lock().expect("nothing panics while holding it");
        if mailbox_seq >= known.0 {
            *known = (mailbox_seq, Arc::clone(nickname));
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let mut shard = self.hub.shard(self.user);
        if let Some(online) = shard.get_mut(&self.user) {
            online.attached.retain(|other| other.conn != self.conn);
            if online.attached.is_empty() {
                shard.remove(&self.user);
            }
        }
    }
}

/// An event on its way to many: encoded once for each format that a receiver wants, and not at all without one.
pub struct Event {
    frame: v1::ServerFrame,
    protobuf: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

impl Event {
    pub fn new(body: v1::server_frame::Body) -> Self {
        let frame = v1::ServerFrame { request_id: 0, body: Some(body) };
        Self { frame, protobuf: OnceLock::new(), json: OnceLock::new() }
    }

    fn encoded(&self, format: Format) -> Bytes {
        let encoded = match format {
            Format::Protobuf => &self.protobuf,
            Format::Json => &self.json,
        };
        encoded.get_or_init(|| format.encode(&self.frame)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId(7);

    fn attach(hub: &Arc<Hub>, device_id: &str) -> (Attachment, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::new(1_000));
        (attach_as(hub, hub.next_conn(), device_id, &outbox), outbox)
    }

    fn attach_as(hub: &Arc<Hub>, conn: ConnId, device_id: &str, outbox: &Arc<Outbox>) -> Attachment {
        hub.attach(conn, ADA, device_id.into(), Format::Protobuf, Arc::clone(outbox))
    }

    fn lagged() -> Event {
        Event::new(v1::server_frame::Body::Lagged(v1::Lagged {}))
    }

    #[test]
    fn a_push_reaches_every_device_but_the_one_it_came_from() {
        let hub = Arc::new(Hub::new(8));
        let (phone, phone_outbox) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        assert_eq!(hub.push(ADA, Some(phone.conn), &lagged()), 1);
        assert_eq!(hub.push(UserId(8), None, &lagged()), 0);
        assert!(phone_outbox.take().frames.is_empty());
        assert_eq!(laptop_outbox.take().frames.len(), 1);
    }

    #[test]
    fn the_same_device_replaces_itself_and_its_late_end_harms_nobody() {
        let hub = Arc::new(Hub::new(8));
        let (old, old_outbox) = attach(&hub, "phone");
        let (_new, new_outbox) = attach(&hub, "phone");
        assert_eq!(old_outbox.take().kicked, Some(CloseCode::Replaced));
        drop(old);
        assert_eq!(hub.push(ADA, None, &lagged()), 1);
        assert_eq!(new_outbox.take().frames.len(), 1);
    }

    #[test]
    fn a_connection_whose_login_took_long_does_not_replace_a_newer_one() {
        let hub = Arc::new(Hub::new(8));
        let slow = hub.next_conn();
        let (_new, new_outbox) = attach(&hub, "phone");
        let slow_outbox = Arc::new(Outbox::new(1_000));
        drop(attach_as(&hub, slow, "phone", &slow_outbox));
        assert_eq!(slow_outbox.take().kicked, Some(CloseCode::Replaced));
        assert_eq!(new_outbox.take().kicked, None);
        assert_eq!(hub.push(ADA, None, &lagged()), 1);
    }

    #[test]
    fn the_other_devices_are_told_also_when_the_one_it_came_from_has_left() {
        let hub = Arc::new(Hub::new(8));
        let (phone, _) = attach(&hub, "phone");
        let (_laptop, laptop_outbox) = attach(&hub, "laptop");
        let from = phone.conn;
        drop(phone);
        assert!(hub.has_other(ADA, Some(from)));
        assert_eq!(hub.push(ADA, Some(from), &lagged()), 1);
        assert_eq!(laptop_outbox.take().frames.len(), 1);
    }

    #[test]
    fn beyond_the_number_of_a_users_connections_the_oldest_goes() {
        let hub = Arc::new(Hub::new(2));
        let attached: Vec<_> = ["one", "two", "three"].map(|device| attach(&hub, device)).into();
        assert_eq!(attached[0].1.take().kicked, Some(CloseCode::Replaced));
        assert_eq!(hub.push(ADA, None, &lagged()), 2);
    }

    #[test]
    fn an_older_name_does_not_replace_a_newer_one() {
        let nickname = Nickname::default();
        for (name, mailbox_seq, now) in [("Ada", 0, "Ada"), ("Lady Ada", 7, "Lady Ada"), ("Ada", 5, "Lady Ada")] {
            nickname.set(&name.into(), mailbox_seq);
            assert_eq!(&*nickname.get(), now);
        }
    }

    #[test]
    fn who_left_leaves_nothing_behind() {
        let hub = Arc::new(Hub::new(8));
        drop(attach(&hub, "phone"));
        assert!(hub.shards.iter().all(|shard| shard.lock().expect("no panic").is_empty()));
    }
}
