//! Accounts of the server's own: hashing, checking, and a brake on guessing.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use anser_proto::{ErrorCode, limits::PASSWORD_BYTES_MAX};
use anser_store::PasswordHash;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use quick_cache::sync::Cache;
use tokio::{sync::Semaphore, time::Instant};

use crate::error::Error;

/// Argon2 takes 19 MiB and tens of milliseconds of a core: so many at a time, so many waiting, no more.
const CHECKS_AT_ONCE: usize = 2;
const CHECKS_WAITING: usize = 64;
/// RFC 7677 asks for at least 4096.
const SCRAM_ITERATIONS: u32 = 4096;
/// How long an account rests after too many failures.
const REST: Duration = Duration::from_secs(60);
/// Accounts whose failures are remembered; a guesser who floods it forgets only accounts that nobody guesses at.
const REMEMBERED: usize = 10_000;

pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    attempts_max: u32,
    /// Attempts at an account, and since when they are counted.
    attempts: Cache<Arc<str>, (u32, Instant)>,
    counting: Mutex<()>,
    /// Stands in for the hash of an account that is not there, so that its absence costs the same time.
    nobody: PasswordHash,
}

impl Passwords {
    pub fn new(attempts_max: u32) -> Self {
        Self {
            running: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(CHECKS_WAITING)),
            attempts_max,
            attempts: Cache::new(REMEMBERED),
            counting: Mutex::new(()),
            nobody: hash("nobody's"),
        }
    }

    /// Checks a password against the hash that is kept, and gives back whose it is; `None` when the account or its
    /// password does not exist, which takes as long and is told the same.
    pub async fn check<W>(
        &self,
        account: &str,
        password: String,
        known: Option<(W, PasswordHash)>,
    ) -> Result<(W, PasswordHash), Error> {
        self.count_attempt(account)?;
        let kept = known.as_ref().map_or(&self.nobody, |(_, kept)| kept).clone();
        let right =
            self.run(move || verify(&password, &kept)).await.inspect_err(|_| self.take_back_attempt(account))?;
        if let (Some(known), true) = (known, right) {
            self.attempts.remove(account);
            return Ok(known);
        }
        Err(Error::new(ErrorCode::BadPassword, "no such account, or another password"))
    }

    /// Counts an attempt before it is made, so that guesses made side by side are counted each; a right password
    /// takes all back.
    fn count_attempt(&self, account: &str) -> Result<(), Error> {
        let now = Instant::now();
        let _alone = self.counting.lock().expect("nothing panics while holding it");
        let counted = self.attempts.get(account).filter(|(_, since)| now < *since + REST);
        let (attempts, since) = counted.unwrap_or((0, now));
        if attempts >= self.attempts_max {
            return Err(Error {
                retry_after_ms: u32::try_from((since + REST - now).as_millis()).unwrap_or(u32::MAX),
                ..Error::new(ErrorCode::TooManyAttempts, "too many failed logins for this account")
            });
        }
        self.attempts.insert(account.into(), (attempts + 1, since));
        Ok(())
    }

    /// Nothing was checked.
    fn take_back_attempt(&self, account: &str) {
        let _alone = self.counting.lock().expect("nothing panics while holding it");
        if let Some((attempts, since)) = self.attempts.get(account) {
            self.attempts.insert(account.into(), (attempts.saturating_sub(1), since));
        }
    }

    /// Runs heavy work beside the connections. It keeps its place to its end, also when nobody waits for it any more.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let overloaded = || Error {
            retry_after_ms: 1_000,
            ..Error::new(ErrorCode::Overloaded, "too many logins with passwords at once")
        };
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| overloaded())?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| overloaded())?;
        let work = move || {
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Error::new(ErrorCode::Internal, "the password check broke"))
    }
}

/// What to keep of a new password. Refuses what is empty or longer than 256 bytes.
///
/// Takes tens of milliseconds of a core: not for a thread that serves connections.
pub fn make(password: &str) -> Result<PasswordHash, Error> {
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::bad_field(format!(
            "password has {} bytes: 1 to {PASSWORD_BYTES_MAX} are allowed",
            password.len()
        )));
    }
    Ok(hash(password))
}

/// Tells one password from the next one, also from an equal one that was set anew, and nothing else about it.
pub fn mark(kept: &PasswordHash) -> String {
    BASE64.encode(&digest::digest(&digest::SHA256, kept.argon2.as_bytes()).as_ref()[..12])
}

fn hash(password: &str) -> PasswordHash {
    let argon2 = Argon2::default().hash_password(password.as_bytes()).expect("the system has randomness").to_string();
    PasswordHash { argon2, scram: scram_verifier(password) }
}

fn verify(password: &str, kept: &PasswordHash) -> bool {
    phc::PasswordHash::new(&kept.argon2)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
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

    #[tokio::test(start_paused = true)]
    async fn guessing_is_braked_and_a_right_password_is_not() {
        let passwords = Passwords::new(2);
        let kept = make("correct horse").expect("a good password");
        let try_it = async |password: &str, kept: Option<&PasswordHash>| {
            let known = kept.map(|kept| ((), kept.clone()));
            passwords.check("ada", password.to_owned(), known).await.map(|_| ()).map_err(|error| error.code)
        };
        assert_eq!(try_it("correct horse", Some(&kept)).await, Ok(()));
        let (one, other) = tokio::join!(try_it("battery", Some(&kept)), try_it("nobody's", None));
        assert_eq!((one, other), (Err(ErrorCode::BadPassword), Err(ErrorCode::BadPassword)));
        assert_eq!(try_it("correct horse", Some(&kept)).await, Err(ErrorCode::TooManyAttempts));
        advance(REST).await;
        assert_eq!(try_it("correct horse", Some(&kept)).await, Ok(()));
    }

    #[tokio::test]
    async fn a_login_that_was_not_checked_is_no_attempt() {
        let passwords = Passwords::new(1);
        let kept = make("correct horse").expect("a good password");
        let places = passwords.waiting.acquire_many(CHECKS_WAITING as u32).await.expect("it is open");
        let known = || Some(((), kept.clone()));
        for _ in 0..3 {
            let refused = passwords.check("ada", "correct horse".into(), known()).await;
            assert_eq!(refused.map(drop).map_err(|error| error.code), Err(ErrorCode::Overloaded));
        }
        drop(places);
        assert!(passwords.check("ada", "correct horse".into(), known()).await.is_ok());
    }

    #[tokio::test]
    async fn a_check_that_nobody_waits_for_keeps_its_turn_to_its_end() {
        let passwords = Passwords::new(1);
        let (begun, (go_on, wait)) = (Arc::new(Notify::new()), std::sync::mpsc::sync_channel::<()>(0));
        let told = Arc::clone(&begun);
        let work = passwords.run(move || {
            told.notify_one();
            let _ = wait.recv();
        });
        tokio::select! {
            _ = work => panic!("it is not done"),
            () = begun.notified() => {}
        }
        assert_eq!(passwords.running.available_permits(), CHECKS_AT_ONCE - 1);
        drop(go_on);
        let all = passwords.running.acquire_many(CHECKS_AT_ONCE as u32).await;
        assert!(all.is_ok(), "it ends, and gives its turn back");
    }

    #[test]
    fn a_password_has_bounds() {
        assert!(make("").is_err() && make(&"x".repeat(257)).is_err() && make(&"x".repeat(256)).is_ok());
    }
}
