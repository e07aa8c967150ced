//! Accounts of the server's own: what is kept of a password, and who may try one when.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use anser_proto::{ErrorCode, limits::PASSWORD_BYTES_MAX};
use anser_store::PasswordHash;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{PasswordHasher as _, phc},
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::runtime::Handle;

use crate::{
    error::Error,
    guesses::{Guess, Guesses},
    hashing::Hashing,
    network::Network,
};

/// RFC 7677 asks for at least 4096.
const SCRAM_ITERATIONS: u32 = 4096;
/// When there is no room to wait, there may be by then.
const FULL_RETRY_MS: u32 = 1_000;

pub struct Passwords {
    pub guesses: Guesses,
    hashing: Hashing,
    /// Whose threads hash new passwords too: the allocator keeps for each thread what it had most of.
    users: Handle,
    memory: Memory,
    /// Stands in for the hash of an account that is not there, so that its absence costs the same time.
    nobody: PasswordHash,
}

/// What Argon2 worked in, for the next check: a piece for each of those at one time. The allocator would keep one for each thread
/// that ever checked a password, some hundred megabytes of them.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Vec<Block>>>>);

impl Memory {
    fn verify(&self, password: &str, kept: &PasswordHash) -> bool {
        let pieces = || self.0.lock().expect("nothing panics while holding it");
        let mut piece = pieces().pop().unwrap_or_default();
        let right = verify(password, kept, &mut piece).unwrap_or(false);
        pieces().push(piece);
        right
    }
}

impl Passwords {
    pub fn new(attempts_max: u32) -> Self {
        let (guesses, nobody, users) = (Guesses::new(attempts_max), hash("nobody's"), Handle::current());
        Self { guesses, hashing: Hashing::default(), users, memory: Memory::default(), nobody }
    }

    /// Checks a password against the hash that `look_up` finds, and gives back whose it is. When the account or its password does not
    /// exist, that takes as long and is told the same. Nothing is looked up for who has to wait. Safe to drop.
    pub async fn check<W>(
        &self,
        guess: Guess<'_>,
        password: String,
        look_up: impl Future<Output = Result<Option<(W, PasswordHash)>, Error>>,
    ) -> Result<(W, PasswordHash), Error> {
        let attempt = self.guesses.begin(guess).await.map_err(|wait| {
            let message = "too many wrong passwords for this account, or from this address";
            Error::new(ErrorCode::TooManyAttempts, message).after(wait)
        })?;
        let known = look_up.await?;
        let kept = known.as_ref().map_or(&self.nobody, |(_, kept)| kept).clone();
        let memory = self.memory.clone();
        // The widest: whoever owns it could wait in each part of it.
        let network = Network::around(guess.address).last().expect("each address has one");
        let right = self.run(network, move || memory.verify(&password, &kept)).await?;
        if let (Some(known), true) = (known, right) {
            return Ok(known);
        }
        attempt.was_wrong();
        Err(Error::new(ErrorCode::BadPassword, "no such account, or another password"))
    }

    /// Whose turn it is.
    pub fn hashing(&self) -> Hashing {
        self.hashing.clone()
    }

    /// Runs heavy work beside the connections. It keeps its turn to its end, also when nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        network: Network,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.hashing.turn(network).await.map_err(|_| Error {
            retry_after_ms: FULL_RETRY_MS,
            ..Error::new(ErrorCode::Overloaded, "too many logins with passwords at once")
        })?;
        let work = move || {
            let _held = turn;
            work()
        };
        self.users.spawn_blocking(work).await.map_err(|_| Error::new(ErrorCode::Internal, "the password check broke"))
    }
}

/// What to keep of a new password. Refuses what is empty or longer than 256 bytes.
///
/// Takes tens of milliseconds of a core: not for a thread that serves connections.
pub fn create(password: &str) -> Result<PasswordHash, Error> {
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::bad_field(format!(
            "password has {} bytes: 1 to {PASSWORD_BYTES_MAX} are allowed",
            password.len()
        )));
    }
    Ok(hash(password))
}

/// Tells one password from the next one, also from an equal one that was set anew, and nothing else about it.
pub type Mark = [u8; 12];

pub fn mark(kept: &PasswordHash) -> Mark {
    let digest = digest::digest(&digest::SHA256, kept.argon2.as_bytes());
    *digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

/// Whether it is still the password that was marked.
pub fn is_marked(kept: Option<&PasswordHash>, mark: &Mark) -> bool {
    kept.is_some_and(|kept| self::mark(kept) == *mark)
}

fn hash(password: &str) -> PasswordHash {
    let argon2 = Argon2::default().hash_password(password.as_bytes()).expect("the system has randomness").to_string();
    PasswordHash { argon2, scram: scram_verifier(password) }
}

/// None if what is kept is no hash.
fn verify(password: &str, kept: &PasswordHash, memory: &mut Vec<Block>) -> Option<bool> {
    let kept = phc::PasswordHash::new(&kept.argon2).ok()?;
    let algorithm = Algorithm::try_from(kept.algorithm.as_str()).ok()?;
    let version = kept.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let params = Params::try_from(&kept).ok()?;
    let (salt, expected) = kept.salt.as_ref().zip(kept.hash.as_ref())?;
    memory.resize(params.block_count(), Block::new());
    let mut hashed = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut hashed, &mut memory[..]).ok()?;
    Some(verify_slices_are_equal(&hashed, expected.as_bytes()).is_ok())
}

/// What a SCRAM-SHA-256 server must keep (RFC 5802, RFC 7677), in the form of RFC 5803.
fn scram_verifier(password: &str) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system has randomness");
    scram_verifier_with(password, &salt, SCRAM_ITERATIONS)
}

fn scram_verifier_with(password: &str, salt: &[u8], iterations: u32) -> String {
    let rounds = NonZeroU32::new(iterations).expect("iterations are not 0");
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut salted);
    let salted = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest::digest(&digest::SHA256, hmac::sign(&salted, b"Client Key").as_ref());
    let server = hmac::sign(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        BASE64.encode(salt),
        BASE64.encode(stored.as_ref()),
        BASE64.encode(server.as_ref())
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::{sync::Notify, time::advance};

    use super::*;

    /// RFC 7677, section 3: user `user`, password `pencil`. Its messages prove the two keys.
    #[test]
    fn the_scram_verifier_is_that_of_the_rfc() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let verifier = scram_verifier_with("pencil", &salt, 4096);
        let (stored, server) = verifier.rsplit_once('$').and_then(|(_, keys)| keys.split_once(':')).expect("the form");
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server_key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(server).expect("base64"));
        assert_eq!(
            BASE64.encode(hmac::sign(&server_key, message.as_bytes()).as_ref()),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );

        // The client's proof, xored with the signature, is the client key whose hash is kept.
        let stored_bytes = BASE64.decode(stored).expect("base64");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &stored_bytes), message.as_bytes());
        let proof = BASE64.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").expect("base64");
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(one, other)| one ^ other).collect();
        assert_eq!(digest::digest(&digest::SHA256, &client_key).as_ref(), stored_bytes);
    }

    async fn try_it(
        passwords: &Passwords,
        from: [u8; 4],
        password: &str,
        kept: Option<&PasswordHash>,
    ) -> Result<(), ErrorCode> {
        let guess = Guess { account: "ada", address: from.into() };
        let known = kept.map(|kept| ((), kept.clone()));
        let checked = passwords.check(guess, password.to_owned(), async { Ok(known) }).await;
        checked.map(drop).map_err(|error| error.code)
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_wrong_waits_and_the_owner_elsewhere_does_not() {
        let passwords = Passwords::new(2);
        let kept = create("correct horse").expect("a good password");
        let (mallory, owner) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        for _ in 0..3 {
            assert_eq!(try_it(&passwords, mallory, "correct horse", Some(&kept)).await, Ok(()));
        }
        let (one, other) = tokio::join!(
            try_it(&passwords, mallory, "battery", Some(&kept)),
            try_it(&passwords, mallory, "nobody's", None)
        );
        assert_eq!((one, other), (Err(ErrorCode::BadPassword), Err(ErrorCode::BadPassword)));
        let waits = try_it(&passwords, mallory, "correct horse", Some(&kept)).await;
        assert_eq!(waits, Err(ErrorCode::TooManyAttempts));
        assert_eq!(try_it(&passwords, owner, "correct horse", Some(&kept)).await, Ok(()));
        advance(Duration::from_secs(60)).await;
        assert_eq!(try_it(&passwords, mallory, "correct horse", Some(&kept)).await, Ok(()));
    }

    #[tokio::test]
    async fn an_account_that_is_not_there_costs_a_hash_all_the_same() {
        let passwords = Passwords::new(100);
        let kept = create("correct horse").expect("a good password");
        // All but salt and hash: the algorithm and its parameters.
        let cost = |kept: &PasswordHash| kept.argon2.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(cost(&passwords.nobody), cost(&kept));
        let network = Network::of([192, 0, 2, 2].into());
        let _turns = [passwords.hashing.turn(network).await, passwords.hashing.turn(network).await];
        for known in [Some(&kept), None] {
            let waits = Box::pin(try_it(&passwords, [192, 0, 2, 1], "wrong", known)).now_or_never();
            assert_eq!(waits, None, "it needs a turn");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn checks_work_in_the_memory_of_those_before_them() {
        let passwords = Passwords::new(100);
        let kept = create("correct horse").expect("a good password");
        for _ in 0..3 {
            let (right, wrong, nobody) = tokio::join!(
                try_it(&passwords, [192, 0, 2, 1], "correct horse", Some(&kept)),
                try_it(&passwords, [192, 0, 2, 2], "wrong", Some(&kept)),
                try_it(&passwords, [192, 0, 2, 3], "nobody's", None)
            );
            assert_eq!((right, wrong), (Ok(()), Err(ErrorCode::BadPassword)));
            assert_eq!(nobody, Err(ErrorCode::BadPassword));
        }
        let broken = PasswordHash { argon2: "no hash".into(), scram: String::new() };
        let told = try_it(&passwords, [192, 0, 2, 1], "no hash", Some(&broken)).await;
        assert_eq!(told, Err(ErrorCode::BadPassword));
        assert!((1..=2).contains(&passwords.memory.0.lock().expect("no test panics with it").len()));
    }

    #[tokio::test]
    async fn a_login_that_was_not_checked_is_no_attempt() {
        let passwords = Passwords::new(1);
        let kept = create("correct horse").expect("a good password");
        let guess = Guess { account: "ada", address: [192, 0, 2, 1].into() };
        for _ in 0..3 {
            let look_up = async { Err(Error::new(ErrorCode::Internal, "the store is away")) };
            assert!(passwords.check::<()>(guess, "wrong".into(), look_up).await.is_err());
        }
        assert_eq!(try_it(&passwords, [192, 0, 2, 1], "correct horse", Some(&kept)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_check_that_nobody_waits_for_keeps_its_turn_to_its_end() {
        let passwords = Passwords::new(1);
        let network = Network::of([192, 0, 2, 1].into());
        let (begun, (go_on, wait)) = (Arc::new(Notify::new()), std::sync::mpsc::sync_channel::<()>(0));
        let told = Arc::clone(&begun);
        let work = passwords.run(network, move || {
            told.notify_one();
            let _ = wait.recv();
        });
        tokio::select! {
            _ = work => panic!("it is not done"),
            () = begun.notified() => {}
        }
        let _other = passwords.hashing.turn(network).await.expect("there are two");
        let third = passwords.hashing.turn(network);
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none(), "one is at work, though nobody waits");
        drop(go_on);
        assert!(third.await.is_ok(), "it ends, and gives its turn on");
    }

    #[test]
    fn a_password_has_bounds() {
        assert!(create("").is_err() && create(&"x".repeat(257)).is_err() && create(&"x".repeat(256)).is_ok());
    }
}
