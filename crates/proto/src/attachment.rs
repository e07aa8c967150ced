//! What messages of the types that every client knows bear beside their text. The server checks it when it comes, and a client before it draws
//! it: a server may be older than the rule, or no friend.

use std::fmt::Display;

use bytes::Bytes;

use crate::{
    limits::{
        ALBUM_MAX, DURATION_MS_MAX, FILE_BYTES_MAX, FILE_SIZE_BYTES_MAX, LEVELS, MIME_TYPE_BYTES_MAX, SIDE_MAX,
        THUMBHASH_BYTES_MAX, TITLE_CHARS_MAX,
    },
    v1::{Audio, File, Files, Image, Images, Location, Video, Videos, message::Type},
};

/// Fewer hold no picture.
const THUMBHASH_BYTES_MIN: usize = 5;
const LATITUDE_E7_MAX: i32 = 900_000_000;
const LONGITUDE_E7_MAX: i32 = 1_800_000_000;

#[derive(Clone, PartialEq, Debug)]
pub enum Attachment {
    Images(Images),
    Audio(Audio),
    Videos(Videos),
    Files(Files),
    Location(Location),
}

/// Which part is wrong, and what it may be.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("attachment{0}")]
pub struct BadAttachment(String);

type Checked = Result<(), BadAttachment>;

impl Attachment {
    /// None: messages of this type bear whatever their app likes.
    pub fn parse(kind: Type, bytes: &Bytes) -> Result<Option<Self>, BadAttachment> {
        let attachment = match kind {
            Type::Image => Self::Images(decode("Images", bytes)?),
            Type::Audio => Self::Audio(decode("Audio", bytes)?),
            Type::Video => Self::Videos(decode("Videos", bytes)?),
            Type::File => Self::Files(decode("Files", bytes)?),
            Type::Location => Self::Location(decode("Location", bytes)?),
            _ => return Ok(None),
        };
        attachment.check()?;
        Ok(Some(attachment))
    }

    fn check(&self) -> Checked {
        match self {
            Self::Images(Images { images }) => check_each(".images", images, check_image),
            Self::Audio(audio) => check_audio(audio),
            Self::Videos(Videos { videos }) => check_each(".videos", videos, check_video),
            Self::Files(Files { files }) => check_each(".files", files, |part, file| {
                check_file(part, Some(file), "")?;
                if file.name.is_empty() { bad(format_args!("{part}.name is empty: a file needs one")) } else { Ok(()) }
            }),
            Self::Location(location) => check_location(location),
        }
    }
}

fn decode<T: prost::Message + Default>(name: &str, bytes: &Bytes) -> Result<T, BadAttachment> {
    T::decode(bytes.clone()).map_err(|error| BadAttachment(format!(" is no {name} in protobuf: {error}")))
}

fn check_each<T>(part: &str, all: &[T], check: impl Fn(&str, &T) -> Checked) -> Checked {
    check_within(format_args!("{part} names"), all.len(), 1, ALBUM_MAX)?;
    all.iter().enumerate().try_for_each(|(at, one)| check(&format!("{part}[{at}]"), one))
}

fn check_image(part: &str, image: &Image) -> Checked {
    check_file(&format!("{part}.file"), image.file.as_ref(), "image/")?;
    check_sides(part, image.width, image.height)?;
    check_thumbhash(part, &image.thumbhash)
}

fn check_video(part: &str, video: &Video) -> Checked {
    check_file(&format!("{part}.file"), video.file.as_ref(), "video/")?;
    check_sides(part, video.width, video.height)?;
    check_within(format_args!("{part}.duration_ms is"), video.duration_ms, 1, DURATION_MS_MAX)?;
    check_thumbhash(part, &video.thumbhash)
}

fn check_audio(audio: &Audio) -> Checked {
    check_file(".file", audio.file.as_ref(), "audio/")?;
    check_within(".duration_ms is", audio.duration_ms, 1, DURATION_MS_MAX)?;
    match audio.levels.len() {
        0 | LEVELS => Ok(()),
        levels => bad(format_args!(".levels has {levels} bytes: {LEVELS} or none are allowed")),
    }
}

fn check_location(location: &Location) -> Checked {
    let Location { latitude_e7, longitude_e7, title, address } = location;
    check_within(".latitude_e7 is", *latitude_e7, -LATITUDE_E7_MAX, LATITUDE_E7_MAX)?;
    check_within(".longitude_e7 is", *longitude_e7, -LONGITUDE_E7_MAX, LONGITUDE_E7_MAX)?;
    check_line(".title", title)?;
    check_line(".address", address)
}

/// `kind`: how its media type begins.
fn check_file(part: &str, file: Option<&File>, kind: &str) -> Checked {
    let Some(File { file, mime_type, size_bytes, name }) = file else {
        return bad(format_args!("{part} is missing"));
    };
    check_within(format_args!("{part}.file has bytes:"), file.len(), 1, FILE_BYTES_MAX)?;
    if file.contains(char::is_control) {
        return bad(format_args!("{part}.file has a control character"));
    }
    if !is_mime_type(mime_type) || !mime_type.starts_with(kind) {
        let what = format_args!("write a media type as in RFC 6838, in lower case, that begins with {kind:?}");
        return bad(format_args!("{part}.mime_type is {mime_type:?}: {what}"));
    }
    check_within(format_args!("{part}.size_bytes is"), *size_bytes, 1, FILE_SIZE_BYTES_MAX)?;
    if name.contains(['/', '\\']) {
        return bad(format_args!("{part}.name has a path: write the last part of it alone"));
    }
    check_line(&format!("{part}.name"), name)
}

/// RFC 6838, 4.2; in lower case, so that all clients compare it alike.
fn is_mime_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$&-^_.+".contains(&byte);
        name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.bytes().all(is_allowed)
    };
    let (kind, what) = text.split_once('/').unwrap_or_default();
    text.len() <= MIME_TYPE_BYTES_MAX && is_name(kind) && is_name(what)
}

fn check_sides(part: &str, width: u32, height: u32) -> Checked {
    check_within(format_args!("{part}.width is"), width, 1, SIDE_MAX)?;
    check_within(format_args!("{part}.height is"), height, 1, SIDE_MAX)
}

fn check_thumbhash(part: &str, thumbhash: &[u8]) -> Checked {
    match thumbhash.len() {
        0 => Ok(()),
        bytes => {
            check_within(format_args!("{part}.thumbhash has bytes:"), bytes, THUMBHASH_BYTES_MIN, THUMBHASH_BYTES_MAX)
        }
    }
}

/// What people read, on one line. A name that turns the direction of text would show another ending than it has.
fn check_line(part: &str, text: &str) -> Checked {
    let turns =
        |char| matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
    let breaks = |char| matches!(char, '\u{2028}' | '\u{2029}');
    if text.contains(|char: char| char.is_control() || turns(char) || breaks(char)) {
        return bad(format_args!("{part} has a character that breaks a line or turns its direction"));
    }
    check_within(format_args!("{part} has characters:"), text.chars().count(), 0, TITLE_CHARS_MAX)
}

fn check_within<T: PartialOrd + Display>(part: impl Display, value: T, min: T, max: T) -> Checked {
    if (&min..=&max).contains(&&value) {
        Ok(())
    } else {
        bad(format_args!("{part} {value}: {min} to {max} are allowed"))
    }
}

fn bad(why: impl Display) -> Checked {
    Err(BadAttachment(why.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn file() -> File {
        File { file: "f-1".into(), mime_type: "image/jpeg".into(), size_bytes: 245_760, name: "lake.jpg".into() }
    }

    fn image() -> Image {
        Image { file: Some(file()), width: 1_280, height: 720, thumbhash: vec![7; 25].into() }
    }

    fn parse(kind: Type, attachment: &impl prost::Message) -> Result<Option<Attachment>, String> {
        Attachment::parse(kind, &attachment.encode_to_vec().into()).map_err(|bad| bad.to_string())
    }

    fn check(kind: Type, attachment: &impl prost::Message, named: &str) {
        let told = parse(kind, attachment).expect_err(named);
        assert!(told.starts_with(named), "{told:?} does not begin with {named:?}");
    }

    #[test]
    fn what_is_within_its_bounds_is_taken_and_what_is_not_is_named() {
        let images = |image: Image| Images { images: vec![image] };
        let of = |change: &dyn Fn(&mut File)| {
            let mut file = file();
            change(&mut file);
            images(Image { file: Some(file), ..image() })
        };
        assert_eq!(parse(Type::Image, &images(image())), Ok(Some(Attachment::Images(images(image())))));
        check(Type::Image, &Images::default(), "attachment.images names 0: 1 to 10");
        check(Type::Image, &Images { images: vec![image(); 11] }, "attachment.images names 11: 1 to 10");
        check(Type::Image, &images(Image { file: None, ..image() }), "attachment.images[0].file is missing");
        check(Type::Image, &images(Image { width: 0, ..image() }), "attachment.images[0].width is 0: 1 to 65535");
        check(Type::Image, &images(Image { height: 65_536, ..image() }), "attachment.images[0].height is 65536");
        let images_of = |thumbhash: &'static [u8]| images(Image { thumbhash: thumbhash.into(), ..image() });
        check(Type::Image, &images_of(&[7; 26]), "attachment.images[0].thumbhash has bytes: 26: 5 to 25");
        check(Type::Image, &images_of(&[7; 4]), "attachment.images[0].thumbhash");
        check(Type::Image, &of(&|file| file.file.clear()), "attachment.images[0].file.file has bytes: 0: 1 to 1024");
        check(Type::Image, &of(&|file| file.file = "x".repeat(1_025)), "attachment.images[0].file.file");
        check(Type::Image, &of(&|file| file.size_bytes = 0), "attachment.images[0].file.size_bytes is 0");
        check(Type::Image, &of(&|file| file.size_bytes = (1 << 53) + 1), "attachment.images[0].file.size_bytes");
        for mime_type in ["", "image", "image/", "video/mp4", "image/JPEG", "image/a b", "image/png; q=1", "/png"] {
            check(Type::Image, &of(&|file| file.mime_type = mime_type.into()), "attachment.images[0].file.mime_type");
        }
        for name in ["../lake.jpg", "C:\\lake.jpg", "a\nb", "gpj.\u{202e}exe", &"x".repeat(256)] {
            check(Type::Image, &of(&|file| file.name = name.into()), "attachment.images[0].file.name");
        }
        assert!(parse(Type::Image, &of(&|file| file.name.clear())).is_ok(), "a picture needs no name");
    }

    #[test]
    fn each_type_has_its_parts() {
        let of = |mime_type: &str| Some(File { mime_type: mime_type.into(), ..file() });
        let audio = Audio { file: of("audio/ogg"), duration_ms: 4_200, levels: vec![9; 64].into() };
        assert!(parse(Type::Audio, &audio).is_ok());
        assert!(parse(Type::Audio, &Audio { levels: Bytes::new(), ..audio.clone() }).is_ok(), "music");
        check(Type::Audio, &Audio { duration_ms: 0, ..audio.clone() }, "attachment.duration_ms is 0: 1 to 86400000");
        check(Type::Audio, &Audio { levels: vec![9; 63].into(), ..audio.clone() }, "attachment.levels has 63 bytes");
        check(Type::Audio, &Audio { file: of("image/png"), ..audio }, "attachment.file.mime_type");

        let video = Video { file: of("video/mp4"), width: 1, height: 1, duration_ms: 1, thumbhash: Bytes::new() };
        let videos = |video| Videos { videos: vec![video] };
        assert!(parse(Type::Video, &videos(video.clone())).is_ok());
        check(Type::Video, &videos(Video { duration_ms: 86_400_001, ..video }), "attachment.videos[0].duration_ms");

        let files = |file| Files { files: vec![self::file(), file] };
        assert!(parse(Type::File, &files(file())).is_ok());
        check(Type::File, &files(File { name: String::new(), ..file() }), "attachment.files[1].name is empty");

        let location = Location {
            latitude_e7: -900_000_000,
            longitude_e7: 1_800_000_000,
            title: "西湖".into(),
            address: String::new(),
        };
        assert!(parse(Type::Location, &location).is_ok());
        let (north, east) = (900_000_001, -1_800_000_001);
        check(
            Type::Location,
            &Location { latitude_e7: north, ..location.clone() },
            "attachment.latitude_e7 is 900000001",
        );
        check(Type::Location, &Location { longitude_e7: east, ..location.clone() }, "attachment.longitude_e7");
        check(Type::Location, &Location { title: "x".repeat(256), ..location.clone() }, "attachment.title");
        check(Type::Location, &Location { address: "a\u{7}".into(), ..location }, "attachment.address");
        for kind in [Type::Text, Type::Custom, Type::Unknown] {
            assert_eq!(Attachment::parse(kind, &Bytes::from_static(b"\xff")), Ok(None), "opaque");
        }
    }

    /// A client of a later version says more than this one knows: it is passed on as it came.
    #[test]
    fn what_is_not_known_does_no_harm() {
        let mut bytes = Images { images: vec![image()] }.encode_to_vec();
        bytes.extend([0xa2, 0x06, 0x03, b'n', b'e', b'w']);
        assert!(Attachment::parse(Type::Image, &bytes.into()).is_ok_and(|attachment| attachment.is_some()));
    }

    fn types() -> impl Strategy<Value = Type> {
        prop_oneof![Just(Type::Image), Just(Type::Audio), Just(Type::Video), Just(Type::File), Just(Type::Location)]
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_are_refused_or_within_the_bounds(
            kind in types(),
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            at: usize,
            cut: usize,
            is_sound: bool,
        ) {
            if is_sound {
                // Of something sound, with a byte that is not, and without its end.
                let sound = Images { images: vec![image(); 2] }.encode_to_vec();
                let (byte, at) = (bytes.first().copied().unwrap_or(0), at % sound.len());
                bytes = sound;
                bytes[at] = byte;
                bytes.truncate(cut % (bytes.len() + 1));
            }
            if let Ok(Some(attachment)) = Attachment::parse(kind, &bytes.into()) {
                prop_assert_eq!(attachment.check(), Ok(()));
            }
        }
    }
}
