//! What messages of the known types bear: bytes that never change, and those that docs/protocol.md shows.

use std::{fs, path::PathBuf};

use anser_proto::{
    Attachment, Format,
    v1::{
        Audio, ClientFrame, File, Files, Image, Images, Location, Video, Videos, client_frame::Request, message::Type,
    },
};
use bytes::Bytes;
use prost::Message as _;

fn file(mime_type: &str, name: &str) -> Option<File> {
    let file = "f/0197a3c1-6f2e-7d40".into();
    Some(File { file, mime_type: mime_type.into(), size_bytes: 245_760, name: name.into() })
}

/// One of each type, with every field set to a value of its own.
fn samples() -> [(&'static str, Type, Vec<u8>); 5] {
    let hash = || (1..=25).collect::<Vec<u8>>().into();
    let image = Image { file: file("image/jpeg", "lake.jpg"), width: 1_280, height: 720, thumbhash: hash() };
    let other = Image { file: file("image/png", ""), width: 65_535, height: 1, thumbhash: Bytes::new() };
    let audio =
        Audio { file: file("audio/ogg", "voice.ogg"), duration_ms: 4_200, levels: (0..64).collect::<Vec<u8>>().into() };
    let video = Video {
        file: file("video/mp4", "geese.mp4"),
        width: 1_920,
        height: 1_080,
        duration_ms: 34_000,
        thumbhash: hash(),
    };
    let location = Location {
        latitude_e7: 302_589_242,
        longitude_e7: -1_201_303_512,
        title: "西湖".into(),
        address: "1 Lake Road".into(),
    };
    [
        ("images", Type::Image, Images { images: vec![image, other] }.encode_to_vec()),
        ("audio", Type::Audio, audio.encode_to_vec()),
        ("videos", Type::Video, Videos { videos: vec![video] }.encode_to_vec()),
        (
            "files",
            Type::File,
            Files { files: file("application/pdf", "report.pdf").into_iter().collect() }.encode_to_vec(),
        ),
        ("location", Type::Location, location.encode_to_vec()),
    ]
}

#[test]
fn golden_attachments_are_read_and_written_as_ever() {
    for (name, kind, bytes) in samples() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/attachment.{name}.bin"));
        if !path.exists() && std::env::var("ANSER_GOLDEN").as_deref() == Ok("new") {
            fs::write(&path, &bytes).expect("the folder can be written");
        }
        assert_eq!(fs::read(&path).expect("it is there"), bytes, "{name} is not what is written now");
        assert!(matches!(Attachment::parse(kind, &bytes.into()), Ok(Some(_))), "{name}");
    }
}

#[test]
fn the_attachments_in_the_documents_are_what_they_say() {
    let page = include_str!("../../../../docs/protocol.md");
    let examples: Vec<_> =
        page.split("```json attachment\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let frame = format!(r#"{{"request_id": 1, "send": {example}}}"#);
        let frame: ClientFrame = Format::Json.decode(&frame.into()).expect("a frame");
        let Some(Request::Send(send)) = frame.request else { panic!("no send") };
        match Attachment::parse(send.r#type(), &send.attachment).expect("sound") {
            Some(Attachment::Images(Images { images })) => {
                let file = images[0].file.as_ref().expect("a file");
                assert_eq!((file.mime_type.as_str(), file.size_bytes), ("image/jpeg", 245_760));
                assert_eq!((images.len(), images[0].width, images[0].height), (1, 1_280, 720));
            }
            Some(Attachment::Location(location)) => {
                assert_eq!((location.latitude_e7, location.longitude_e7), (302_589_242, 1_201_303_512));
                assert_eq!(location.title, "西湖");
            }
            other => panic!("{other:?}"),
        }
    }
}
