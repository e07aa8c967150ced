//! A case of [`Store::append`](crate::Store::append): attachments of the types that every client knows.

use anser_proto::v1::{Location, message::Type};
use prost::Message as _;

use super::{
    change::{at, edit, refused},
    room::*,
};
use crate::{NewMessage, Refusal};

pub(super) async fn an_edit_keeps_to_the_parts_of_the_messages_type(room: &mut Room) {
    let place = |title: &str| Location { title: title.into(), ..Location::default() }.encode_to_vec();
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let sent =
            NewMessage { kind: Type::Location.into(), attachment: place("the lake").into(), ..text(ADA, to, "m") };
        let target = ok(room.send(sent).await).server_msg_id;
        let with = |id: &str, attachment: Vec<u8>| NewMessage {
            attachment: attachment.into(),
            ..edit(ADA, to, id, target, "here")
        };
        let told = refused(room.send(with("e1", place(&"x".repeat(256)))).await);
        assert!(matches!(&told, Refusal::BadAttachment(why) if why.starts_with("attachment.title ")), "{told:?}");
        assert!(matches!(refused(room.send(with("e2", vec![255])).await), Refusal::BadAttachment(_)));
        ok(room.send(with("e3", place("the other side"))).await);
        assert_eq!(at(room, BOB, to, target).await.attachment, place("the other side"));
    }
    // Of other types it is whatever the app likes.
    let target = room.say(ADA, single(ADA, BOB)).await.server_msg_id;
    let opaque = edit(ADA, single(ADA, BOB), "e4", target, "here");
    ok(room.send(NewMessage { attachment: vec![255].into(), ..opaque }).await);
}
