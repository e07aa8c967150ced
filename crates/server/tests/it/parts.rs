//! Attachments of the types that every client knows: what is sound arrives as it was sent, and what is not is named.

use anser_proto::{
    ErrorCode, Format,
    v1::{self, client_frame::Request, edit, message::Type, server_frame::Body},
};
use bytes::Bytes;
use prost::Message as _;

use crate::raw::{Raw, TestServer};

fn image(width: u32) -> v1::Image {
    let file = "f/0197a3c1".into();
    let file = v1::File { file, mime_type: "image/jpeg".into(), size_bytes: 245_760, name: "lake.jpg".into() };
    v1::Image { file: Some(file), width, height: 720, thumbhash: vec![7; 25].into() }
}

fn images(images: Vec<v1::Image>) -> Bytes {
    v1::Images { images }.encode_to_vec().into()
}

fn send(conversation_id: &str, id: &str, kind: Type, attachment: Bytes) -> Request {
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    let (r#type, content) = (kind.into(), "the lake".into());
    Request::Send(v1::Send { conversation_id, client_msg_id, r#type, content, attachment, ..Default::default() })
}

fn edit(conversation_id: &str, id: &str, place: u64, attachment: Bytes) -> Request {
    let (conversation_id, client_msg_id) = (conversation_id.into(), id.into());
    let (target, content) = (Some(edit::Target::ServerMsgId(place)), "the other lake".into());
    Request::Edit(v1::Edit { conversation_id, client_msg_id, target, content, attachment, ..Default::default() })
}

async fn bad_field(raw: &mut Raw, request: Request) -> String {
    match raw.ask(request).await {
        Body::Error(error) if error.code() == ErrorCode::BadField => error.message,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn an_album_arrives_as_it_was_sent_over_every_transport() {
    let server = TestServer::start().await;
    let mut bob = server.login("bob").await;
    let mut attachment = images(vec![image(1_280); 10]).to_vec();
    // Of a newer client, which says more than this server knows.
    attachment.extend([0xa2, 0x06, 0x03, b'n', b'e', b'w']);
    let attachment = Bytes::from(attachment);
    for (account, format) in [("ada", Format::Protobuf), ("cyd", Format::Json)] {
        let mut sender = server.web_socket(format).await;
        sender.hello(server.hello(account, "phone")).await;
        let ours = sender.conversation_with(&bob);
        assert!(matches!(sender.ask(send(&ours, "m-1", Type::Image, attachment.clone())).await, Body::Sent(_)));
        let message = bob.message().await.message.expect("a message");
        assert_eq!((message.r#type(), &message.attachment), (Type::Image, &attachment));
        assert_eq!(message.content, "the lake");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_part_is_named_and_holds_up_nothing() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.login("ada").await, server.login("bob").await);
    let ours = ada.conversation_with(&bob);
    let nowhere = v1::Location { latitude_e7: 900_000_001, ..v1::Location::default() }.encode_to_vec();
    for (number, (kind, attachment, told)) in [
        (Type::Image, images(vec![image(0)]), "attachment.images[0].width is 0: 1 to 65535 are allowed"),
        (Type::Image, images(vec![image(1); 11]), "attachment.images names 11: 1 to 10 are allowed"),
        (Type::Image, Bytes::new(), "attachment.images names 0: 1 to 10 are allowed"),
        (Type::Image, Bytes::from_static(b"\xff\xfe"), "attachment is no Images in protobuf: "),
        (Type::Video, images(vec![image(1)]), "attachment is no Videos in protobuf: "),
        (Type::Audio, Bytes::new(), "attachment.file is missing"),
        (Type::File, Bytes::new(), "attachment.files names 0"),
        (Type::Location, nowhere.into(), "attachment.latitude_e7 is 900000001"),
    ]
    .into_iter()
    .enumerate()
    {
        let message = bad_field(&mut ada, send(&ours, &format!("bad-{number}"), kind, attachment)).await;
        assert!(message.starts_with(told), "{message}");
    }
    // Types of the app's own, and texts, have whatever it likes.
    for kind in [Type::Custom, Type::Text] {
        let opaque = send(&ours, &format!("{kind:?}"), kind, Bytes::from_static(b"\xff\xfe"));
        assert!(matches!(ada.ask(opaque).await, Body::Sent(_)));
    }
}

#[tokio::test]
async fn an_edit_is_checked_by_the_type_of_its_message() {
    let server = TestServer::start().await;
    let (mut ada, mut bob) = (server.login("ada").await, server.login("bob").await);
    let ours = ada.conversation_with(&bob);
    assert!(matches!(ada.ask(send(&ours, "m-1", Type::Image, images(vec![image(1)]))).await, Body::Sent(_)));
    bob.message().await;
    let message = bad_field(&mut ada, edit(&ours, "e-1", 1, images(vec![image(70_000)]))).await;
    assert!(message.starts_with("attachment.images[0].width is 70000"), "{message}");
    let message = bad_field(&mut ada, edit(&ours, "e-2", 1, Bytes::new())).await;
    assert!(message.starts_with("attachment.images names 0"), "{message}");
    bob.nothing_more().await;
    assert!(matches!(ada.ask(edit(&ours, "e-3", 1, images(vec![image(2)]))).await, Body::Sent(_)));
    let Body::MessagesChanged(changed) = bob.event().await else { panic!("not told") };
    assert_eq!((changed.changed[0].r#type(), &changed.changed[0].attachment), (Type::Image, &images(vec![image(2)])));
}
