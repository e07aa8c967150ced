//! What a message shows beside its text, in words: a terminal has no pictures.

use anser_client::{Attachment, File};

use super::{super::wash, Text};

const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];

impl Text {
    pub fn parts(self, parts: &Attachment) -> String {
        match parts {
            Attachment::Images(images) => match &images[..] {
                [one] => self.part("image", "图片", [sides(one.width, one.height), size(one.file.size_bytes)]),
                many => self.album("images", "张图片", many.iter().map(|image| &image.file)),
            },
            Attachment::Audio(audio) if audio.levels.is_empty() => {
                self.part("audio", "音频", [time(audio.duration_ms), size(audio.file.size_bytes)])
            }
            Attachment::Audio(audio) => self.part("voice", "语音", [time(audio.duration_ms)]),
            Attachment::Videos(videos) => match &videos[..] {
                [one] => {
                    let sides = sides(one.width, one.height);
                    self.part("video", "视频", [sides, time(one.duration_ms), size(one.file.size_bytes)])
                }
                many => self.album("videos", "个视频", many.iter().map(|video| &video.file)),
            },
            Attachment::Files(files) => match &files[..] {
                [one] => self.part("file", "文件", [wash::line(&one.name), size(one.size_bytes)]),
                many => self.album("files", "个文件", many.iter()),
            },
            Attachment::Location(location) => {
                let place = match wash::line(&location.title) {
                    title if title.is_empty() => format!("{:.5}, {:.5}", location.latitude, location.longitude),
                    title => title,
                };
                self.part("location", "位置", [place])
            }
            _ => self.pick("[message]", "[消息]").into(),
        }
    }

    fn part<const PARTS: usize>(self, en: &str, zh: &str, said: [String; PARTS]) -> String {
        self.choose(format!("[{en} {}]", said.join(", ")), format!("[{zh} {}]", said.join("，")))
    }

    fn album<'a>(self, en: &str, zh: &str, files: impl Iterator<Item = &'a File>) -> String {
        let (count, bytes) = files.fold((0, 0_u64), |(count, bytes), file| (count + 1, bytes + file.size_bytes));
        let size = size(bytes);
        self.choose(format!("[{count} {en}, {size}]"), format!("[{count} {zh}，{size}]"))
    }
}

fn sides(width: u32, height: u32) -> String {
    format!("{} × {}", grouped(width), grouped(height))
}

/// `1 280`. A side has at most five digits.
fn grouped(number: u32) -> String {
    if number < 1_000 { number.to_string() } else { format!("{} {:03}", number / 1_000, number % 1_000) }
}

/// `3:07`, or `1:03:07`.
fn time(duration_ms: u32) -> String {
    let seconds = duration_ms.div_ceil(1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}:{seconds:02}") } else { format!("{hours}:{minutes:02}:{seconds:02}") }
}

/// `240 KB`, `4.2 MB`: never less than it is.
fn size(bytes: u64) -> String {
    let (mut tenths, mut unit) = (bytes.saturating_mul(10).div_ceil(1_024), 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        (tenths, unit) = (tenths.div_ceil(1_024), unit + 1);
    }
    let unit = UNITS[unit];
    match tenths {
        0..=9 => format!("1 {unit}"),
        10..=99 if tenths % 10 > 0 => format!("{}.{} {unit}", tenths / 10, tenths % 10),
        _ => format!("{} {unit}", tenths.div_ceil(10)),
    }
}

#[cfg(test)]
mod tests {
    use anser_client::{Audio, Image, Location, Video};

    use super::*;
    use crate::lang::Lang;

    fn file(name: &str, size_bytes: u64) -> File {
        File { name: name.into(), size_bytes, ..File::default() }
    }

    fn check(parts: &Attachment, en: &str, zh: &str) {
        assert_eq!((Text(Lang::En).parts(parts), Text(Lang::Zh).parts(parts)), (en.to_owned(), zh.to_owned()));
    }

    #[test]
    fn parts_are_told_in_words() {
        let image = Image { file: file("", 245_760), width: 1_280, height: 720, ..Image::default() };
        check(&Attachment::Images(vec![image.clone()]), "[image 1 280 × 720, 240 KB]", "[图片 1 280 × 720，240 KB]");
        check(&Attachment::Images(vec![image; 3]), "[3 images, 720 KB]", "[3 张图片，720 KB]");
        let video =
            Video { file: file("", 13_000_000), width: 1, height: 1_001, duration_ms: 34_001, ..Video::default() };
        check(&Attachment::Videos(vec![video]), "[video 1 × 1 001, 0:35, 13 MB]", "[视频 1 × 1 001，0:35，13 MB]");
        let music = Audio { file: file("", 4_400_000), duration_ms: 3_787_000, ..Audio::default() };
        let spoken = Audio { levels: vec![1; 64].into(), duration_ms: 12_000, ..music.clone() };
        check(&Attachment::Audio(music), "[audio 1:03:07, 4.2 MB]", "[音频 1:03:07，4.2 MB]");
        check(&Attachment::Audio(spoken), "[voice 0:12]", "[语音 0:12]");
        let files = vec![file("report\u{1b}[2J.pdf", 1), file("b.pdf", 1_023)];
        check(&Attachment::Files(files[..1].to_vec()), "[file report[2J.pdf, 1 KB]", "[文件 report[2J.pdf，1 KB]");
        check(&Attachment::Files(files), "[2 files, 1 KB]", "[2 个文件，1 KB]");
        let lake =
            Location { latitude: 30.258_924_2, longitude: -120.5, title: "西湖".into(), ..Location::default() };
        check(&Attachment::Location(lake.clone()), "[location 西湖]", "[位置 西湖]");
        let nameless = Location { title: String::new(), ..lake };
        check(&Attachment::Location(nameless), "[location 30.25892, -120.50000]", "[位置 30.25892, -120.50000]");
    }
}
