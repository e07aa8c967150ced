//! The second way of kicks, and what Redis may do to it.

use anser_server::cluster::{Cause, Inbox, Kicks, counts::Counts, kicks::KickStream};
use anser_services::{Kept, Place, Redis};
use bytes::Bytes;

use crate::{LOG_ID, NAME, within};

async fn open(redis: &Redis) -> (KickStream, Inbox) {
    KickStream::open(&redis.url(), NAME, LOG_ID, Counts::default()).await.expect("a stream")
}

fn start() -> Redis {
    Redis::start(Place::Tests).expect("redis")
}

async fn receives(inbox: &mut Inbox, kick: &'static str) {
    assert_eq!(within(kick, inbox.recv()).await.expect("the stream lives"), kick);
}

#[tokio::test]
async fn a_kick_reaches_every_node_and_the_one_it_came_from() {
    let redis = start();
    let ((one, mut ones), (_two, mut twos)) = (open(&redis).await, open(&redis).await);
    for kick in ["first", "second"] {
        one.add(Bytes::from_static(kick.as_bytes()), Cause::Ordered);
        receives(&mut ones, kick).await;
        receives(&mut twos, kick).await;
    }
}

#[tokio::test]
async fn a_node_that_starts_is_not_told_of_what_was() {
    let redis = start();
    let (one, mut ones) = open(&redis).await;
    one.add(Bytes::from_static(b"old"), Cause::Ordered);
    receives(&mut ones, "old").await;
    let (_two, mut twos) = open(&redis).await;
    one.add(Bytes::from_static(b"new"), Cause::Ordered);
    receives(&mut twos, "new").await;
}

#[tokio::test]
async fn kicks_arrive_after_a_wipe() {
    let redis = start();
    let ((one, mut ones), (_two, mut twos)) = (open(&redis).await, open(&redis).await);
    for kick in ["first", "second", "third"] {
        redis.command(&["FLUSHALL"]).expect("a wipe");
        one.add(Bytes::from_static(kick.as_bytes()), Cause::Ordered);
        receives(&mut ones, kick).await;
        receives(&mut twos, kick).await;
    }
}

#[tokio::test]
async fn a_kick_waits_for_a_redis_that_is_away_and_none_is_done_again_when_an_old_one_comes_back() {
    let mut redis = start();
    let ((one, mut ones), (_two, mut twos)) = (open(&redis).await, open(&redis).await);
    for kick in ["first", "second"] {
        one.add(Bytes::from_static(kick.as_bytes()), Cause::Ordered);
        receives(&mut ones, kick).await;
        receives(&mut twos, kick).await;
        redis.command(&["SAVE"]).expect("a dump");
    }
    one.add(Bytes::from_static(b"third"), Cause::Ordered);
    receives(&mut ones, "third").await;
    receives(&mut twos, "third").await;
    redis.kill();
    one.add(Bytes::from_static(b"fourth"), Cause::Ordered);
    redis.start_again(Kept::Dump).expect("redis from its dump");
    for inbox in [&mut ones, &mut twos] {
        // The third may have been written without its writer being told so: then it is written once more.
        let mut received = within("it comes", inbox.recv()).await;
        if received.as_deref() == Some(b"third") {
            received = within("it comes", inbox.recv()).await;
        }
        assert_eq!(received.as_deref(), Some(&b"fourth"[..]));
    }
}

#[tokio::test]
async fn the_stream_is_bounded() {
    let redis = start();
    let (one, mut ones) = open(&redis).await;
    let kicks = 12_000_u32;
    for number in 0..kicks {
        one.add(Bytes::copy_from_slice(&number.to_be_bytes()), Cause::Ordered);
        assert_eq!(within("it comes", ones.recv()).await, Some(Bytes::copy_from_slice(&number.to_be_bytes())));
    }
    let kept: u32 = redis.command(&["XLEN", "anser:test:kicks"]).expect("a length").parse().expect("a number");
    assert!((10_000..kicks).contains(&kept), "{kept} are kept");
}
