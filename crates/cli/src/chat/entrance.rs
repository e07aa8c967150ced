//! Every sentence that is said before there is a screen, and where there is none, in both languages: on standard error.

use std::{fmt::Display, path::Path};

use anser_client::{Unopened, Unsent};

use super::text::Text;
use crate::lang::Lang;

impl Text {
    pub fn to_is_needed(self) -> &'static str {
        self.pick(
            "without a terminal --to ACCOUNT must say with whom to talk",
            "不在终端中时，须用 --to 账号 指明与谁聊天",
        )
    }

    pub fn bad_account(self, account: &str, error: &impl Display) -> String {
        self.choose(error.to_string(), Text(Lang::Zh).no_account(account))
    }

    pub fn password(self) -> &'static str {
        self.pick("Password: ", "密码：")
    }

    /// `why` is [`Text::no_secret`] or [`Text::not_this_machine`].
    pub fn cannot_log_in(self, account: &str, why: &str) -> String {
        self.choose(
            format!(
                "cannot log in as {account}: {why}. Three ways: --token TOKEN (or ANSER_TOKEN); --password; or, on \
                 the server's own machine, --data FOLDER with the server's data folder"
            ),
            format!(
                "无法以 {account} 登录：{why}。有三种方式：--token 令牌（或 ANSER_TOKEN）；--password；\
                 或在服务器本机上用 --data 指明服务器的数据目录"
            ),
        )
    }

    pub fn no_secret(self, secret: &Path) -> String {
        let secret = secret.display();
        self.choose(format!("there is no secret {secret}"), format!("没有密钥 {secret}"))
    }

    pub fn not_this_machine(self, server: &str) -> String {
        self.choose(format!("{server} is not on this machine"), format!("{server} 不在本机上"))
    }

    pub fn no_token(self) -> &'static str {
        self.pick(
            "the token is no JSON Web Token: `anser token make ACCOUNT` prints one",
            "这不是 JSON Web Token：可用 `anser token make 账号` 签发",
        )
    }

    pub fn token_of_other(self, subject: &str, account: &str) -> String {
        self.choose(
            format!("the token is for {subject}, not for {account}: use --as {subject}"),
            format!("令牌属于 {subject}，不是 {account}：请用 --as {subject}"),
        )
    }

    pub fn ca_without_tls(self, server: &str) -> String {
        self.choose(
            format!("{server} is without TLS, so nothing of --ca is used: write wss:// (or tls://), or leave out --ca"),
            format!("{server} 不使用 TLS，--ca 不起作用：请改用 wss://（或 tls://），或去掉 --ca"),
        )
    }

    pub fn no_home(self) -> &'static str {
        self.pick(
            "neither HOME nor XDG_DATA_HOME is set: use --memory, and nothing is kept",
            "HOME 和 XDG_DATA_HOME 都没有设置：请使用 --memory，不保存任何数据",
        )
    }

    pub fn cannot_open(self, store: Option<&Path>, account: &str) -> String {
        let (en, zh) = match store {
            Some(store) => (store.display().to_string(), format!(" {}", store.display())),
            None => ("the chat".to_owned(), "聊天".to_owned()),
        };
        self.choose(
            format!("cannot open {en} (when another chat of {account} runs here, give this one a --device NAME)"),
            format!("无法打开{zh}（如果 {account} 的另一个聊天正在这里运行，请为这一个指定 --device 名称）"),
        )
    }

    pub fn cannot_log(self, file: &Path) -> String {
        let file = file.display();
        self.choose(format!("cannot write the log {file}"), format!("无法写日志 {file}"))
    }

    pub fn cannot_read(self) -> &'static str {
        self.pick("cannot read the input", "无法读取输入")
    }

    pub fn cannot_write(self) -> &'static str {
        self.pick("cannot write the output", "无法写输出")
    }

    pub fn no_utf8(self) -> &'static str {
        self.pick("a line of the input is no UTF-8", "输入中有一行不是 UTF-8")
    }

    pub fn line_too_long(self, max: usize) -> String {
        self.choose(format!("a line of the input has more than {max} bytes"), format!("输入中有一行超过 {max} 字节"))
    }

    pub fn unsent(self, error: &Unsent) -> String {
        let zh = match error {
            Unsent::Refused(refusal) => Text(Lang::Zh).refusal(refusal),
            Unsent::Withdrawn(_) => "已取消".to_owned(),
            Unsent::Closed => "客户端已关闭".to_owned(),
            other => other.to_string(),
        };
        self.choose(format!("not sent: {error}"), format!("未发送：{zh}"))
    }

    pub fn refused(self, count: usize) -> String {
        self.choose(format!("{count} messages were refused"), format!("{count} 条消息被拒绝"))
    }

    pub fn no_answer(self, seconds: u64, waiting: usize) -> String {
        self.choose(
            format!(
                "the server did not answer for {seconds} s, and {waiting} messages are not sent (they go out with the \
                 next start, but for --memory)"
            ),
            format!("服务器 {seconds} 秒没有应答，{waiting} 条消息未发送（下次启动时发出，使用 --memory 时除外）"),
        )
    }

    pub fn client_closed(self) -> &'static str {
        self.pick("the client was closed", "客户端已关闭")
    }

    pub fn unopened(self, why: &Unopened) -> String {
        let zh = match why {
            Unopened::NoSuchHost { host, .. } => format!("找不到主机 {host}：地址正确吗？"),
            Unopened::Refused { server } => format!("{server} 上没有服务：服务器在运行吗？端口正确吗？"),
            Unopened::NotBelieved { server, why } => {
                format!("{server} 的证书不可信（{why}）：可用 --ca 指定其证书文件")
            }
            Unopened::NoTls { server } => format!("{server} 不使用 TLS：地址应以 ws 或 tcp 开头，而不是 wss 或 tls？"),
            Unopened::Answered { url, status } => format!("{url} 返回 {status}：Anser 服务器的路径是 /v1/ws"),
            Unopened::NoWebSocket { url } => format!("{url} 不是 WebSocket：端口正确吗？应以 wss 而不是 ws 开头？"),
            other => other.to_string(),
        };
        let fix =
            if matches!(why, Unopened::NotBelieved { .. }) { "; name its file with --ca if it is right" } else { "" };
        self.choose(format!("{why}{fix}"), zh)
    }

    pub fn unreachable(self) -> &'static str {
        self.pick(
            "the server cannot be reached: is it running, and is --server right?",
            "无法连接服务器：它在运行吗？--server 正确吗？",
        )
    }

    pub fn nobody_told(self) -> &'static str {
        self.pick("the server did not tell who this is", "服务器没有告知当前用户是谁")
    }
}
