//! The loop that has the terminal and the connection: what happens goes to the update, what it asks for to the performer.

use std::{
    io::{self, stdout},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anser_client::{Client, Events};
use crossterm::{
    event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, Event as Key},
    execute,
};
use futures_util::FutureExt as _;
use ratatui::DefaultTerminal;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::Receiver,
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    model::{Model, Wish},
    perform::Performer,
    terminal,
    update::{Effect, Event, start, update},
    view,
};

/// How often the clock is looked at: for the seconds until the next try, and what is shown for a while.
const CLOCK_EVERY: Duration = Duration::from_millis(250);
/// Events that are taken together before the screen is drawn.
const BATCH_MAX: usize = 512;

/// The terminal in its special state, as long as this lives.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
        // Also restores the terminal on a panic, before the panic is told.
        let screen = Self(ratatui::try_init()?);
        execute!(stdout(), EnableBracketedPaste, EnableFocusChange)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = execute!(stdout(), DisableFocusChange, DisableBracketedPaste);
        // On a panic that is done already; a second time would write over what was told.
        if !std::thread::panicking() {
            let _ = ratatui::try_restore();
        }
    }
}

/// Everything that can happen.
struct Sources {
    terminal: Receiver<Option<Key>>,
    client: Events,
    performer: Performer,
    clock: Interval,
    signals: [Signal; 3],
}

impl Sources {
    fn new(client: Client) -> io::Result<Self> {
        let mut clock = interval(CLOCK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok(Self {
            terminal: terminal::listen(),
            client: client.events(),
            performer: Performer::new(client),
            clock,
            signals: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            ],
        })
    }

    /// What happens next; none when it is time to go. Cancel-safe.
    async fn next(&mut self) -> Option<Event> {
        let [terminate, hangup, interrupt] = &mut self.signals;
        tokio::select! {
            key = self.terminal.recv() => key.flatten().map(Event::Terminal),
            Some(event) = self.client.next() => Some(Event::Client(event)),
            answer = self.performer.next() => Some(Event::Answer(answer)),
            _ = self.clock.tick() => Some(Event::Clock(now_ms())),
            _ = terminate.recv() => None,
            _ = hangup.recv() => None,
            _ = interrupt.recv() => None,
        }
    }
}

/// Lets a person chat until they leave.
pub async fn run(mut model: Model, client: Client, to: Option<Wish>) -> anyhow::Result<()> {
    let mut sources = Sources::new(client.clone())?;
    model.now_ms = now_ms();
    model.link = client.state();
    model.me = client.me();
    let mut screen = Screen::open()?;
    model.size = screen.0.size().map(|size| (size.width, size.height))?;
    let wishes = start(to, &mut model);
    let mut going = carry_out(&mut model, &mut sources.performer, wishes).await;
    // A terminal that takes nothing any more is gone.
    while going && screen.0.draw(|frame| view::draw(&model, frame)).is_ok() {
        let Some(event) = sources.next().await else { break };
        going = happen(&mut model, &mut sources.performer, event).await;
        // What is there already is drawn together.
        for _ in 0..BATCH_MAX {
            match sources.next().now_or_never() {
                Some(Some(event)) if going => going = happen(&mut model, &mut sources.performer, event).await,
                Some(None) => going = false,
                _ => break,
            }
        }
    }
    drop(screen);
    sources.performer.leave().await;
    Ok(())
}

/// False when the person wants to go.
async fn happen(model: &mut Model, performer: &mut Performer, event: Event) -> bool {
    let passing = update(model, Event::Clock(now_ms()));
    let following = update(model, event);
    carry_out(model, performer, passing.into_iter().chain(following).collect()).await
}

async fn carry_out(model: &mut Model, performer: &mut Performer, mut effects: Vec<Effect>) -> bool {
    while !effects.is_empty() {
        if effects.contains(&Effect::Quit) {
            return false;
        }
        let mut following = Vec::new();
        for effect in effects {
            if let Some(answer) = performer.begin(effect).await {
                following.extend(update(model, Event::Answer(answer)));
            }
        }
        effects = following;
    }
    true
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
