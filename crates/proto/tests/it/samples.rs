//! One frame for each request and body, with every field set to a value of its own, so that two fields which
//! change places are seen. Numbers lie above 2^53 where JSON would lose them.

mod devices;
pub(crate) mod mentions;

use anser_proto::v1::{
    AnswerContact, Block, Blocked, Blocks, Change, Changed, ClearSession, ClientFrame, Close, Contact, Contacts,
    CreateGroup, Device, DissolveGroup, Done, Draining, Edit, Error, GetGroup, GetSettings, GetUsers, Group,
    GroupChange, GroupPosition, Hello, Hidden, HideMessages, InviteMembers, Kicked, Lagged, LeaveGroup, ListBlocks,
    ListContacts, ListMembers, ListSessions, MarkDelivered, MarkRead, Marked, Member, Members, Message, MessageEvent,
    Messages, MessagesChanged, MuteMembers, Notice, Password, Ping, Pong, Positions, Preview, Privacy, ProfileChanged,
    Pull, React, Reaction, Readers, ReadersOf, Recall, Receipt, Reference, RemoveContact, RemoveMembers, RemoveSession,
    RequestContact, Send, Sent, ServerFrame, Session, SessionChanged, Sessions, SetRemark, SetRole, Settings, Sync,
    SyncPage, TransferGroup, Typing, TypingEvent, Unblock, UpdateGroup, UpdateProfile, UpdateSession, UpdateSettings,
    User, Users, Welcome, WhoRead, change, client_frame::Request, close, contact, device, edit, error, group, hello,
    message, notice, privacy, recall, server_frame::Body,
};

use crate::{joining, pins};

pub(crate) const BIG: u64 = 9_223_372_036_854_775_807;
pub(crate) const NOON_MS: u64 = 1_149_161_520_123;

pub(crate) fn client_frames() -> Vec<ClientFrame> {
    let requests = [
        Request::Hello(hello()),
        Request::Ping(Ping {}),
        Request::Bye(anser_proto::v1::Bye {}),
        Request::Send(send()),
        Request::Pull(Pull { conversation_id: "single_1008_1009".into(), after: Some(5), before: BIG, limit: 200 }),
        Request::Sync(Sync {
            mailbox_seq: 41,
            groups: vec![
                GroupPosition { group_id: 3, server_msg_id: 7 },
                GroupPosition { group_id: BIG, server_msg_id: 0 },
            ],
            groups_digest: None,
            resetting: false,
        }),
        Request::MarkRead(MarkRead { conversation_id: "group_3".into(), server_msg_id: 8 }),
        Request::MarkDelivered(MarkDelivered { conversation_id: "single_1008_1009".into(), server_msg_id: 9 }),
        Request::Typing(Typing { conversation_id: "single_7_7".into() }),
        Request::ListSessions(ListSessions { after: "group_3".into(), limit: 20 }),
        Request::CreateGroup(CreateGroup {
            client_group_id: "0190c2f0-group".into(),
            name: "鸿雁".into(),
            avatar: "https://img.example/g.png".into(),
            user_ids: vec![1009, BIG],
        }),
        Request::GetGroup(GetGroup { group_id: 3 }),
        Request::ListMembers(ListMembers { group_id: 3, after: 1008, limit: 50 }),
        Request::InviteMembers(InviteMembers { group_id: 3, user_ids: vec![1010, 1011] }),
        Request::RemoveMembers(RemoveMembers { group_id: 4, user_ids: vec![1012], ban: false }),
        Request::LeaveGroup(LeaveGroup { group_id: 5 }),
        Request::GetUsers(GetUsers {
            user_ids: vec![1008],
            accounts: vec!["alice".into(), "bob".into()],
            ..Default::default()
        }),
        Request::UpdateProfile(UpdateProfile {
            nickname: Some("Ada".into()),
            avatar: Some(String::new()),
            ..Default::default()
        }),
    ];
    let requests = requests
        .into_iter()
        .chain(about_people())
        .chain(about_changes())
        .zip(1..)
        .chain(about_groups().into_iter().zip(100..))
        .chain(about_lists().into_iter().zip(120..))
        .chain(joining::requests().into_iter().zip(200..))
        .chain(pins::requests().into_iter().zip(300..))
        .chain(devices::requests().into_iter().zip(700..));
    requests.map(|(request, id)| ClientFrame { request_id: id, request: Some(request) }).collect()
}

fn about_people() -> Vec<Request> {
    vec![
        Request::RequestContact(RequestContact { user_id: 1009, text: "it is me, 鸿雁".into() }),
        Request::AnswerContact(AnswerContact { user_id: BIG, accept: true }),
        Request::SetRemark(SetRemark { user_id: 1009, remark: "Bobby".into() }),
        Request::RemoveContact(RemoveContact { user_id: 1009 }),
        Request::ListContacts(ListContacts { after: 1008, limit: 50 }),
        Request::Block(Block { user_id: 1009 }),
        Request::Unblock(Unblock { user_id: 1009 }),
        Request::ListBlocks(ListBlocks { after: 1008, limit: 50 }),
        Request::GetSettings(GetSettings {}),
        Request::UpdateSettings(UpdateSettings {
            invites: privacy::Who::Contacts.into(),
            hides_reads: Some(false),
            last_seen: privacy::Who::Nobody.into(),
            ..Default::default()
        }),
    ]
}

fn about_changes() -> Vec<Request> {
    vec![
        Request::Recall(Recall {
            conversation_id: "single_1008_1009".into(),
            client_msg_id: "0190c2f0-recall".into(),
            target: Some(recall::Target::OwnClientMsgId("0190c2f0-5f4e-7cc3-98c4-dc0c0c07398f".into())),
            client_time_ms: NOON_MS,
        }),
        Request::Edit(Edit {
            conversation_id: "group_3".into(),
            client_msg_id: "0190c2f0-edit".into(),
            target: Some(edit::Target::ServerMsgId(BIG)),
            content: "geese, plural".into(),
            attachment: vec![4, 5].into(),
            client_time_ms: NOON_MS + 2,
            if_changed: Some(0),
            mentions: None,
        }),
        Request::React(React {
            conversation_id: "group_3".into(),
            client_msg_id: "0190c2f0-react".into(),
            server_msg_id: 12,
            emojis: vec!["🪿".into(), "👍".into()],
            client_time_ms: NOON_MS + 3,
        }),
    ]
}

/// What came later.
fn about_groups() -> Vec<Request> {
    vec![
        Request::SetRole(SetRole { group_id: 3, user_ids: vec![1009, BIG], role: group::Role::Admin.into() }),
        Request::TransferGroup(TransferGroup { group_id: 3, user_id: 1009 }),
        Request::UpdateGroup(UpdateGroup {
            group_id: 3,
            name: Some("雁".into()),
            avatar: Some("https://img.example/h.png".into()),
            announcement: Some("No honking\nafter dark".into()),
            mute_all: Some(true),
            join: Some(group::Join::Closed.into()),
            members_mention_all: Some(true),
            history: None,
        }),
        Request::MuteMembers(MuteMembers { group_id: 3, user_ids: vec![1009, BIG], until_ms: NOON_MS }),
        Request::DissolveGroup(DissolveGroup { group_id: 3 }),
    ]
}

fn about_lists() -> Vec<Request> {
    let conversation_id = "single_1008_1009".to_owned();
    vec![
        Request::UpdateSession(UpdateSession {
            conversation_id: conversation_id.clone(),
            pinned: Some(false),
            quiet_until_ms: Some(NOON_MS),
            marked_unread: Some(true),
        }),
        Request::ClearSession(ClearSession { conversation_id: conversation_id.clone(), server_msg_id: 12 }),
        Request::RemoveSession(RemoveSession { conversation_id: conversation_id.clone(), server_msg_id: 12 }),
        Request::HideMessages(HideMessages { conversation_id, server_msg_ids: vec![7, 12, BIG] }),
        Request::WhoRead(WhoRead { group_id: 3, server_msg_ids: vec![7, 12, BIG] }),
    ]
}

pub(crate) fn server_frames() -> Vec<ServerFrame> {
    let answers = [
        Body::Error(Error {
            code: error::Code::RateLimited.into(),
            message: "40 requests in a second: at most 20 are allowed; wait".into(),
            retry_after_ms: 500,
        }),
        Body::Welcome(welcome()),
        Body::Pong(Pong { server_time_ms: NOON_MS }),
        Body::Done(Done {}),
        Body::Sent(Sent { server_msg_id: 12, server_time_ms: NOON_MS, count: 11, mailbox_seq: 42 }),
        Body::Messages(Messages {
            conversation_id: "group_3".into(),
            messages: vec![text_message(), notice_message()],
            more: true,
            head: 14,
            ..Messages::default()
        }),
        Body::SyncPage(sync_page()),
        Body::Marked(Marked { read_mark: 8, delivered_mark: 9, unread: 2, mailbox_seq: 43 }),
        Body::Sessions(Sessions { sessions: vec![single_session()], more: true }),
        Body::Group(group()),
        Body::Members(Members {
            members: vec![Member {
                user: Some(user(1009, "bob")),
                role: group::Role::Admin.into(),
                joined: 4,
                ..Member::default()
            }],
            more: true,
        }),
        Body::Users(Users { users: vec![user(1008, "alice"), user(BIG, "bob")], mailbox_seq: 46 }),
        Body::Changed(Changed { changes: changes() }),
        Body::Contacts(Contacts { contacts: vec![contact()], more: true }),
        Body::Blocks(Blocks { blocks: vec![blocked()], more: true }),
        Body::Privacy(Privacy {
            invites: privacy::Who::Contacts.into(),
            hides_reads: true,
            last_seen: privacy::Who::Nobody.into(),
            ..Default::default()
        }),
        Body::Readers(Readers {
            messages: vec![ReadersOf { server_msg_id: 7, read: vec![1009, BIG], unread: vec![1010] }],
        }),
    ];
    let answers = answers.into_iter().zip(1..).chain(joining::answers().into_iter().zip(200..));
    let answers = answers.chain(pins::answers().into_iter().zip(300..));
    let answers = answers.chain(devices::bodies().into_iter().zip(700..));
    let answers = answers.map(|(body, id)| ServerFrame { request_id: id, body: Some(body) });
    let events = events().into_iter().map(|body| ServerFrame { request_id: 0, body: Some(body) });
    answers.chain(events).collect()
}

fn events() -> Vec<Body> {
    vec![
        Body::Message(MessageEvent { message: Some(text_message()), mailbox_seq: 44, changed: vec![] }),
        Body::Receipt(Receipt {
            conversation_id: "single_1008_1009".into(),
            user_id: 1009,
            read_mark: 5,
            delivered_mark: 6,
            mailbox_seq: 45,
        }),
        Body::Typing(TypingEvent { conversation_id: "group_3".into(), user_id: 1009 }),
        Body::SessionChanged(SessionChanged { session: Some(group_session()) }),
        Body::ProfileChanged(ProfileChanged { user: Some(user(1008, "alice")), mailbox_seq: 47 }),
        Body::Lagged(Lagged {}),
        Body::Kicked(Kicked {
            code: close::Code::Replaced.into(),
            reason: "the same device opened a newer connection".into(),
        }),
        Body::Draining(Draining { reconnect_after_ms: 2_345 }),
        Body::Close(Close { code: close::Code::Silent.into(), reason: "nothing was heard for 450 s".into() }),
        Body::MessagesChanged(messages_changed()),
    ]
}

fn messages_changed() -> MessagesChanged {
    MessagesChanged {
        conversation_id: "single_1008_1009".into(),
        after: 14,
        through: 16,
        changed: vec![recalled_message(), reacted_message()],
        mailbox_seq: 48,
        nicknames: Vec::new(),
    }
}

fn sync_page() -> SyncPage {
    SyncPage {
        sessions: vec![single_session(), group_session()],
        mailbox_seq: 42,
        caught_up: true,
        profile: Some(user(1008, "alice")),
        groups_behind: false,
        changes: Vec::new(),
        reset: false,
    }
}

/// The credential that the sample of `hello` does not bear.
pub(crate) fn hello_with_token() -> ClientFrame {
    let credential = Some(hello::Credential::Token("eyJhbGciOiJIUzI1NiJ9.e30.c2ln".into()));
    ClientFrame { request_id: 1, request: Some(Request::Hello(Hello { credential, ..hello() })) }
}

/// Whether anything was missed, asked and answered with what the samples of `sync` do not bear.
pub(crate) fn check() -> (ClientFrame, ServerFrame) {
    let sync =
        Sync { mailbox_seq: 41, groups: Vec::new(), groups_digest: Some(16_753_576_447_339_095_367), resetting: false };
    let page = SyncPage { mailbox_seq: 41, caught_up: true, groups_behind: true, ..SyncPage::default() };
    (
        ClientFrame { request_id: 1, request: Some(Request::Sync(sync)) },
        ServerFrame { request_id: 1, body: Some(Body::SyncPage(page)) },
    )
}

/// A page that begins with forgetting, and the next one asked for.
pub(crate) fn reset() -> (ClientFrame, ServerFrame) {
    let sync = Sync { mailbox_seq: 5, resetting: true, ..Sync::default() };
    let page = SyncPage { mailbox_seq: 5, changes: changes(), reset: true, ..SyncPage::default() };
    (
        ClientFrame { request_id: 1, request: Some(Request::Sync(sync)) },
        ServerFrame { request_id: 1, body: Some(Body::SyncPage(page)) },
    )
}

fn contact() -> Contact {
    Contact {
        user: Some(user(1009, "bob")),
        state: contact::State::Asking.into(),
        remark: "Bobby".into(),
        text: "it is me".into(),
        since_ms: NOON_MS,
    }
}

fn blocked() -> Blocked {
    Blocked { user: Some(user(BIG, "eve")), since_ms: NOON_MS }
}

fn changes() -> Vec<Change> {
    let gone = User { user_id: 1010, ..User::default() };
    vec![
        Change { mailbox_seq: 48, now: Some(change::Now::Contact(contact())) },
        Change { mailbox_seq: 49, now: Some(change::Now::Blocked(blocked())) },
        Change {
            mailbox_seq: BIG,
            now: Some(change::Now::Contact(Contact { user: Some(gone), ..Contact::default() })),
        },
    ]
}

/// 0 as a place in the log, and not as what is absent.
pub(crate) fn pull_from_the_beginning() -> ClientFrame {
    let pull = Pull { conversation_id: "group_3".into(), after: Some(0), before: 0, limit: 0 };
    ClientFrame { request_id: 1, request: Some(Request::Pull(pull)) }
}

pub(crate) fn send() -> Send {
    Send {
        conversation_id: "single_1008_1009".into(),
        client_msg_id: "0190c2f0-5f4e-7cc3-98c4-dc0c0c07398f".into(),
        r#type: message::Type::Image.into(),
        content: "[image] geese \"over\" 鸿雁 🪿".into(),
        attachment: vec![0, 1, 0xfe, 0xff].into(),
        client_time_ms: NOON_MS,
        settings: Some(Settings { uncounted: true }),
        reply_to: 0,
        mentions: None,
    }
}

pub(crate) fn reply() -> ClientFrame {
    let send = Send { content: "indeed".into(), reply_to: BIG, ..send() };
    ClientFrame { request_id: 1, request: Some(Request::Send(send)) }
}

/// A page with all that a plain one does not bear.
pub(crate) fn page_of_changes() -> ServerFrame {
    let reference = Reference {
        server_msg_id: 3,
        from_id: 1009,
        from_nickname: "Bob".into(),
        r#type: message::Type::Image.into(),
        state: message::State::Recalled.into(),
        content: "[image] a goose".into(),
    };
    let page = Messages {
        conversation_id: "single_1008_1009".into(),
        messages: vec![Message { reply_to: 3, ..text_message() }],
        more: true,
        head: BIG,
        after: 14,
        through: BIG,
        changed: vec![reacted_message(), recalled_message()],
        references: vec![reference],
        nicknames: Vec::new(),
    };
    ServerFrame { request_id: 1, body: Some(Body::Messages(page)) }
}

fn reacted_message() -> Message {
    let reaction = |emoji: &str, count, user_ids, mine| Reaction { emoji: emoji.into(), count, user_ids, mine };
    Message {
        server_msg_id: 11,
        changed: 16,
        edited_ms: NOON_MS + 4,
        edits: 2,
        reactions: vec![reaction("🪿", 2, vec![1008, BIG], true), reaction("👍", 1, vec![1009], false)],
        ..text_message()
    }
}

fn recalled_message() -> Message {
    Message {
        server_msg_id: 12,
        content: String::new(),
        attachment: Default::default(),
        changed: 15,
        state: message::State::Recalled.into(),
        recalled_by: 1009,
        ..text_message()
    }
}

/// What a user's own flags say, and nothing that is shown.
pub(crate) fn session_with_flags() -> ServerFrame {
    let session = Session {
        last: None,
        pinned: true,
        quiet_until_ms: NOON_MS,
        marked_unread: true,
        removed_at: 12,
        hidden_top: 11,
        ..single_session()
    };
    let body = Body::SessionChanged(SessionChanged { session: Some(session) });
    ServerFrame { request_id: 120, body: Some(body) }
}

pub(crate) fn hidden() -> ServerFrame {
    let hidden = Hidden { conversation_id: "group_3".into(), server_msg_id: 7 };
    let change = Change { mailbox_seq: 50, now: Some(change::Now::Hidden(hidden)) };
    ServerFrame { request_id: 123, body: Some(Body::Changed(Changed { changes: vec![change] })) }
}

pub(crate) fn recalled_preview() -> ServerFrame {
    let last = Preview {
        server_msg_id: 12,
        from_id: 1009,
        r#type: message::Type::Text.into(),
        state: message::State::Recalled.into(),
        ..Preview::default()
    };
    let session = Session { last: Some(last), ..single_session() };
    let event = Body::SessionChanged(SessionChanged { session: Some(session) });
    ServerFrame { request_id: 0, body: Some(event) }
}

pub(crate) fn text_message() -> Message {
    Message {
        conversation_id: "single_1008_1009".into(),
        server_msg_id: BIG,
        client_msg_id: "0190c2f0-5f4e-7cc3-98c4-dc0c0c07398f".into(),
        from_id: 1008,
        from_nickname: "Ada".into(),
        from_platform: device::Platform::Desktop.into(),
        from_device_id: "laptop-1".into(),
        r#type: message::Type::Text.into(),
        content: "hello 你好".into(),
        attachment: vec![7, 8, 9].into(),
        notice: None,
        client_time_ms: NOON_MS,
        server_time_ms: NOON_MS + 1,
        count: 13,
        settings: Some(Settings { uncounted: true }),
        ..Message::default()
    }
}

fn hello() -> Hello {
    Hello {
        version: 1,
        credential: Some(hello::Credential::Password(Password {
            account: "alice".into(),
            password: "correct horse".into(),
        })),
        device: Some(Device {
            device_id: "laptop-1".into(),
            platform: device::Platform::Desktop.into(),
            name: "Ada's laptop".into(),
        }),
        positions: Some(Positions { log_id: BIG, mailbox_seq: 41, groups_digest: u64::MAX }),
        client: "anser-rust/0.1.0".into(),
    }
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        user: Some(user(1008, "alice")),
        server_time_ms: NOON_MS,
        log_id: BIG,
        mailbox_seq: 42,
        mailbox_behind: true,
        groups_behind: true,
        heartbeat_min_ms: 30_000,
        heartbeat_max_ms: 300_000,
        token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln".into(),
    }
}

fn notice_message() -> Message {
    Message {
        conversation_id: "group_3".into(),
        server_msg_id: 14,
        client_msg_id: "notice-14".into(),
        from_id: 1008,
        from_nickname: "Ada".into(),
        from_platform: device::Platform::Server.into(),
        r#type: message::Type::Notice.into(),
        notice: Some(Notice {
            kind: notice::Kind::Joined.into(),
            operator_id: 1008,
            user_ids: vec![1009, BIG],
            ..Notice::default()
        }),
        server_time_ms: NOON_MS,
        count: 13,
        settings: Some(Settings { uncounted: true }),
        ..Message::default()
    }
}

fn single_session() -> Session {
    Session {
        conversation_id: "single_1008_1009".into(),
        head: 12,
        unread: 3,
        read_mark: 8,
        delivered_mark: 9,
        peer_read_mark: 5,
        peer_delivered_mark: 6,
        first: 1,
        last: Some(Preview {
            server_msg_id: 12,
            from_id: 1009,
            from_nickname: "Bob".into(),
            r#type: message::Type::Text.into(),
            content: "see you".into(),
            server_time_ms: NOON_MS,
            ..Preview::default()
        }),
        peer: Some(user(1009, "bob")),
        group: None,
        mailbox_seq: 42,
        ..Session::default()
    }
}

fn group_session() -> Session {
    Session {
        conversation_id: "group_3".into(),
        head: 14,
        first: 2,
        peer: None,
        group: Some(group()),
        last: None,
        ..single_session()
    }
}

fn group() -> Group {
    Group {
        group_id: 3,
        name: "鸿雁".into(),
        avatar: "https://img.example/g.png".into(),
        owner_id: 1008,
        member_count: 2,
        created_ms: NOON_MS,
        role: group::Role::Owner.into(),
        ..Group::default()
    }
}

pub(crate) fn user(user_id: u64, account: &str) -> User {
    User {
        user_id,
        account: account.into(),
        nickname: account.to_uppercase(),
        avatar: format!("https://img.example/{account}.png"),
        ..User::default()
    }
}

/// A group with all that came later, in an answer and in the notice of it.
pub(crate) fn group_as_it_is() -> ServerFrame {
    let group = Group {
        announcement: "No honking".into(),
        announced: 12,
        mute_all: true,
        join: group::Join::Closed.into(),
        members_mention_all: true,
        muted_until_ms: NOON_MS,
        dissolved_at: BIG,
        ..group()
    };
    ServerFrame { request_id: 1, body: Some(Body::Group(group)) }
}

pub(crate) fn group_changed() -> ServerFrame {
    let change = GroupChange {
        name: Some("雁".into()),
        avatar: Some(String::new()),
        announcement: true,
        mute_all: Some(false),
        join: Some(group::Join::Free.into()),
        members_mention_all: Some(true),
        history: None,
    };
    let (kind, muted_until_ms) = (notice::Kind::GroupChanged.into(), NOON_MS);
    let notice = Notice { kind, operator_id: 1008, change: Some(change), muted_until_ms, ..Notice::default() };
    let message = Some(Message { notice: Some(notice), ..notice_message() });
    ServerFrame { request_id: 0, body: Some(Body::Message(MessageEvent { message, mailbox_seq: 0, changed: vec![] })) }
}

pub(crate) fn members_muted() -> ServerFrame {
    let member = Member {
        user: Some(user(1009, "bob")),
        role: group::Role::Member.into(),
        joined: 4,
        muted_until_ms: NOON_MS,
        ..Member::default()
    };
    ServerFrame { request_id: 1, body: Some(Body::Members(Members { members: vec![member], more: false })) }
}
