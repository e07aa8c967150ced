//! Who may do what in a group: every cell of the table, over the wire.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    ask, lists, mention,
    raw::{Raw, TestServer, group_id, memory_store, send},
};

/// `ok`, or the code of the refusal, whatever has been asked before by others.
const TABLE: &str = "
    request        stranger    banned      left        muted      member     admin      owner
    pull           NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    mark_read      NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    pin_session    NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    clear_session  NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    remove_session NOT_MEMBER  ok          ok          ok         ok         ok         ok
    hide_messages  NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    who_read       NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok
    send           NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    mention        NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    mention_all    NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      FORBIDDEN  ok         ok
    mention_let    NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    send_when_all  NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      MUTED      ok         ok
    pin_message    NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      FORBIDDEN  ok         ok
    pin_when_all   NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      MUTED      ok         ok
    unpin_message  NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      FORBIDDEN  ok         ok
    list_pins      NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  ok         ok         ok         ok
    list_reactions NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
    typing         NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    typing_all     NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      MUTED      ok         ok
    signal         NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    signal_all     NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      MUTED      ok         ok
    get_group      NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  ok         ok         ok         ok
    list_members   NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  ok         ok         ok         ok
    invite         NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    invite_closed  NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      FORBIDDEN  ok         ok
    propose        NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  MUTED      ok         ok         ok
    create_link    NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  ok         ok         ok
    create_closed  NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    list_links     NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  ok         ok         ok
    revoke_own     NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  ok         ok         ok
    revoke_link    NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    list_requests  NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    approve        NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    reject         NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    join           ok          NOT_FOUND   ok          ok         ok         ok         ok
    preview        ok          NOT_FOUND   ok          ok         ok         ok         ok
    remove         NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    remove_admin   NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    ban            NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    ban_admin      NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    unban          NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    list_bans      NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    mute           NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    mute_admin     NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    update_group   NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  ok         ok
    nickname       NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  ok         ok         ok
    set_role       NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    transfer       NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    dissolve       NOT_MEMBER  NOT_MEMBER  NOT_MEMBER  FORBIDDEN  FORBIDDEN  FORBIDDEN  ok
    leave          NOT_MEMBER  NOT_MEMBER  ok          ok         ok         ok         ok
";

const CALLERS: [&str; 7] = ["stranger", "banned", "left", "muted", "member", "admin", "owner"];
/// On whom somebody acts: a plain member, and an admin.
const OTHERS: [&str; 2] = ["plain", "second"];

struct Cast {
    people: Vec<(&'static str, Raw)>,
    groups: u32,
}

impl Cast {
    async fn gather(server: &TestServer) -> Self {
        let mut people = Vec::new();
        for name in CALLERS.into_iter().chain(OTHERS) {
            people.push((name, server.login(name).await));
        }
        Self { people, groups: 0 }
    }

    fn of(&mut self, name: &str) -> &mut Raw {
        &mut self.people.iter_mut().find(|(of, _)| *of == name).expect("they are there").1
    }

    fn id(&mut self, name: &str) -> u64 {
        self.of(name).user.0
    }

    async fn done(&mut self, name: &str, request: Request) -> Body {
        match self.of(name).ask(request).await {
            Body::Error(error) => panic!("{name}: {error:?}"),
            body => body,
        }
    }

    /// A group in which each has their part.
    async fn found(&mut self) -> String {
        self.groups += 1;
        let mut user_ids = Vec::new();
        for name in ["banned", "left", "muted", "member", "admin", "plain", "second"] {
            user_ids.push(self.id(name));
        }
        let client_group_id = format!("group-{}", self.groups);
        let create = v1::CreateGroup { client_group_id, name: "Geese".into(), user_ids, ..Default::default() };
        let Body::Group(v1::Group { group_id, .. }) = self.done("owner", Request::CreateGroup(create)).await else {
            panic!("no group")
        };
        // Its place is 2.
        self.done("plain", send(&format!("group_{group_id}"), "said", "honk")).await;
        let user_ids = vec![self.id("admin"), self.id("second")];
        let role = v1::group::Role::Admin.into();
        self.done("owner", Request::SetRole(v1::SetRole { group_id, user_ids, role })).await;
        let user_ids = vec![self.id("muted")];
        self.done("owner", Request::MuteMembers(v1::MuteMembers { group_id, user_ids, until_ms: u64::MAX })).await;
        self.done("left", Request::LeaveGroup(v1::LeaveGroup { group_id })).await;
        let user_ids = vec![self.id("banned")];
        self.done("owner", Request::RemoveMembers(v1::RemoveMembers { group_id, user_ids, ban: true })).await;
        format!("group_{group_id}")
    }

    async fn about_pins(&mut self, row: &str, conversation: &str) -> Request {
        let pin = ask::pin(conversation, "pinned", 2);
        if row != "unpin_message" {
            return pin;
        }
        self.done("owner", pin).await;
        ask::unpin(conversation, "unpinned", 2)
    }

    async fn owners_link(&mut self, group_id: u64) -> v1::Link {
        let create = v1::CreateLink { group_id, ..Default::default() };
        match self.done("owner", Request::CreateLink(create)).await {
            Body::Link(link) => link,
            other => panic!("no link: {other:?}"),
        }
    }

    /// What the row of the table asks for.
    async fn request(&mut self, row: &str, conversation: &str) -> Request {
        let (group_id, conversation_id) = (group_id(conversation), conversation.to_owned());
        let (plain, second) = (vec![self.id("plain")], vec![self.id("second")]);
        let (until_ms, role) = (u64::MAX, v1::group::Role::Admin.into());
        match row {
            "pull" => Request::Pull(v1::Pull { conversation_id, ..Default::default() }),
            "mark_read" => Request::MarkRead(v1::MarkRead { conversation_id, server_msg_id: 1 }),
            "pin_session" => lists::pin(conversation),
            "clear_session" => lists::clear(conversation, 1),
            "remove_session" => lists::remove(conversation, 1),
            "hide_messages" => lists::hide(conversation, &[1]),
            "who_read" => lists::who_read(conversation, &[1]),
            "send" | "send_when_all" => send(conversation, "m-1", "honk"),
            "pin_message" | "pin_when_all" | "unpin_message" => self.about_pins(row, conversation).await,
            "list_pins" => ask::list_pins(conversation),
            "list_reactions" => ask::list_reactions(conversation, 2),
            "mention" => mention::to(conversation, plain[0]),
            "mention_all" | "mention_let" => mention::to_all(conversation),
            "typing" | "typing_all" => Request::Typing(v1::Typing { conversation_id }),
            "signal" | "signal_all" => {
                Request::Signal(v1::Signal { conversation_id, r#type: "call".into(), ..Default::default() })
            }
            "get_group" => Request::GetGroup(v1::GetGroup { group_id }),
            "list_members" => Request::ListMembers(v1::ListMembers { group_id, ..Default::default() }),
            "invite" | "invite_closed" => {
                let user_ids = vec![self.id("left")];
                Request::InviteMembers(v1::InviteMembers { group_id, user_ids })
            }
            "remove" => Request::RemoveMembers(v1::RemoveMembers { group_id, user_ids: plain, ban: false }),
            "remove_admin" => Request::RemoveMembers(v1::RemoveMembers { group_id, user_ids: second, ban: false }),
            "propose" => Request::InviteMembers(v1::InviteMembers { group_id, user_ids: vec![self.id("left")] }),
            "create_link" | "create_closed" => Request::CreateLink(v1::CreateLink { group_id, ..Default::default() }),
            "list_links" => Request::ListLinks(v1::ListLinks { group_id }),
            // Which is nobody's, like one that was revoked before.
            "revoke_own" => Request::RevokeLink(v1::RevokeLink { group_id, link_id: 1 }),
            "revoke_link" => {
                Request::RevokeLink(v1::RevokeLink { group_id, link_id: self.owners_link(group_id).await.link_id })
            }
            "list_requests" => Request::ListJoinRequests(v1::ListJoinRequests { group_id, ..Default::default() }),
            "approve" | "reject" => {
                let accept = row == "approve";
                Request::AnswerJoinRequests(v1::AnswerJoinRequests { group_id, user_ids: plain, accept })
            }
            "join" => {
                let token = self.owners_link(group_id).await.token;
                Request::JoinGroup(v1::JoinGroup { token, text: "it is me".into() })
            }
            "preview" => Request::PreviewLink(v1::PreviewLink { token: self.owners_link(group_id).await.token }),
            "nickname" => {
                let (client_msg_id, nickname) = ("named".into(), "Goose".into());
                Request::SetGroupNickname(v1::SetGroupNickname { group_id, client_msg_id, nickname, client_time_ms: 1 })
            }
            "ban" => Request::RemoveMembers(v1::RemoveMembers { group_id, user_ids: plain, ban: true }),
            "ban_admin" => Request::RemoveMembers(v1::RemoveMembers { group_id, user_ids: second, ban: true }),
            "unban" => Request::UnbanMembers(v1::UnbanMembers { group_id, user_ids: plain }),
            "list_bans" => Request::ListBans(v1::ListBans { group_id, ..Default::default() }),
            "mute" => Request::MuteMembers(v1::MuteMembers { group_id, user_ids: plain, until_ms }),
            "mute_admin" => Request::MuteMembers(v1::MuteMembers { group_id, user_ids: second, until_ms }),
            "update_group" => {
                let name = Some("Swans".to_owned());
                Request::UpdateGroup(v1::UpdateGroup { group_id, name, ..Default::default() })
            }
            "set_role" => Request::SetRole(v1::SetRole { group_id, user_ids: plain, role }),
            "transfer" => Request::TransferGroup(v1::TransferGroup { group_id, user_id: plain[0] }),
            "dissolve" => Request::DissolveGroup(v1::DissolveGroup { group_id }),
            "leave" => Request::LeaveGroup(v1::LeaveGroup { group_id }),
            _ => panic!("nobody knows how to ask for {row}"),
        }
    }
}

#[tokio::test]
async fn every_cell_of_the_table_is_as_it_says() {
    let many = |config: &mut anser_server::config::Config| {
        let limits = &mut config.limits;
        (limits.unanswered_groups_per_user, limits.unanswered_groups_per_inviter) = (1_000, 1_000);
    };
    let server = TestServer::start_with(many, memory_store).await;
    let mut cast = Cast::gather(&server).await;
    let mut rows = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(rows.next().expect("a head")[1..], CALLERS);
    let mut wrong = Vec::new();
    for row in rows {
        for (caller, expected) in CALLERS.into_iter().zip(&row[1..]) {
            let conversation = cast.found().await;
            let group_id = group_id(&conversation);
            let mut update = v1::UpdateGroup { group_id, ..Default::default() };
            match row[0] {
                "send_when_all" | "pin_when_all" | "typing_all" | "signal_all" => update.mute_all = Some(true),
                "mention_let" => update.members_mention_all = Some(true),
                "propose" => update.join = Some(v1::group::Join::Approval.into()),
                "invite_closed" | "create_closed" => update.join = Some(v1::group::Join::Closed.into()),
                _ => {}
            }
            cast.done("owner", Request::UpdateGroup(update)).await;
            let request = cast.request(row[0], &conversation).await;
            let answer = match cast.of(caller).ask(request).await {
                Body::Error(error) => error.code().as_str_name().to_owned(),
                _ => "ok".into(),
            };
            if answer != *expected {
                wrong.push(format!("{} by {caller}: {answer}, and not {expected}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_refused_act_leaves_no_notice() {
    let server = TestServer::start().await;
    let mut cast = Cast::gather(&server).await;
    let conversation = cast.found().await;
    let head = async |cast: &mut Cast| {
        let pull = v1::Pull { conversation_id: conversation.clone(), ..Default::default() };
        cast.of("owner").pull(pull).await.head
    };
    let before = head(&mut cast).await;
    for row in ["pin_message", "invite", "remove", "ban", "mute", "update_group", "set_role", "transfer", "dissolve"] {
        let request = cast.request(row, &conversation).await;
        let refused = cast.of("muted").refused(request).await;
        assert!(matches!(refused, ErrorCode::Forbidden | ErrorCode::Muted), "{row}: {refused:?}");
    }
    assert_eq!(head(&mut cast).await, before);
}
