//! What nodes say to each other, and the bytes it is said in. Bytes that say nothing to this node come out as the reason
//! why they are dropped; they never break anything.

use std::sync::Arc;

use anser_proto::{CloseCode, ConversationId, GroupId, UserId, cluster::v1};
use anser_store::{Appended, Error, NewMessage};
use bytes::Bytes;
use prost::Message as _;

use super::{
    NodeId, Way,
    append::{message_from_wire, message_to_wire, outcome_from_wire, outcome_to_wire},
    counts::Dropped,
    losses::Concerned,
};
use crate::{
    accepted::{Accepted, ConnId},
    presence::State,
};

/// Of the messages between nodes.
pub const VERSION: u32 = 2;

#[derive(Clone, PartialEq, Debug)]
pub struct Envelope {
    pub from: NodeId,
    pub body: Body,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    Push(Push),
    GroupPush(GroupPush),
    Kick(Kick),
    LoginsOver(LoginsOver),
    /// The answer bears the same `call`.
    Append {
        call: u64,
        /// The connection that sends them, and learns of them by the answer.
        from_conn: u64,
        /// By the clock that all nodes share; later nobody waits for the answer.
        until_ms: u64,
        /// By which way the answer is expected.
        answer: Way,
        messages: Vec<NewMessage>,
    },
    AppendAnswer {
        call: u64,
        outcomes: Vec<Result<Appended, Error>>,
    },
    SessionChanged(SessionChanged),
    MembersChanged(MembersVersion),
    Present(Present),
    /// What the node had to tell may be lost.
    Missed(Concerned),
    /// How these users are connected to the node; see [`crate::presence::Board::tell`].
    Presence(Vec<(UserId, Option<State>)>),
    /// The node ends: it is asked nothing any more.
    Leaving,
}

/// An event for all connections of these users.
#[derive(Clone, PartialEq, Debug)]
pub struct Push {
    pub users: Vec<UserId>,
    /// A connection of the receiving node that shall not get it.
    pub except: Option<u64>,
    /// A `ServerFrame` in protobuf.
    pub event: Bytes,
}

/// A user's entry in their conversation list is another now: the receiving node reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionChanged {
    pub user: UserId,
    pub conversation: ConversationId,
}

/// The answer to a kick because of a device that went elsewhere: what is left of the user on the answering node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Present {
    /// Of the kick.
    pub kick_id: u64,
    pub user: UserId,
    pub devices: Vec<PresentDevice>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PresentDevice {
    pub device_id: Arc<str>,
    pub accepted: Accepted,
    /// As in `anser.v1.Device.Platform`.
    pub platform: i32,
}

/// The members of a group are others since this version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MembersVersion {
    pub group: GroupId,
    pub version: u64,
}

/// An event for the members of a group: who they are the receiving node knows by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct GroupPush {
    pub group: GroupId,
    pub members_version: u64,
    /// Who joined behind it does not get the event.
    pub server_msg_id: u64,
    /// Only who joined behind this place gets it; 0: all.
    pub behind: u64,
    pub except: Option<u64>,
    pub event: Bytes,
}

/// The connections of a user, or of one of their devices, shall end. Comes by two ways: `id` tells the second copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kick {
    pub id: u64,
    pub user: UserId,
    pub device_id: Option<Arc<str>>,
    pub code: CloseCode,
    /// This connection and younger ones stay, so that a kick which comes late does no harm.
    pub before: Accepted,
}

/// Connections of a user whose logins began under an earlier version shall end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoginsOver {
    pub user: UserId,
    pub login_version: u64,
    pub code: CloseCode,
    /// None: of all devices.
    pub device_id: Option<Arc<str>>,
}

impl Envelope {
    /// `log_id` is the store's: it tells one cluster from another.
    pub fn encode(self, log_id: u64) -> Bytes {
        let body = Some(to_wire(self.body));
        v1::Envelope { version: VERSION, log_id, from_node: self.from.0, body }.encode_to_vec().into()
    }

    pub fn decode(bytes: Bytes, log_id: u64) -> Result<Self, Dropped> {
        let envelope = v1::Envelope::decode(bytes).map_err(|_| Dropped::Garbage)?;
        if envelope.version == 0 || envelope.from_node == 0 {
            return Err(Dropped::Garbage);
        }
        if envelope.log_id != log_id {
            return Err(Dropped::Foreign);
        }
        // A body that this version does not have was added by a newer one.
        let Some(body) = envelope.body.filter(|_| envelope.version == VERSION) else { return Err(Dropped::Newer) };
        let body = from_wire(body).ok_or(Dropped::Garbage)?;
        Ok(Self { from: NodeId(envelope.from_node), body })
    }
}

fn to_wire(body: Body) -> v1::envelope::Body {
    use v1::envelope::Body as Wire;
    match body {
        Body::Push(push) => Wire::Push(v1::Push {
            user_ids: push.users.iter().map(|user| user.0).collect(),
            except_conn: push.except.unwrap_or(0),
            event: push.event,
        }),
        Body::GroupPush(push) => Wire::GroupPush(v1::GroupPush {
            group_id: push.group.0,
            members_version: push.members_version,
            server_msg_id: push.server_msg_id,
            joined_behind: push.behind,
            except_conn: push.except.unwrap_or(0),
            event: push.event,
        }),
        Body::Kick(kick) => Wire::Kick(v1::Kick {
            kick_id: kick.id,
            user_id: kick.user.0,
            device_id: kick.device_id.as_deref().unwrap_or("").to_owned(),
            code: kick.code.into(),
            before: Some(accepted_to_wire(kick.before)),
        }),
        Body::LoginsOver(LoginsOver { user, login_version, code, device_id }) => {
            let device_id = device_id.as_deref().unwrap_or("").to_owned();
            Wire::LoginsOver(v1::LoginsOver { user_id: user.0, login_version, code: code.into(), device_id })
        }
        Body::Append { call, from_conn, until_ms, answer, messages } => {
            let messages = messages.into_iter().map(message_to_wire).collect();
            let answers_apart = answer == Way::Answers;
            Wire::Append(v1::Append { call_id: call, messages, from_conn, until_ms, answers_apart })
        }
        Body::AppendAnswer { call, outcomes } => Wire::AppendAnswer(v1::AppendAnswer {
            call_id: call,
            outcomes: outcomes.into_iter().map(outcome_to_wire).collect(),
        }),
        Body::SessionChanged(SessionChanged { user, conversation }) => {
            Wire::SessionChanged(v1::SessionChanged { user_id: user.0, conversation_id: conversation.to_string() })
        }
        Body::Present(Present { kick_id, user, devices }) => {
            let devices = devices.into_iter().map(|device| v1::PresentDevice {
                device_id: (*device.device_id).to_owned(),
                accepted: Some(accepted_to_wire(device.accepted)),
                platform: device.platform,
            });
            Wire::Present(v1::Present { kick_id, user_id: user.0, devices: devices.collect() })
        }
        Body::Missed(concerned) => Wire::Missed(missed_to_wire(concerned)),
        Body::Presence(users) => Wire::Presence(presence_to_wire(users)),
        Body::Leaving => Wire::Leaving(v1::Leaving {}),
        Body::MembersChanged(MembersVersion { group, version }) => {
            Wire::MembersChanged(v1::MembersChanged { group_id: group.0, members_version: version })
        }
    }
}

fn from_wire(body: v1::envelope::Body) -> Option<Body> {
    use v1::envelope::Body as Wire;
    let some = |conn| Some(conn).filter(|conn| *conn != 0);
    Some(match body {
        Wire::Push(push) => Body::Push(Push {
            users: push.user_ids.into_iter().map(UserId).collect(),
            except: some(push.except_conn),
            event: push.event,
        }),
        Wire::GroupPush(push) => Body::GroupPush(GroupPush {
            group: GroupId(push.group_id),
            members_version: push.members_version,
            server_msg_id: push.server_msg_id,
            behind: push.joined_behind,
            except: some(push.except_conn),
            event: push.event,
        }),
        Wire::Kick(kick) => Body::Kick(Kick {
            id: kick.kick_id,
            user: UserId(kick.user_id),
            device_id: Some(kick.device_id).filter(|id| !id.is_empty()).map(Into::into),
            // A reason that only a newer node knows is still a kick.
            code: CloseCode::try_from(kick.code).unwrap_or(CloseCode::Unspecified),
            before: accepted_from_wire(kick.before?),
        }),
        Wire::LoginsOver(over) => Body::LoginsOver(LoginsOver {
            user: UserId(over.user_id),
            login_version: over.login_version,
            code: CloseCode::try_from(over.code).unwrap_or(CloseCode::Unspecified),
            device_id: Some(over.device_id).filter(|id| !id.is_empty()).map(Into::into),
        }),
        Wire::Append(append) => Body::Append {
            call: append.call_id,
            from_conn: append.from_conn,
            until_ms: append.until_ms,
            answer: if append.answers_apart { Way::Answers } else { Way::Pushes },
            messages: append.messages.into_iter().map(message_from_wire).collect::<Option<_>>()?,
        },
        Wire::AppendAnswer(answer) => Body::AppendAnswer {
            call: answer.call_id,
            outcomes: answer.outcomes.into_iter().map(outcome_from_wire).collect::<Option<_>>()?,
        },
        Wire::SessionChanged(changed) => Body::SessionChanged(SessionChanged {
            user: UserId(changed.user_id),
            conversation: changed.conversation_id.parse().ok()?,
        }),
        Wire::MembersChanged(changed) => {
            Body::MembersChanged(MembersVersion { group: GroupId(changed.group_id), version: changed.members_version })
        }
        Wire::Present(present) => {
            let devices = present.devices.into_iter().map(|device| {
                Some(PresentDevice {
                    device_id: device.device_id.into(),
                    accepted: accepted_from_wire(device.accepted?),
                    platform: device.platform,
                })
            });
            let devices = devices.collect::<Option<_>>()?;
            Body::Present(Present { kick_id: present.kick_id, user: UserId(present.user_id), devices })
        }
        Wire::Missed(missed) => Body::Missed(missed_from_wire(missed)),
        Wire::Presence(presence) => Body::Presence(presence_from_wire(presence)),
        Wire::Leaving(v1::Leaving {}) => Body::Leaving,
    })
}

fn presence_to_wire(users: Vec<(UserId, Option<State>)>) -> v1::Presence {
    let mut presence = v1::Presence::default();
    for (user, state) in users {
        let of_state = match state {
            Some(State::Active) => &mut presence.active,
            Some(State::Away) => &mut presence.away,
            None => &mut presence.gone,
        };
        of_state.push(user.0);
    }
    presence
}

fn presence_from_wire(presence: v1::Presence) -> Vec<(UserId, Option<State>)> {
    let v1::Presence { active, away, gone } = presence;
    let all = [(active, Some(State::Active)), (away, Some(State::Away)), (gone, None)];
    all.into_iter().flat_map(|(users, state)| users.into_iter().map(move |user| (UserId(user), state))).collect()
}

fn missed_to_wire(concerned: Concerned) -> v1::Missed {
    let Concerned::Named { users, groups } = concerned else { return v1::Missed::default() };
    let group = |(group, members_version): (GroupId, u64)| v1::MembersChanged { group_id: group.0, members_version };
    v1::Missed { user_ids: users.iter().map(|user| user.0).collect(), groups: groups.into_iter().map(group).collect() }
}

fn missed_from_wire(missed: v1::Missed) -> Concerned {
    if missed.user_ids.is_empty() && missed.groups.is_empty() {
        return Concerned::Everybody;
    }
    let group = |group: v1::MembersChanged| (GroupId(group.group_id), group.members_version);
    Concerned::Named {
        users: missed.user_ids.into_iter().map(UserId).collect(),
        groups: missed.groups.into_iter().map(group).collect(),
    }
}

fn accepted_to_wire(accepted: Accepted) -> v1::Accepted {
    v1::Accepted { at_ms: accepted.at_ms, conn: accepted.conn.0 }
}

fn accepted_from_wire(accepted: v1::Accepted) -> Accepted {
    Accepted { at_ms: accepted.at_ms, conn: ConnId(accepted.conn) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use anser_proto::limits::{EDITS_MAX, EMOJIS_MAX};
    use anser_store::{
        EDITS_OF_A_MESSAGE, EMOJIS_OF_A_MESSAGE, Failure, Mentions, MessageChange, Refusal, Sender, Target, What,
    };

    use super::*;

    const LOG: u64 = 77;
    const ME: NodeId = NodeId(5);

    fn message() -> NewMessage {
        NewMessage {
            conversation: ConversationId::single(UserId(7), UserId(2)),
            from: Sender { user: UserId(7), nickname: "Ada".into(), platform: 3, device_id: "phone".into() },
            client_msg_id: "m-1".parse().expect("an id"),
            kind: 1,
            content: "hé".into(),
            attachment: Bytes::from_static(b"\0\xff"),
            client_time_ms: 9,
            counted: true,
            login_version: 2,
            reply_to: 4,
            mentions: Mentions::new(vec![UserId(7), UserId(9)], true),
            change: None,
        }
    }

    fn accepted(at_ms: u64) -> Accepted {
        Accepted { at_ms, conn: ConnId(at_ms + 1) }
    }

    fn failures() -> [Error; 20] {
        [
            Refusal::NotFound("user").into(),
            Refusal::NotMember.into(),
            Refusal::Forbidden.into(),
            Refusal::BadAttachment("attachment.images names 0".into()).into(),
            Refusal::Conflict("client_msg_id").into(),
            Refusal::LoginOver.into(),
            Refusal::NotFound("message").into(),
            Refusal::Muted { for_ms: 0 }.into(),
            Refusal::Muted { for_ms: u64::MAX }.into(),
            Refusal::Gone.into(),
            Refusal::TooLate.into(),
            Refusal::Outdated.into(),
            Refusal::Limit { what: EDITS_OF_A_MESSAGE, max: EDITS_MAX }.into(),
            Refusal::Limit { what: EMOJIS_OF_A_MESSAGE, max: EMOJIS_MAX as u32 }.into(),
            Failure::Overloaded.into(),
            Failure::RateLimited { for_ms: 250 }.into(),
            Failure::Full.into(),
            Failure::Closed.into(),
            Failure::UnknownOutcome("cut".into()).into(),
            Failure::Failed("broke".into()).into(),
        ]
    }

    fn changes() -> [NewMessage; 6] {
        [
            (Target::Place(4), What::Recall),
            (Target::Own("m-0".parse().expect("an id")), What::Edit { if_changed: Some(0) }),
            (Target::Place(5), What::Edit { if_changed: None }),
            (Target::Place(6), What::React),
            (Target::Place(7), What::Pin),
            (Target::Place(8), What::Unpin),
        ]
        .map(|(target, what)| NewMessage { change: Some(MessageChange { target, what }), ..message() })
    }

    fn bodies() -> Vec<Body> {
        let appended = Appended {
            server_msg_id: 1,
            server_time_ms: 2,
            count: 3,
            duplicate: true,
            sender_mailbox_seq: 4,
            receiver_mailbox_seq: 5,
            members_version: 6,
            changed: None,
        };
        let (event, group) = (Bytes::from_static(b"event"), GroupId(3));
        let kick = Kick { id: 8, user: UserId(7), device_id: None, code: CloseCode::Replaced, before: accepted(9) };
        vec![
            Body::Push(Push { users: vec![UserId(1), UserId(2)], except: None, event: event.clone() }),
            Body::GroupPush(GroupPush {
                group,
                members_version: 4,
                server_msg_id: 5,
                behind: 3,
                except: Some(6),
                event,
            }),
            Body::Presence(vec![(UserId(1), Some(State::Active)), (UserId(2), Some(State::Away)), (UserId(3), None)]),
            Body::Kick(Kick { device_id: Some("phone".into()), ..kick.clone() }),
            Body::Kick(kick),
            Body::LoginsOver(LoginsOver {
                user: UserId(7),
                login_version: 3,
                code: CloseCode::LoginRefused,
                device_id: None,
            }),
            Body::LoginsOver(LoginsOver {
                user: UserId(7),
                login_version: 3,
                code: CloseCode::DeviceRevoked,
                device_id: Some("phone".into()),
            }),
            Body::Append {
                call: 1,
                from_conn: 2,
                until_ms: 3,
                answer: Way::Answers,
                messages: vec![message(), NewMessage { counted: false, ..message() }],
            },
            Body::Append { call: 1, from_conn: 2, until_ms: 3, answer: Way::Answers, messages: changes().into() },
            Body::AppendAnswer { call: 1, outcomes: [Ok(appended)].into_iter().chain(failures().map(Err)).collect() },
            Body::SessionChanged(SessionChanged { user: UserId(7), conversation: ConversationId::Group(group) }),
            Body::MembersChanged(MembersVersion { group, version: 4 }),
            Body::Present(Present {
                kick_id: 8,
                user: UserId(7),
                devices: vec![PresentDevice { device_id: "phone".into(), accepted: accepted(1), platform: 2 }],
            }),
            Body::Missed(Concerned::Everybody),
            Body::Missed(Concerned::users(&[UserId(7), UserId(8)])),
            Body::Missed(Concerned::members(group, 4)),
            Body::Leaving,
        ]
    }

    fn changed(change: impl FnOnce(&mut v1::Envelope)) -> Result<Envelope, Dropped> {
        let body = Some(to_wire(Body::Append {
            call: 1,
            from_conn: 2,
            until_ms: 3,
            answer: Way::Pushes,
            messages: vec![message()],
        }));
        let mut envelope = v1::Envelope { version: VERSION, log_id: LOG, from_node: ME.0, body };
        change(&mut envelope);
        Envelope::decode(envelope.encode_to_vec().into(), LOG)
    }

    #[test]
    fn what_is_said_is_what_is_received() {
        for body in bodies() {
            let envelope = Envelope { from: ME, body };
            assert_eq!(Envelope::decode(envelope.clone().encode(LOG), LOG), Ok(envelope));
        }
    }

    #[test]
    fn what_is_not_for_this_node_is_dropped_for_its_reason() {
        assert!(changed(|_| ()).is_ok());
        assert_eq!(changed(|envelope| envelope.log_id += 1), Err(Dropped::Foreign));
        assert_eq!(changed(|envelope| envelope.version += 1), Err(Dropped::Newer));
        assert_eq!(changed(|envelope| envelope.body = None), Err(Dropped::Newer));
        assert_eq!(changed(|envelope| envelope.version = 0), Err(Dropped::Garbage));
        assert_eq!(changed(|envelope| envelope.from_node = 0), Err(Dropped::Garbage));
        let append = |conversation_id: &str, client_msg_id: &str| {
            let message = v1::NewMessage {
                conversation_id: conversation_id.into(),
                client_msg_id: client_msg_id.into(),
                ..message_to_wire(message())
            };
            changed(|envelope| {
                let append =
                    v1::Append { call_id: 1, messages: vec![message], from_conn: 2, until_ms: 3, ..Default::default() };
                envelope.body = Some(v1::envelope::Body::Append(append));
            })
        };
        assert!(append("group_3", "m-1").is_ok());
        assert_eq!(append("single_2_1", "m-1"), Err(Dropped::Garbage));
        assert_eq!(append("group_3", ""), Err(Dropped::Garbage));
        let said = |body| changed(|envelope| envelope.body = Some(body));
        let kick = v1::Kick { kick_id: 8, user_id: 7, ..Default::default() };
        assert_eq!(said(v1::envelope::Body::Kick(kick)), Err(Dropped::Garbage), "before when?");
        let device = v1::PresentDevice { device_id: "phone".into(), accepted: None, platform: 0 };
        let present = v1::Present { kick_id: 8, user_id: 7, devices: vec![device] };
        assert_eq!(said(v1::envelope::Body::Present(present)), Err(Dropped::Garbage));
    }

    proptest! {
        #[test]
        fn garbage_is_dropped(bytes: Vec<u8>) {
            prop_assert!(Envelope::decode(bytes.into(), LOG).is_err());
        }

        /// A bit that toppled is found out, or is inside of a value: never a panic.
        #[test]
        fn a_message_with_a_wrong_byte_is_read_or_dropped(which in 0..8_usize, at: usize, bits in 1..=u8::MAX) {
            let body = bodies().swap_remove(which);
            let mut bytes = Envelope { from: ME, body }.encode(LOG).to_vec();
            let at = at % bytes.len();
            bytes[at] ^= bits;
            let _ = Envelope::decode(bytes.into(), LOG);
        }
    }
}
