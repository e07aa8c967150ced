//! `anser serve`: the server in the foreground, until it is told to stop.

use std::{
    io::{self, ErrorKind, IsTerminal as _, stderr},
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use anser_proto::UserId;
use anser_server::{
    Begin, Column, Server,
    config::Config,
    secrets::{create_data_dir, hs256_path},
    system_clock,
};
use anser_store::{Error, NewUser, Refusal, Store};
use anyhow::{Context as _, bail};
use clap::Args;
use rustix::process::{
    Resource, Rlimit, Signal as ProcessSignal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use tokio::{
    runtime::{Builder, Handle},
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::sleep,
};

use crate::{lang::Lang, log::Log, operator::Operator, out, settings::Settings};

/// Files that a server has open beside those of its connections.
const OPEN_FILES_BESIDE: u64 = 200;
/// As many are enough to try it out.
const OPEN_FILES_TO_TRY: u64 = 1_000;
/// 2025-01-01T00:00:00Z.
const BUILT_AFTER_MS: u64 = 1_735_689_600_000;
/// How long a server in which something broke is waited for.
const BROKEN_STOP_MAX: Duration = Duration::from_secs(30);
/// Who is there on a machine where somebody tries Anser out, under the same ids in every store.
const DEMO_USERS: [(u64, &str, &str); 2] = [(1008, "alice", "Alice"), (1009, "bob", "Bob")];

#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Address of WebSocket and HTTP [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Address of frames over TCP [default: 127.0.0.1:7401]
    #[arg(long, value_name = "ADDRESS")]
    tcp: Option<SocketAddr>,
    /// Address of metrics and health [default: port of --http + 2, on 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    operator: Option<SocketAddr>,
    /// Try it out: creates two users, alice and bob, and says what to do next
    #[arg(long)]
    dev: bool,
    /// Once ready, print one line of JSON with the addresses, for programs that start a server
    #[arg(long, conflicts_with = "dev")]
    json: bool,
    /// Begin with an empty store although the folder has the secret of one that is gone
    #[arg(long)]
    new_store: bool,
    /// Ends, as by `kill -9`, with the process of this id, which started it
    #[arg(long, hide = true, value_name = "PID")]
    owner: Option<i32>,
}

impl Serve {
    pub fn run(self, log: Option<&Log>) -> anyhow::Result<()> {
        if let Some(owner) = self.owner {
            end_with(owner)?;
        }
        let config = self.config()?;
        let threads = |name| Builder::new_multi_thread().thread_name(name).enable_all().build();
        let (users, strangers) = (threads("users")?, threads("strangers")?);
        let done = users.block_on(self.serve(config, strangers.handle().clone(), log));
        // A thread that waits for who reads its output may wait for ever.
        users.shutdown_background();
        strangers.shutdown_background();
        done
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = self.settings.load()?;
        config.listen.http = self.http.unwrap_or(config.listen.http);
        config.listen.tcp = self.tcp.unwrap_or(config.listen.tcp);
        config.listen.operator = self.operator.or(config.listen.operator);
        config.check()?;
        Ok(config)
    }

    async fn serve(&self, config: Config, strangers: Handle, log: Option<&Log>) -> anyhow::Result<()> {
        // Before anything starts, so that a signal that comes early is not lost.
        let mut signals = Signals::listen()?;
        create_data_dir(&config.store.dir)?;
        check_nothing_is_in_the_way(&config).await?;
        self.see_to_open_files(config.limits.connections.saturating_add(config.limits.strangers));
        warn_of_a_clock_that_was_never_set();

        let begin = if self.new_store { Begin::Anew } else { Begin::WhereNoneWas };
        let column = Column::open(&config, begin).await?;
        if self.dev {
            create_demo_users(&*column.store).await?;
        }
        let server = Server::start_apart(config.clone(), column, strangers).await?;
        if let Some(log) = log {
            server.count(log.process());
        }
        tracing::info!(http = %server.http, tcp = %server.tcp, operator = %server.operator, data = %config.store.dir.display(), "ready");
        let told = self.tell_ready(&server, &config);

        let asked = tokio::select! {
            () = signals.asked_to_stop(|| self.reload(&server)) => Ok(()),
            broke = server.broke() => Err(broke),
            // Whoever waits for the addresses would wait for ever.
            error = told => Err(error),
        };
        match &asked {
            Ok(()) => tracing::info!("stopping: clients are told to come back; a second signal does not wait for them"),
            Err(why) => tracing::error!(%why, "stopping: start the server again"),
        }
        let stopped = tokio::select! {
            stopped = server.stop() => stopped,
            () = signals.asked_to_stop(|| ()) => bail!("stopped at once"),
            // What broke may hold up the end of the rest.
            () = sleep(BROKEN_STOP_MAX), if asked.is_err() => Ok(()),
        };
        asked.and(stopped)?;
        tracing::info!("stopped");
        Ok(())
    }

    /// On a thread of its own, since nobody may read it. Returns when it could not be written, and was needed.
    fn tell_ready(&self, server: &Server, config: &Config) -> impl Future<Output = anyhow::Error> + use<> {
        let json = self.json;
        let text = if json {
            format!("{}\n", serde_json::json!({ "http": server.http, "tcp": server.tcp, "operator": server.operator }))
        } else if self.dev {
            welcome(Lang::of_environment(), server, config)
        } else {
            String::new()
        };
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || tell.send(out::say(text)));
        async move {
            match told.await {
                Ok(Err(error)) if json => error.into(),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "nobody was told how to begin");
                    std::future::pending().await
                }
                _ => std::future::pending().await,
            }
        }
    }

    /// Whoever tries it out is told in words, and only where the files are too few for that.
    fn see_to_open_files(&self, connections: u32) {
        let needed = u64::from(connections) + OPEN_FILES_BESIDE;
        let current = raise_open_files(needed);
        let told = format!(
            "only {current} files may be open, too few for {connections} connections: run `ulimit -n {needed}` before the server (systemd: \
             LimitNOFILE={needed}), or set limits.connections and limits.strangers to {} together",
            current.saturating_sub(OPEN_FILES_BESIDE)
        );
        match self.dev {
            true if current < needed.min(OPEN_FILES_TO_TRY) => out::aside(format_args!("{told}\n")),
            false if current < needed => tracing::warn!("{told}"),
            _ => {}
        }
    }

    fn reload(&self, server: &Server) {
        match self.config().and_then(|config| server.reload(&config)) {
            Ok(()) => tracing::info!("reloaded: the certificate and the keys of tokens; other settings need a restart"),
            Err(error) => tracing::error!(error = %format!("{error:#}"), "not reloaded: all stays as it was"),
        }
    }
}

/// Those that a server is sent.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Somebody sits at the terminal in which it runs.
    on_terminal: bool,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            on_terminal: stderr().is_terminal(),
        })
    }

    /// Returns when the server shall stop; on the way there reloads what it is asked to.
    async fn asked_to_stop(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // A terminal that was closed says so with the same signal, and is none any more.
                _ = self.hangup.recv() => match self.on_terminal && !stderr().is_terminal() {
                    true => return,
                    false => reload(),
                },
            }
        }
    }
}

/// All of it at once, so that a second server on a machine needs one more try and not four.
async fn check_nothing_is_in_the_way(config: &Config) -> anyhow::Result<()> {
    let mut taken = Vec::new();
    if Operator::connect(&config.store.dir).await?.is_some() {
        taken.push(format!(
            "another server has the data folder {}: stop it, or choose another folder with --data or store.dir",
            config.store.dir.display()
        ));
    }
    let mut bound = Vec::new();
    for (address, flag, key) in [
        (config.listen.http, "--http", "listen.http"),
        (config.listen.tcp, "--tcp", "listen.tcp"),
        (config.listen.operator(), "--operator", "listen.operator"),
    ] {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                taken.push(format!("{address} is taken: choose another address with {flag} or {key}"));
            }
            // Held until all are looked at: two of them may be one.
            listener => bound.push(listener),
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    bail!("{}", taken.join("; "))
}

fn end_with(owner: i32) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(ProcessSignal::KILL)).context("cannot end with its owner")?;
    // One that was gone before sends no signal any more.
    match getppid() {
        Some(parent) if parent.as_raw_nonzero().get() == owner => Ok(()),
        _ => bail!("who started this server is gone"),
    }
}

/// As many files as connections may be there need, as far as this user may have them. Tells how many there are.
fn raise_open_files(needed: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < needed) {
        let raised = maximum.map_or(needed, |maximum| needed.min(maximum));
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Ids and times of messages, and the ends of tokens, go by it.
fn warn_of_a_clock_that_was_never_set() {
    if system_clock()() < BUILT_AFTER_MS {
        tracing::warn!("this machine's clock shows a time before 2025: set it");
    }
}

async fn create_demo_users(store: &dyn Store) -> anyhow::Result<()> {
    for (user, account, nickname) in DEMO_USERS {
        let new = NewUser { user: UserId(user), account: account.into(), nickname: nickname.into(), password: None };
        match store.create_user(new).await {
            Ok(_) | Err(Error::Refused(Refusal::Conflict("account"))) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot create the demo user {account}")),
        }
    }
    Ok(())
}

/// How to log in and what to do next. Where the settings are not the usual ones, the lines name them.
fn welcome(lang: Lang, server: &Server, config: &Config) -> String {
    let (usual, secure) = (Config::default(), config.tls.cert_file.is_some());
    let (ws, tcp) = if secure { ("wss", "tls") } else { ("ws", "tcp") };
    let (http_address, tcp_address) = (reachable(server.http, secure), reachable(server.tcp, secure));
    let this = this_program();
    let secret = hs256_path(&config.store.dir);
    let (data, secret) = (config.store.dir.display(), secret.display());
    let is_usual_folder = config.store.dir == usual.store.dir;
    let of_folder = if is_usual_folder { String::new() } else { format!(" --data {data}") };
    let is_usual_address = config.listen.http == usual.listen.http && !secure;
    let of_address = if is_usual_address { String::new() } else { format!(" --server {ws}://{http_address}") };
    let chat = format!("{of_address}{of_folder}");
    match lang {
        Lang::En => format!(
            "\n  Anser is ready.\n\n    \
             WebSocket  {ws}://{http_address}/v1/ws\n    \
             TCP        {tcp}://{tcp_address}\n    \
             data       {data} (SQLite; look with `sqlite3`)\n    \
             secret     {secret} (whoever reads it can log in as anybody)\n\n  \
             Two users are there, Alice and Bob. Let them talk, each in a terminal of their own:\n\n    \
             {this} chat --as alice --to bob{chat}\n    \
             {this} chat --as bob --to alice{chat}\n\n  \
             Then:\n\n    \
             {this} user add carol --password{of_folder}    a user with a password\n    \
             {this} token make alice{of_folder}             a token for your own client\n    \
             {this} serve{of_folder}                        the server without demo users\n\n  \
             Ctrl-C stops the server. Nothing that was acknowledged is lost, whichever way it ends.\n\n"
        ),
        Lang::Zh => format!(
            "\n  Anser 已就绪。\n\n    \
             WebSocket  {ws}://{http_address}/v1/ws\n    \
             TCP        {tcp}://{tcp_address}\n    \
             数据目录   {data}（SQLite，可用 `sqlite3` 查看）\n    \
             密钥       {secret}（拿到它就能以任何人的身份登录）\n\n  \
             已有两个用户：Alice 和 Bob。各开一个终端，让他们聊起来：\n\n    \
             {this} chat --as alice --to bob{chat}\n    \
             {this} chat --as bob --to alice{chat}\n\n  \
             接下来：\n\n    \
             {this} user add carol --password{of_folder}    添加带密码的用户\n    \
             {this} token make alice{of_folder}             为自己的客户端签发令牌\n    \
             {this} serve{of_folder}                        不带演示用户启动\n\n  \
             Ctrl-C 停止服务。无论以何种方式结束，已确认的消息都不会丢失。\n\n"
        ),
    }
}

/// An address of this machine that a client on it can connect to. A certificate is made out to a name.
fn reachable(address: SocketAddr, secure: bool) -> String {
    match address.ip() {
        ip if secure && (ip.is_unspecified() || ip.is_loopback()) => format!("localhost:{}", address.port()),
        ip if ip.is_unspecified() => format!("127.0.0.1:{}", address.port()),
        _ => address.to_string(),
    }
}

/// How this program was called, so that the lines can be copied.
fn this_program() -> String {
    let exe = std::env::current_exe().unwrap_or_else(|_| "anser".into());
    let here = std::env::current_dir().unwrap_or_default();
    exe.strip_prefix(here).unwrap_or(&exe).display().to_string()
}
