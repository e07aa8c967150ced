//! What messages of the kinds that every client knows bear beside their text, as an app sees it.

use anser_proto::{attachment::Attachment as Parsed, v1};
use bytes::Bytes;
use prost::Message as _;

use super::{Kind, Message};
use crate::engine::Draft;

/// What a message shows beside its text. The bytes of files lie elsewhere.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Attachment {
    /// 1 to 10, which are shown together.
    Images(Vec<Image>),
    Audio(Audio),
    /// 1 to 10, which are shown together.
    Videos(Vec<Video>),
    /// 1 to 10.
    Files(Vec<File>),
    Location(Location),
}

/// Something whose bytes lie elsewhere.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct File {
    /// Where they are, as whoever keeps them calls it: at most 1 024 bytes.
    pub file: String,
    /// As in `image/jpeg`, in lower case.
    pub mime_type: String,
    pub size_bytes: u64,
    /// Without a path; at most 255 characters. Only of [`Attachment::Files`] it is needed.
    pub name: String,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Image {
    pub file: File,
    /// In pixels, as it is to be shown.
    pub width: u32,
    pub height: u32,
    /// What is shown until the bytes are there: a ThumbHash of 5 to 25 bytes, or nothing.
    pub thumbhash: Bytes,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Audio {
    pub file: File,
    pub duration_ms: u32,
    /// Of something spoken: how loud it is in each of 64 stretches of the same length. Else nothing.
    pub levels: Bytes,
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Video {
    pub file: File,
    /// In pixels, as it is to be shown.
    pub width: u32,
    pub height: u32,
    pub duration_ms: u32,
    /// As of an image.
    pub thumbhash: Bytes,
}

#[derive(Clone, PartialEq, Default, Debug)]
pub struct Location {
    /// Degrees of WGS 84: north is positive.
    pub latitude: f64,
    /// East is positive.
    pub longitude: f64,
    pub title: String,
    pub address: String,
}

impl Attachment {
    /// What a message of this kind shows. None: nothing that this client knows; then its `content` is shown alone.
    pub fn parse(kind: Kind, bytes: &Bytes) -> Option<Self> {
        let of_all = Parsed::parse(kind.into(), bytes).ok()??;
        Some(match of_all {
            Parsed::Images(v1::Images { images }) => Self::Images(images.into_iter().map(Image::from).collect()),
            Parsed::Audio(audio) => Self::Audio(audio.into()),
            Parsed::Videos(v1::Videos { videos }) => Self::Videos(videos.into_iter().map(Video::from).collect()),
            Parsed::Files(v1::Files { files }) => Self::Files(files.into_iter().map(File::from).collect()),
            Parsed::Location(location) => Self::Location(location.into()),
        })
    }

    /// The kind of a message that bears it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Images(_) => Kind::Image,
            Self::Audio(_) => Kind::Audio,
            Self::Videos(_) => Kind::Video,
            Self::Files(_) => Kind::File,
            Self::Location(_) => Kind::Location,
        }
    }

    /// As a message bears it.
    pub fn to_bytes(&self) -> Bytes {
        match self.clone() {
            Self::Images(images) => {
                v1::Images { images: images.into_iter().map(v1::Image::from).collect() }.encode_to_vec()
            }
            Self::Audio(audio) => v1::Audio::from(audio).encode_to_vec(),
            Self::Videos(videos) => {
                v1::Videos { videos: videos.into_iter().map(v1::Video::from).collect() }.encode_to_vec()
            }
            Self::Files(files) => v1::Files { files: files.into_iter().map(v1::File::from).collect() }.encode_to_vec(),
            Self::Location(location) => v1::Location::from(location).encode_to_vec(),
        }
        .into()
    }
}

impl Message {
    /// What it shows beside its text, of a kind that has parts.
    pub fn parts(&self) -> Option<Attachment> {
        Attachment::parse(self.kind, &self.attachment)
    }
}

impl Draft {
    /// A message with parts; `text` is shown with them, and in their place by clients that do not know them. What the server would refuse
    /// is refused by it: the message fails with `BAD_FIELD`, which names the part.
    pub fn with_parts(parts: &Attachment, text: impl Into<String>) -> Self {
        let mut draft = Self::new(parts.kind(), text);
        draft.attachment = parts.to_bytes();
        draft
    }
}

const E7: f64 = 10_000_000.0;

impl From<v1::Location> for Location {
    fn from(location: v1::Location) -> Self {
        let v1::Location { latitude_e7, longitude_e7, title, address } = location;
        Self { latitude: f64::from(latitude_e7) / E7, longitude: f64::from(longitude_e7) / E7, title, address }
    }
}

impl From<Location> for v1::Location {
    fn from(location: Location) -> Self {
        let Location { latitude, longitude, title, address } = location;
        // What is no number becomes 0, and what is too large the largest: the server refuses it.
        let (latitude_e7, longitude_e7) = ((latitude * E7).round() as i32, (longitude * E7).round() as i32);
        Self { latitude_e7, longitude_e7, title, address }
    }
}

impl From<v1::File> for File {
    fn from(v1::File { file, mime_type, size_bytes, name }: v1::File) -> Self {
        Self { file, mime_type, size_bytes, name }
    }
}

impl From<File> for v1::File {
    fn from(File { file, mime_type, size_bytes, name }: File) -> Self {
        Self { file, mime_type, size_bytes, name }
    }
}

impl From<v1::Image> for Image {
    fn from(v1::Image { file, width, height, thumbhash }: v1::Image) -> Self {
        Self { file: file.unwrap_or_default().into(), width, height, thumbhash }
    }
}

impl From<Image> for v1::Image {
    fn from(Image { file, width, height, thumbhash }: Image) -> Self {
        Self { file: Some(file.into()), width, height, thumbhash }
    }
}

impl From<v1::Audio> for Audio {
    fn from(v1::Audio { file, duration_ms, levels }: v1::Audio) -> Self {
        Self { file: file.unwrap_or_default().into(), duration_ms, levels }
    }
}

impl From<Audio> for v1::Audio {
    fn from(Audio { file, duration_ms, levels }: Audio) -> Self {
        Self { file: Some(file.into()), duration_ms, levels }
    }
}

impl From<v1::Video> for Video {
    fn from(v1::Video { file, width, height, duration_ms, thumbhash }: v1::Video) -> Self {
        Self { file: file.unwrap_or_default().into(), width, height, duration_ms, thumbhash }
    }
}

impl From<Video> for v1::Video {
    fn from(Video { file, width, height, duration_ms, thumbhash }: Video) -> Self {
        Self { file: Some(file.into()), width, height, duration_ms, thumbhash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(mime_type: &str) -> File {
        File { file: "f-1".into(), mime_type: mime_type.into(), size_bytes: 9, name: "lake".into() }
    }

    #[test]
    fn what_is_sent_comes_out_as_it_was() {
        let image = Image { file: file("image/png"), width: 3, height: 4, thumbhash: vec![7; 25].into() };
        let video = Video { file: file("video/mp4"), width: 3, height: 4, duration_ms: 5, thumbhash: Bytes::default() };
        let audio = Audio { file: file("audio/ogg"), duration_ms: 5, levels: vec![1; 64].into() };
        let location =
            Location { latitude: 30.2589242, longitude: 120.1303512, title: "西湖".into(), address: "杭州".into() };
        for parts in [
            Attachment::Images(vec![image.clone(), image]),
            Attachment::Videos(vec![video]),
            Attachment::Audio(audio),
            Attachment::Files(vec![file("application/pdf")]),
            Attachment::Location(location),
        ] {
            let draft = Draft::with_parts(&parts, "look");
            assert_eq!((draft.kind, draft.content.as_str()), (parts.kind(), "look"));
            assert_eq!(Attachment::parse(draft.kind, &draft.attachment), Some(parts));
        }
    }

    #[test]
    fn what_this_client_does_not_know_is_nothing_to_it() {
        let nowhere = Attachment::Location(Location { latitude: f64::NAN, longitude: 1e9, ..Location::default() });
        assert_eq!(Attachment::parse(Kind::Location, &nowhere.to_bytes()), None);
        for kind in [Kind::Text, Kind::Custom, Kind::Notice, Kind::Unknown, Kind::Image] {
            assert_eq!(Attachment::parse(kind, &Bytes::from_static(b"\xff")), None);
        }
    }
}
