//! What is done to a group by one node holds on every other.

use anser_proto::{
    ErrorCode,
    v1::{self, client_frame::Request, notice::Kind, server_frame::Body},
};

use crate::{
    raw::{Raw, group_id, send},
    servers::{Town, event},
};

async fn notice_of(raw: &mut Raw, wanted: Kind) {
    event(raw, |body| match body {
        Body::Message(event) => {
            event.message.as_ref()?.notice.as_ref().filter(|notice| notice.kind() == wanted).cloned()
        }
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn who_is_muted_by_one_node_is_silent_on_every_other_and_a_group_ends_for_all() {
    let town = Town::found(2).await;
    let (mut ada, mut bob, mut cyd) =
        (town.nodes[0].login("ada").await, town.nodes[1].login("bob").await, town.nodes[1].login("cyd").await);
    let group = ada.create_group(&[&bob, &cyd]).await;
    let typing = || Request::Typing(v1::Typing { conversation_id: group.clone() });
    bob.send(&group, "m-1", "honk").await;

    let mute = v1::MuteMembers { group_id: group_id(&group), user_ids: vec![bob.user.0], until_ms: u64::MAX };
    assert!(matches!(ada.ask(Request::MuteMembers(mute)).await, Body::Group(_)));
    notice_of(&mut bob, Kind::Muted).await;
    // Whichever node is the home of the conversation.
    let Body::Error(error) = bob.ask(send(&group, "m-2", "honk")).await else { panic!("not refused") };
    assert_eq!((error.code(), error.retry_after_ms), (ErrorCode::Muted, u32::MAX));
    let mut laptop = town.nodes[1].login_device("bob", "laptop").await;
    // Where the members are not remembered nobody waits for them: it is done, and nobody is told.
    laptop.ask(typing()).await;
    assert_eq!(bob.send(&group, "m-1", "honk").await.server_msg_id, 2, "what was stored before stays so");
    cyd.send(&group, "m-1", "how quiet").await;

    let dissolve = v1::DissolveGroup { group_id: group_id(&group) };
    assert!(matches!(ada.ask(Request::DissolveGroup(dissolve)).await, Body::Done(_)));
    notice_of(&mut bob, Kind::Dissolved).await;
    let mut ends = false;
    while !ends {
        match cyd.event().await {
            Body::Typing(event) => panic!("{} types", event.user_id),
            Body::Message(event) => {
                ends = event.message.and_then(|told| told.notice).is_some_and(|told| told.kind() == Kind::Dissolved);
            }
            _ => {}
        }
    }
    for member in [&mut bob, &mut cyd] {
        assert_eq!(member.refused(send(&group, "m-3", "?")).await, ErrorCode::NotMember);
    }
}
