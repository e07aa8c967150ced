//! The real server under attack: what it answers, what it keeps, and that nobody else notices. How fast it stays is not asked
//! here but by `cargo xtask hostile`.

use std::{path::Path, time::Duration};

use anser_rude::{
    Calm, Talk, Victim,
    attack::{ALL, Attack},
};
use tokio::time::Instant;

/// Longer than the server waits for a login.
const ATTACK: Duration = Duration::from_secs(7);
/// Between two messages of those who are calm.
const PAUSE: Duration = Duration::from_millis(20);
/// Messages before the attack, so that what everybody needs is there, and after it.
const MESSAGES: u64 = 16;
/// What an attack may add to the server's memory. The allocator may keep of it what is free again.
const GROWTH_MAX: u64 = 64 << 20;
/// Less where nothing is held but pages, whose room is a quarter of it.
const PAGES_GROWTH_MAX: u64 = 56 << 20;
/// For the server to see that everybody has left.
const PATIENCE: Duration = Duration::from_secs(15);

macro_rules! suite {
    ($($name:ident)*) => {
        const TRIED: &[&str] = &[$(stringify!($name)),*];
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                withstand(stringify!($name)).await;
            }
        )*
    };
}

suite! {
    pings_unread
    pings
    pongs
    empty_messages
    fragments_without_end
    fragments_of_a_byte
    empty_fragments
    closes_of_every_code
    broken_frames
    pages_unread
    pages_of_control_characters_unread
    busy_group_unread
    pages_and_then_idle
    frames_announced
    frames_nearly_whole
    silent
    first_frame_announced
    first_frame_too_large
    hello_byte_by_byte
    headers_byte_by_byte
    half_closed
    half_handshakes
    lies
    foreign_origins
    every_request
    groups_of_strangers
    typing_nowhere
    pulls_nowhere
    reconnects
    after_the_kick
    wrong_passwords
    wrong_values
    json_without_bottom
    no_frames_at_all
    huge_headers
    bodies_without_end
    pipelined_unread
    pipelined_read
    no_http_at_all
}

#[test]
fn every_attack_is_tried() {
    let forgotten: Vec<_> = ALL.iter().map(|attack| attack.name).filter(|name| !TRIED.contains(name)).collect();
    assert!(forgotten.is_empty(), "no test tries {forgotten:?}");
}

/// Nobody who is logged in stands in line behind strangers.
#[tokio::test]
async fn strangers_and_users_have_threads_of_their_own() {
    let victim = Victim::start(Path::new(env!("CARGO_BIN_EXE_anser")), &[]).await.expect("a server");
    let threads = victim.threads().expect("it runs");
    assert!(["users", "strangers"].iter().all(|name| threads.iter().any(|thread| thread == name)), "{threads:?}");
}

async fn withstand(name: &str) {
    let attack = ALL.iter().find(|attack| attack.name == name).expect("the attack exists");
    let program = Path::new(env!("CARGO_BIN_EXE_anser"));
    let victim = Victim::start(program, attack.settings).await.expect("a server");
    let mut talk = Talk::begin(&victim.site).await.expect("nobody attacks yet");
    let before = talk.go_on(|calm| calm.messages >= MESSAGES, PAUSE).await;
    assert!(before.disturbed.is_none(), "{before:?}");
    let (memory, files) = (victim.memory_bytes().expect("it runs"), victim.open_files().expect("it runs"));
    victim.forget_peak().expect("it runs");

    let attacking = tokio::spawn((attack.run)(victim.site.clone(), Instant::now() + ATTACK));
    let calm = talk.go_on(|_| attacking.is_finished(), PAUSE).await;
    let toll = attacking.await.expect("no panic");
    let peak = victim.peak_bytes().unwrap_or_else(|error| panic!("{error:#}"));
    let growth_max = if name.starts_with("pages_") { PAGES_GROWTH_MAX } else { GROWTH_MAX };
    println!("{name}: {toll:?}, +{} KiB, {calm:?}", peak.saturating_sub(memory) >> 10);
    assert!(calm.disturbed.is_none() && calm.messages > 0, "others were disturbed: {calm:?}");
    assert!(peak <= memory + growth_max, "{} MiB more than before", (peak - memory) >> 20);
    let toll = toll.expect("the attack can be made");
    check_told(attack, &toll.kinds().collect::<Vec<_>>());

    let left = Instant::now();
    let kept = || {
        let (memory_now, files_now) = (victim.memory_bytes().expect("it runs"), victim.open_files().expect("it runs"));
        let is_little = memory_now <= memory + growth_max && files_now <= files;
        (!is_little).then(|| format!("{} KiB and {files_now} files", memory_now.saturating_sub(memory) >> 10))
    };
    let is_over = |calm: &Calm| calm.messages >= MESSAGES && (kept().is_none() || left.elapsed() > PATIENCE);
    let after = talk.go_on(is_over, PAUSE).await;
    assert!(after.disturbed.is_none(), "{after:?}");
    assert_eq!(kept(), None, "kept after the attackers have left, beyond {} KiB and {files} files", memory >> 10);
}

/// Nothing but what is documented, and that.
fn check_told(attack: &Attack, kinds: &[&str]) {
    let strange: Vec<_> = kinds.iter().filter(|kind| !attack.told.contains(kind)).collect();
    assert!(strange.is_empty(), "{strange:?} was told, and not one of {:?}", attack.told);
    assert!(attack.told.is_empty() || !kinds.is_empty(), "nothing was told, and not one of {:?}", attack.told);
}
