//! What nobody tells a node, and it finds out by itself.

use std::{collections::HashSet, sync::atomic::Ordering::Relaxed, time::Duration};

use anser_proto::{
    ConversationId,
    v1::{self, client_frame::Request, message::Type, server_frame::Body},
};
use tokio::time::Instant;

use crate::{
    line::Line,
    read,
    town::{Town, pass},
};

async fn log_in(town: &Town, node: usize, device_id: &str) -> (Line, v1::Welcome) {
    let line = Line::open(town, node).expect("the node is up");
    line.log_in(town, "ada", device_id).await.expect("a welcome")
}

#[tokio::test(start_paused = true)]
async fn a_name_whose_push_was_lost_is_known_within_a_minute() {
    let town = Town::found(0, 2).await;
    let ((mut phone, _), (mut laptop, welcome)) = (log_in(&town, 0, "phone").await, log_in(&town, 1, "laptop").await);
    let user = anser_proto::UserId(welcome.user.expect("her profile").user_id);
    let own = ConversationId::single(user, user);
    town.weather.cut_off(HashSet::from([town.nodes[1].id]));
    let rename = v1::UpdateProfile { nickname: Some("Lady Ada".into()), avatar: None, ..Default::default() };
    assert!(matches!(phone.ask(Request::UpdateProfile(rename)).await, Ok(Body::Users(_))));
    pass(1_000).await;
    town.weather.cut_off(HashSet::new());
    for (client_msg_id, wait_ms) in [("m-1", 0), ("m-2", 65_000)] {
        pass(wait_ms).await;
        let say = v1::Send {
            conversation_id: own.to_string(),
            client_msg_id: client_msg_id.into(),
            r#type: Type::Text.into(),
            content: "hello".into(),
            ..Default::default()
        };
        assert!(matches!(laptop.ask(Request::Send(say)).await, Ok(Body::Sent(_))));
    }
    let names: Vec<_> = read(&town, user, own).await.iter().map(|message| message.from.nickname.to_string()).collect();
    assert_eq!(names, ["ada", "Lady Ada"]);
}

/// Its `exp` is a time of the wall clock; a connection that says nothing would else be closed as silent after 450 s.
#[tokio::test(start_paused = true)]
async fn a_token_ends_soon_after_the_clock_was_set_beyond_its_end() {
    let town = Town::found(0, 1).await;
    let (mut line, _) = log_in(&town, 0, "phone").await;
    town.ahead_ms.store(2 * 3_600_000, Relaxed);
    let begun = Instant::now();
    while line.receive().await.is_ok() {}
    assert!(begun.elapsed() <= Duration::from_secs(305), "after {:?}", begun.elapsed());
}
