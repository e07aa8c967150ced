//! Frames whose framing is right and whose content is not, and bytes that are nothing.

use std::io;

use anser_proto::Format;
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::outlast;
use crate::{peer::Came, site::Site, toll::Toll};

/// A value that is wrong fails its request, and the connection goes on.
pub async fn wrong_values(site: Site, _until: Instant) -> io::Result<Toll> {
    let mut mallory = site.login_as(Format::Json, "mallory", "phone").await?;
    let mut toll = Toll::default();
    for wrong in [
        r#""send": {"content": "\ud83d"}"#,
        r#""send": {"content": "\udc00\ud83d"}"#,
        r#""send": {"attachment": "!"}"#,
        r#""send": {"attachment": "AAA=AAA="}"#,
        r#""pull": {"limit": -1}"#,
        r#""pull": {"limit": 4294967296}"#,
        r#""pull": {"limit": 1.5}"#,
        r#""pull": {"after": "18446744073709551616"}"#,
        r#""pull": {"after": "1e99"}"#,
        r#""pull": {"after": []}"#,
        r#""send": {"content": 5}"#,
        r#""send": {"settings": 5}"#,
        r#""get_users": {"user_ids": {}}"#,
        r#""get_users": {"user_ids": ["x"]}"#,
    ] {
        mallory.stream.write_all(&mallory.wrap(format!("{{\"request_id\": 7, {wrong}}}").as_bytes())).await?;
        let came = mallory.came().await;
        toll.count(&came);
        if matches!(came, Came::Closed(_)) {
            mallory = site.login_as(Format::Json, "mallory", "phone").await?;
        }
    }
    mallory.stream.write_all(&mallory.wrap(br#"{"request_id": 8, "ping": {}}"#)).await?;
    toll.count(&mallory.came().await);
    Ok(toll)
}

pub async fn json_without_bottom(site: Site, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    for deep in ["[", "{\"x\":", "[{\"x\":"] {
        for before in ["{\"request_id\": 1, \"x\": ", "{\"request_id\": 1, \"send\": {\"settings\": ", ""] {
            let mut mallory = site.login_as(Format::Json, "mallory", "phone").await?;
            let text = format!("{before}{}", deep.repeat(400_000 / deep.len()));
            mallory.stream.write_all(&mallory.wrap(text.as_bytes())).await?;
            toll = toll.and(outlast(&mut mallory, until).await);
        }
    }
    Ok(toll)
}

pub async fn no_frames_at_all(site: Site, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    let mut noise = Noise(0x9E37_79B9);
    for length in [1, 7, 64, 1_000, 8_000, 64_000] {
        let bytes = noise.bytes(length);
        let mut over_tcp = site.login_tcp("mallory", "phone").await?;
        // A length that is allowed, with noise behind it.
        over_tcp.stream.write_all(&over_tcp.wrap(&bytes)).await?;
        toll = toll.and(outlast(&mut over_tcp, until).await);
        let mut over_tcp = site.login_tcp("mallory", "phone").await?;
        over_tcp.stream.write_all(&[&[0xff; 4][..], &bytes].concat()).await?;
        toll = toll.and(outlast(&mut over_tcp, until).await);
        let mut json = site.login_as(Format::Json, "mallory", "phone").await?;
        json.stream.write_all(&json.wrap(&bytes)).await?;
        toll = toll.and(outlast(&mut json, until).await);
    }
    Ok(toll)
}

/// Bytes that are the same in each run: Lehmer's generator. The high bit is set, so that none of it is text.
struct Noise(u64);

impl Noise {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 = self.0 * 48_271 % 0x7fff_ffff;
            self.0 as u8 | 0x80
        };
        (0..count).map(|_| next()).collect()
    }
}
