//! Which credential is said, and what follows when the server does not take it.

use anser_client::{
    State, StopReason,
    engine::{Change, Credential, Effect, Input, Saved, Secret},
};
use anser_proto::v1;
use v1::{client_frame::Request, close::Code as Close, error::Code, hello::Credential as Said, server_frame::Body};

use crate::{
    line::{Line, error, line, request},
    link::{retry_at, stopped},
};

fn credential(effects: &[Effect]) -> Said {
    match request(effects).request {
        Some(Request::Hello(hello)) => hello.credential.expect("a credential"),
        other => panic!("{other:?}"),
    }
}

fn token(token: &str) -> Said {
    Said::Token(token.into())
}

fn password() -> Credential {
    Credential::Password { account: "ada".into(), password: "secret".into() }
}

fn welcome(line: &mut Line, hello: &[Effect], token: &str) {
    let welcome = v1::Welcome { log_id: 1, token: token.into(), heartbeat_min_ms: 9, ..v1::Welcome::default() };
    line.receive(request(hello).request_id, Body::Welcome(welcome));
}

fn closed(code: Close) -> Input {
    Input::Closed { code: Some(code as u16), reason: String::new() }
}

/// What is kept of tokens, in order.
fn kept(line: &Line) -> Vec<Option<&str>> {
    line.changes
        .iter()
        .filter_map(|change| match change {
            Change::Token(token) => Some(token.as_ref().map(|Secret(token)| token.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_password_is_used_once_and_again_when_its_token_ran_out() {
    let mut line = Line::new(Credential::Password { account: "ada".into(), password: "secret".into() });
    line.tell(Input::Tick);
    let effects = line.tell(Input::Connected);
    assert!(matches!(credential(&effects), Said::Password(_)));
    let welcome = v1::Welcome { log_id: 1, token: "given".into(), heartbeat_min_ms: 9, ..v1::Welcome::default() };
    line.receive(request(&effects).request_id, Body::Welcome(welcome));
    line.tell(Input::Closed { code: None, reason: String::new() });
    line.wait();
    let effects = line.tell(Input::Connected);
    assert_eq!(credential(&effects), Said::Token("given".into()));
    line.receive(request(&effects).request_id, error(Code::TokenExpired));
    line.wait();
    let effects = line.tell(Input::Connected);
    assert!(matches!(credential(&effects), Said::Password(_)));
    let effects = line.receive(request(&effects).request_id, error(Code::BadPassword));
    assert!(matches!(stopped(&effects), StopReason::Refused(_)));
}

#[test]
fn a_connection_whose_token_ran_out_is_renewed_by_the_password() {
    let code = Close::TokenRanOut as u16;
    let closes: [fn(u16) -> Input; 2] = [
        |code| Input::Closed { code: Some(code), reason: String::new() },
        |code| {
            let close = v1::Close { code: code.into(), reason: String::new() };
            Input::Frame(v1::ServerFrame { request_id: 0, body: Some(Body::Close(close)) })
        },
    ];
    for close in closes {
        let mut line = Line::new(Credential::Password { account: "ada".into(), password: "secret".into() });
        line.tell(Input::Tick);
        let hello = request(&line.tell(Input::Connected));
        let welcome = v1::Welcome { log_id: 1, token: "given".into(), heartbeat_min_ms: 9, ..v1::Welcome::default() };
        line.receive(hello.request_id, Body::Welcome(welcome));
        retry_at(&line.tell(close(code)));
        line.wait();
        assert!(matches!(credential(&line.tell(Input::Connected)), Said::Password(_)));
    }
    let mut line = line();
    line.log_in();
    let effects = line.tell(Input::Closed { code: Some(code), reason: String::new() });
    assert_eq!(stopped(&effects), StopReason::Closed { code, reason: String::new() }, "the app must get a new token");
}

#[test]
fn the_token_that_a_password_bought_is_kept_until_it_is_refused() {
    let mut line = Line::new(password());
    line.tell(Input::Tick);
    let hello = line.tell(Input::Connected);
    welcome(&mut line, &hello, "bought");
    assert_eq!(kept(&line), [Some("bought")]);

    let saved = || Saved { token: Some(Secret("bought".into())), ..Saved::default() };
    let mut again = Line::restored(Credential::Kept, saved());
    again.tell(Input::Tick);
    let hello = again.tell(Input::Connected);
    assert_eq!(credential(&hello), token("bought"));
    let effects = again.receive(request(&hello).request_id, error(Code::TokenExpired));
    assert!(matches!(stopped(&effects), StopReason::Refused(_)));
    assert_eq!(kept(&again), [None]);
    assert_eq!(stopped(&again.tell(Input::Login(Credential::Kept))), StopReason::NoCredential);

    let mut other = Line::restored(Credential::Token("given".into()), saved());
    other.tell(Input::Tick);
    assert_eq!(credential(&other.tell(Input::Connected)), token("given"), "what the app gives goes before");
}

#[test]
fn a_newer_credential_is_said_before_the_engine_gives_up() {
    let newer = || Input::Login(Credential::Token("newer".into()));
    let ends: [fn() -> Input; 4] = [
        || closed(Close::TokenRanOut),
        || closed(Close::LoginRefused),
        || {
            let close = v1::Close { code: Close::TokenRanOut.into(), reason: String::new() };
            Input::Frame(v1::ServerFrame { request_id: 0, body: Some(Body::Close(close)) })
        },
        || {
            let kicked = v1::Kicked { code: Close::TokenRanOut.into(), reason: String::new() };
            Input::Frame(v1::ServerFrame { request_id: 0, body: Some(Body::Kicked(kicked)) })
        },
    ];
    for end in ends {
        let mut line = line();
        line.log_in();
        assert_eq!(line.tell(newer()), [], "what is taken goes on");
        retry_at(&line.tell(end()));
        line.wait();
        let hello = line.tell(Input::Connected);
        assert_eq!(credential(&hello), token("newer"));
        let effects = line.receive(request(&hello).request_id, error(Code::BadToken));
        assert!(matches!(stopped(&effects), StopReason::Refused(_)), "there is no other");
    }
    // Or the refusal of the old one is on its way.
    let mut line = line();
    line.tell(Input::Tick);
    let hello = line.tell(Input::Connected);
    line.tell(newer());
    retry_at(&line.receive(request(&hello).request_id, error(Code::TokenExpired)));
    line.wait();
    assert_eq!(credential(&line.tell(Input::Connected)), token("newer"));
}

#[test]
fn a_token_bought_by_an_older_password_does_not_replace_a_newer_credential() {
    let newer = || Credential::Token("newer".into());
    let another = || Credential::Password { account: "bob".into(), password: "other".into() };
    let of_bob = Said::Password(v1::Password { account: "bob".into(), password: "other".into() });
    for (newer, said) in [(newer(), token("newer")), (another(), of_bob)] {
        let mut line = Line::new(password());
        line.tell(Input::Tick);
        let hello = line.tell(Input::Connected);
        line.tell(Input::Login(newer));
        welcome(&mut line, &hello, "bought");
        assert_eq!(kept(&line), [], "a store that is asked for what is kept must not give the older one");
        line.tell(Input::Closed { code: None, reason: String::new() });
        line.wait();
        assert_eq!(credential(&line.tell(Input::Connected)), said);
    }
}

#[test]
fn the_refusal_of_an_older_credential_does_not_forget_the_kept_token() {
    let mut line = Line::new(password());
    line.tell(Input::Tick);
    let hello = line.tell(Input::Connected);
    line.tell(Input::Login(Credential::Kept));
    welcome(&mut line, &hello, "bought");
    assert_eq!(kept(&line), [Some("bought")], "it is the one that is asked for");
    retry_at(&line.tell(closed(Close::TokenRanOut)));
    line.wait();
    assert_eq!(credential(&line.tell(Input::Connected)), token("bought"));
}

fn fetched(token: &str) -> Input {
    Input::Fetched(Some(Secret(token.into())))
}

#[test]
fn a_provider_is_asked_again_when_its_token_is_no_longer_taken() {
    let mut line = Line::new(Credential::Provider);
    assert_eq!(line.tell(Input::Tick), [Effect::State(State::Connecting), Effect::FetchToken]);
    assert_eq!(line.tell(fetched("first")), [Effect::Connect]);
    let hello = line.tell(Input::Connected);
    assert_eq!(credential(&hello), token("first"));
    welcome(&mut line, &hello, "");
    // The same token will do while it is taken.
    line.tell(Input::Closed { code: None, reason: String::new() });
    assert!(line.wait().contains(&Effect::Connect));
    let hello = line.tell(Input::Connected);
    line.receive(request(&hello).request_id, error(Code::TokenExpired));
    assert!(line.wait().contains(&Effect::FetchToken));
    line.tell(fetched("second"));
    let hello = line.tell(Input::Connected);
    welcome(&mut line, &hello, "");
    retry_at(&line.tell(closed(Close::TokenRanOut)));
    assert!(line.wait().contains(&Effect::FetchToken));
    line.tell(fetched("bad"));
    let hello = line.tell(Input::Connected);
    let effects = line.receive(request(&hello).request_id, error(Code::BadToken));
    assert!(
        matches!(stopped(&effects), StopReason::Refused(_)),
        "a fresh token is refused: asking again leads nowhere"
    );
    assert_eq!(kept(&line), [], "what a provider gives is not kept");
}

#[test]
fn a_provider_that_fails_or_hangs_is_asked_again_after_a_wait() {
    let mut line = Line::new(Credential::Provider);
    line.tell(Input::Tick);
    assert!(retry_at(&line.tell(Input::Fetched(None))) > line.now);
    assert!(line.wait().contains(&Effect::FetchToken));
    let asked_at = line.now;
    let effects = line.wait();
    assert_eq!(line.now, asked_at + 30_000);
    assert!(effects.contains(&Effect::Disconnect));
    retry_at(&effects);
    assert!(line.wait().contains(&Effect::FetchToken));
    // A credential that needs no asking ends the wait.
    let effects = line.tell(Input::Login(Credential::Token("given".into())));
    assert_eq!(effects, [Effect::Disconnect, Effect::State(State::Connecting), Effect::Connect]);
}
