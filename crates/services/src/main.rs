//! Starts all three, prints where they are, and ends when its standard input does.

use std::io::{Write as _, read_to_string, stdin, stdout};

use anser_services::{MariaDb, Nats, Place, Redis, require_services};

fn main() -> anyhow::Result<()> {
    require_services()?;
    let (database, redis, nats) =
        (MariaDb::start(Place::Tests)?, Redis::start(Place::Tests)?, Nats::start(Place::Tests)?);
    writeln!(stdout(), "{}\n{}\n{}", database.url(), redis.url(), nats.url())?;
    read_to_string(stdin())?;
    Ok(())
}
