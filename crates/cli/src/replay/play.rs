//! Plays a script: opens the devices, gives them their orders line by line, makes trouble, and waits at the end until all is
//! quiet. Hands the records to the judge.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, GroupId, UserId, v1};
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    sync::oneshot,
    time::{sleep, sleep_until, timeout},
};

use super::{
    device::{Handle, Order},
    habits::{Deed, Fate, How, Turn, Where},
    ledger::Ledger,
    mischief::Mischief,
    process,
    progress::Progress,
    record::{Act, Away, DeviceRecord, Handed, Truth, View},
    script::{Script, SpeakerId},
    stage::Stage,
    verdict::{Goal, differing_sessions, goals_of, logs_of, untold},
};

/// Who makes the group and lets people in.
/// No nick of IRC has a `#`.
const OWNER: &str = "replay-#owner";
/// Devices that log in at the same time, and readers of the truth.
const LOGINS: usize = 32;
/// What is not over by then is reported as missing.
const FINISH_MAX: Duration = Duration::from_secs(180);
/// For a device to name its conversations.
const NAMED_MAX: Duration = Duration::from_secs(45);
/// For a user's list and logs to be read, nodes that go away included.
const READ_MAX: Duration = Duration::from_secs(60);
/// Between two looks at whether all is quiet.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// All who take part. Each speaker's first device is the one that speaks.
pub struct Cast {
    pub group: GroupId,
    pub owner: Handle,
    pub speakers: Vec<Handle>,
    /// Further devices of speakers.
    pub others: Vec<Handle>,
}

impl Cast {
    fn devices(&self) -> impl Iterator<Item = &Handle> {
        [&self.owner].into_iter().chain(&self.speakers).chain(&self.others)
    }
}

/// Opens all devices in good weather, and makes the group.
pub async fn assemble(stage: &Stage, script: &Script, devices: u32, progress: &Progress) -> anyhow::Result<Cast> {
    let owner = stage.open(OWNER.to_owned(), 1).await?;
    let (made, group) = oneshot::channel();
    owner.orders.send(Order::Create(made)).await.context("the group's owner is gone")?;
    let group = group.await.context("the group could not be created")?;

    let opening = |(speaker, number): (usize, u32)| {
        progress.show(|| "opening devices".to_owned());
        let account = script.speakers[speaker].account.clone();
        async move {
            if number == 1 && stage.weather.is_some() && process::is_one(speaker) {
                return stage.open_process(account).await;
            }
            stage.open(account, number).await
        }
    };
    let all = |numbers: std::ops::RangeInclusive<u32>| {
        let pairs: Vec<_> = numbers.flat_map(|n| (0..script.speakers.len()).map(move |speaker| (speaker, n))).collect();
        stream::iter(pairs).map(opening).buffered(LOGINS).try_collect::<Vec<_>>()
    };
    let speakers = all(1..=1).await?;
    let others = all(2..=devices).await?;
    for (speaker, handle) in script.speakers.iter().zip(&speakers) {
        handle.orders.send(Order::Rename(speaker.nick.clone())).await.context("a device is gone")?;
    }
    Ok(Cast { group, owner, speakers, others })
}

/// Gives everybody what they do, `rate` lines a second.
pub async fn perform(
    cast: &mut Cast,
    ledger: &Ledger,
    life: &[Turn],
    rate: f64,
    mut mischief: Option<&mut Mischief>,
    progress: &Progress,
) -> anyhow::Result<()> {
    let start = tokio::time::Instant::now();
    let lines = life.last().map_or(0, |turn| turn.line + 1);
    let mut turns = life.iter().peekable();
    for line in 0..lines {
        sleep_until(start + Duration::from_secs_f64(line as f64 / rate)).await;
        if let Some(mischief) = &mut mischief {
            mischief.make(cast).await?;
        }
        while let Some(Turn { speaker, deed, .. }) = turns.next_if(|turn| turn.line == line) {
            if let Some((device, order)) = order(cast, ledger, *speaker, deed) {
                device.orders.send(order).await.context("a device is gone")?;
            }
        }
        progress.show(|| format!("line {} of {lines}", line + 1));
    }
    Ok(())
}

/// None for a reaction to what has no place yet, as far as anybody knows; nor is such a message hidden.
fn order<'a>(cast: &'a Cast, ledger: &Ledger, speaker: SpeakerId, deed: &Deed) -> Option<(&'a Handle, Order)> {
    let user = cast.speakers[speaker].user;
    let conversation_of = |place: Where| match place {
        Where::Group => ConversationId::Group(cast.group),
        Where::With(other) => ConversationId::single(user, cast.speakers[other].user),
    };
    let act = |number: usize, place: Where, act| Order::Act {
        id: ledger.id(number),
        conversation: conversation_of(place),
        act,
    };
    let marked = |text: &str, number| format!("{text} {}", ledger.mark(number));
    let by_owner = |order| Some((&cast.owner, order));
    let order = match deed.clone() {
        Deed::Mute => return by_owner(Order::Mute { group: cast.group, user, muted: true }),
        Deed::Unmute => return by_owner(Order::Mute { group: cast.group, user, muted: false }),
        Deed::Announce(text) => return by_owner(Order::Announce(cast.group, text)),
        Deed::Join => Order::Join(cast.group, cast.owner.orders.clone()),
        Deed::Leave => Order::Leave(cast.group),
        Deed::Rename(nick) => Order::Rename(nick),
        Deed::Say { number, place, text, manner, fate } => {
            let content = if fate == Fate::Changes { marked(&text, number) } else { text };
            act(number, place, Act::Say { content, manner })
        }
        Deed::Edit { number, target, place, text } => {
            act(number, place, Act::Edit { target: ledger.id(target), content: marked(&text, number) })
        }
        Deed::Recall { number, target, place } => act(number, place, Act::Recall { target: ledger.id(target) }),
        Deed::React { number, target, place, emojis, instead_of } => {
            instead_of.is_none_or(|other| ledger.place_of(other).is_some()).then_some(())?;
            act(number, place, Act::React { place: ledger.place_of(target)?, emojis })
        }
        Deed::PutAway { target, place, how } => {
            let (conversation, target) = (conversation_of(place), ledger.place_of(target)?);
            let away = if how == How::Hide { Away::Hide(target) } else { Away::Clear(target) };
            ledger.put_away(user, conversation, away);
            Order::PutAway(conversation, away)
        }
    };
    Some((&cast.speakers[speaker], order))
}

/// Waits until everything that was said and changed is stored, or is not in time.
pub async fn finish(cast: &Cast, ledger: &Ledger, progress: &Progress) {
    let until = tokio::time::Instant::now() + FINISH_MAX;
    empty_queues(cast, until, progress).await;
    // Who died before they were told what became of a change find nothing of it in their store: they ask for it again.
    let open: Vec<_> = ledger.handed().into_iter().filter(Handed::is_open).collect();
    if open.is_empty() {
        return;
    }
    for handed in open {
        let device = cast.devices().find(|one| (one.user, &*one.device_id) == (handed.user, &*handed.device_id));
        let device = device.expect("who handed something over takes part to the end");
        // A device that is gone says so in the list of refusals.
        let _ = device.orders.send(Order::Again(handed)).await;
    }
    empty_queues(cast, until, progress).await;
}

async fn empty_queues(cast: &Cast, until: tokio::time::Instant, progress: &Progress) {
    let mut waits = Vec::new();
    for device in cast.devices() {
        let (done, finished) = oneshot::channel();
        let _ = device.orders.send(Order::Finish(done)).await;
        waits.push(finished);
    }
    for wait in waits {
        progress.show(|| "waiting for queues to empty".to_owned());
        let _ = tokio::time::timeout_at(until, wait).await;
    }
}

/// Reads all logs of the play by those who may.
pub async fn read_truth(stage: &Stage, script: &Script, cast: &Cast, progress: &Progress) -> anyhow::Result<Truth> {
    let ours: HashMap<UserId, &str> = accounts(script, cast).into_iter().collect();
    let mut truth = Truth { away: stage.ledger.away(), play: stage.ledger.play().to_owned(), ..Truth::default() };
    let away = &truth.away;
    let read = |(user, account): (UserId, &'_ str)| {
        let (ours, account) = (&ours, account.to_owned());
        let wanted = move |conversation: &ConversationId| match *conversation {
            ConversationId::Group(group) => {
                let puts_away = || away.iter().any(|(who, of, _)| (who, of) == (&user, conversation));
                group == cast.group && (user == cast.owner.user || puts_away())
            }
            ConversationId::Single { .. } => conversation.peer_of(user).is_some_and(|peer| ours.contains_key(&peer)),
        };
        async move {
            progress.show(|| "reading the server's logs".to_owned());
            let (sessions, views) = persist(|| read_as(stage, &account, wanted)).await?;
            anyhow::Ok((user, sessions, views))
        }
    };
    let readings = stream::iter(accounts(script, cast)).map(read).buffer_unordered(LOGINS);
    for (user, sessions, views) in readings.try_collect::<Vec<_>>().await? {
        truth.sessions.insert(user, sessions);
        truth.views.extend(views);
    }
    Ok(truth)
}

/// The user's list, and the logs in it that are wanted.
async fn read_as(
    stage: &Stage,
    account: &str,
    wanted: impl Fn(&ConversationId) -> bool,
) -> anyhow::Result<(BTreeMap<ConversationId, v1::Session>, Vec<View>)> {
    let mut reader = stage.reader(account).await?;
    let sessions = reader.sessions().await?;
    let mut views = Vec::new();
    for conversation in sessions.keys().copied().filter(wanted) {
        views.push(reader.log(conversation).await?);
    }
    Ok((sessions, views))
}

/// Reads again where a node went away in the middle of it.
async fn persist<T, F>(read: impl Fn() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let until = Instant::now() + READ_MAX;
    loop {
        match read().await {
            Err(_) if Instant::now() < until => sleep(LOOK_EVERY).await,
            done => return done,
        }
    }
}

fn accounts<'a>(script: &'a Script, cast: &Cast) -> Vec<(UserId, &'a str)> {
    let speakers = script.speakers.iter().zip(&cast.speakers).map(|(speaker, handle)| (handle.user, &*speaker.account));
    speakers.chain([(cast.owner.user, OWNER)]).collect()
}

/// Devices hold delivered marks back for a second, so a single agreement may be that of two who both wait: it must outlast
/// that second.
const AGREED_ROUNDS: u32 = 2;
const MARKS_REST: Duration = Duration::from_millis(1_500);

/// Waits until every device is where its user may get, and says of its conversations what the server says.
pub async fn settle(
    stage: &Stage,
    script: &Script,
    cast: &Cast,
    truth: &mut Truth,
    progress: &Progress,
) -> anyhow::Result<()> {
    let (mut goals, mut untolds) = (HashMap::new(), HashMap::new());
    let logs = logs_of(truth);
    for device in cast.devices() {
        untolds.entry(device.user).or_insert_with(|| untold(&logs, device.user));
        goals.entry(device.user).or_insert_with(|| goals_of(&logs, device.user));
    }
    drop(logs);
    let settle_max = stage.conditions.settle_max();
    let until = Instant::now() + settle_max;
    loop {
        let behind = cast.devices().filter(|device| !is_there(device, &goals[&device.user])).count();
        if behind == 0 || Instant::now() > until {
            break;
        }
        progress.show(|| format!("{behind} devices are catching up"));
        sleep(LOOK_EVERY).await;
    }
    let accounts: HashMap<UserId, &str> = accounts(script, cast).into_iter().collect();
    let until = Instant::now() + settle_max;
    let mut agreed = 0;
    loop {
        let mut differing: Vec<_> = Vec::new();
        for device in cast.devices() {
            if !agrees(device, truth, &untolds[&device.user]).await {
                differing.push(device.user);
            }
        }
        agreed = if differing.is_empty() { agreed + 1 } else { 0 };
        if agreed == AGREED_ROUNDS || Instant::now() > until {
            return Ok(());
        }
        progress.show(|| format!("{} devices count anew", differing.len()));
        // A mark may have moved since it was read, also one of the other party.
        for (user, account) in &accounts {
            let (sessions, _) = persist(|| read_as(stage, account, |_| false)).await?;
            truth.sessions.insert(*user, sessions);
        }
        sleep(MARKS_REST).await;
    }
}

fn is_there(device: &Handle, goals: &[Goal]) -> bool {
    let reached = device.positions.lock().expect("nobody panics with it");
    goals.iter().all(|Goal { conversation, last, changed, away }| {
        reached.last.get(conversation).is_some_and(|position| position >= last)
            && !away.iter().any(|place| reached.shown.contains(&(*conversation, *place)))
            && changed.iter().all(|(place, by)| reached.changed.get(&(*conversation, *place)) >= Some(by))
    })
}

async fn agrees(device: &Handle, truth: &Truth, untold: &BTreeSet<ConversationId>) -> bool {
    let (reply, sessions) = oneshot::channel();
    let _ = device.orders.send(Order::Sessions(reply)).await;
    let Ok(Ok(Some(sessions))) = timeout(NAMED_MAX, sessions).await else { return false };
    truth.sessions.get(&device.user).is_none_or(|server| differing_sessions(server, &sessions, untold).is_empty())
}

/// Closes all devices and collects what they showed. One that does not end is reported by its name.
pub async fn dismiss(cast: Cast) -> anyhow::Result<Vec<DeviceRecord>> {
    let mut records = Vec::new();
    let Cast { owner, speakers, others, .. } = cast;
    for device in [owner].into_iter().chain(speakers).chain(others) {
        let (reply, record) = oneshot::channel();
        let _ = device.orders.send(Order::End(reply)).await;
        let record = timeout(FINISH_MAX, record).await;
        records.push(record.ok().and_then(Result::ok).with_context(|| format!("{} does not end", device.name))??);
        device.task.await.context("a device died")?;
    }
    Ok(records)
}
