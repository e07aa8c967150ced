//! Tokens: which are believed, and those that the server creates itself. All are JSON Web Tokens but those that a password buys.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anser_proto::{ErrorCode, ids::check_ascii_id};
use anyhow::Context as _;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{bought::Bought, config, error::Error, password::Mark, secrets};

/// Clocks of the app's server and this one may differ by so much.
const LEEWAY_S: u64 = 10;
/// How long a token holds that is given for a password.
pub const BOUGHT_FOR_S: u64 = 30 * 24 * 3600;

/// Whose tokens are believed now.
pub struct Tokens(RwLock<Arc<Keys>>);

/// What tokens are checked and signed with.
pub struct Keys {
    hs256: (EncodingKey, DecodingKey),
    /// For what a password buys.
    seal: hmac::Key,
    eddsa: Option<DecodingKey>,
    issuers: Vec<String>,
    audience: String,
}

/// What is read of a token once it is believed; its issuer and audience are checked before, in whichever form RFC 7519 allows.
#[derive(Deserialize)]
pub struct Claims {
    /// The user's account.
    pub sub: String,
    /// Of a token that was given for a password: that password's mark. They were JSON Web Tokens once.
    #[serde(default, deserialize_with = "mark_in_base64")]
    pub password_mark: Option<Mark>,
    /// Seconds since 1970; some libraries write fractions.
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
}

impl Claims {
    /// Seconds since 1970 until which it is believed: the clocks' difference included.
    pub fn good_until_s(&self) -> u64 {
        (self.exp as u64).saturating_add(LEEWAY_S)
    }

    /// Seconds since 1970 at which it was issued; 0 if it does not say.
    pub fn issued_s(&self) -> u64 {
        self.iat.unwrap_or(0.0) as u64
    }

    /// The first login of an account that is not there may create its user, where the app's server vouches for it.
    pub fn may_create(&self, create_users: bool) -> bool {
        create_users && self.password_mark.is_none()
    }
}

fn mark_in_base64<'de, D: Deserializer<'de>>(text: D) -> Result<Option<Mark>, D::Error> {
    let mark = BASE64.decode(String::deserialize(text)?).ok().and_then(|mark| mark.try_into().ok());
    mark.map(Some).ok_or_else(|| D::Error::custom("no mark of a password"))
}

/// What the server's own tokens say.
#[derive(Serialize)]
struct Minted<'m> {
    iss: &'m str,
    aud: &'m str,
    sub: &'m str,
    iat: u64,
    exp: u64,
}

impl Tokens {
    pub fn load(config: &config::Auth, data_dir: &Path) -> anyhow::Result<Self> {
        Ok(Self(RwLock::new(Arc::new(Keys::load(config, data_dir)?))))
    }

    /// Believes others from now on.
    pub fn replace(&self, keys: Keys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token of the server's own for `account`, issued at `issued_s` and good until `expires_s` (seconds since 1970).
    pub fn mint(&self, account: &str, issued_s: u64, expires_s: u64) -> String {
        self.keys().sign(account, issued_s, expires_s)
    }

    /// One that is good no longer than the password that it was given for, and for 30 days.
    pub fn mint_for_password(&self, account: &str, issued_s: u64, mark: Mark) -> String {
        let expires_s = u32::try_from(issued_s + BOUGHT_FOR_S).unwrap_or(u32::MAX);
        Bought { account: account.to_owned(), mark, expires_s }.sealed(&self.keys().seal)
    }

    /// Believes a user's token, or says why not.
    pub fn check(&self, token: &str, now_s: u64) -> Result<Claims, Error> {
        self.keys().check(token, now_s)
    }
}

impl Keys {
    pub fn load(config: &config::Auth, data_dir: &Path) -> anyhow::Result<Self> {
        let secret = secrets::hs256_secret(data_dir, config.hs256_secret_file.as_deref())?;
        let eddsa = match &config.eddsa_public_key_file {
            None => None,
            Some(path) => {
                let pem = std::fs::read(path)
                    .with_context(|| format!("cannot read auth.eddsa_public_key_file {}", path.display()))?;
                let key = DecodingKey::from_ed_pem(&pem)
                    .with_context(|| format!("{} holds no Ed25519 public key in PEM", path.display()))?;
                Some(key)
            }
        };
        Ok(Self {
            hs256: (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret)),
            seal: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            eddsa,
            issuers: config.issuers.clone(),
            audience: config.audience.clone(),
        })
    }

    fn sign(&self, account: &str, iat: u64, exp: u64) -> String {
        let claims = Minted { iss: &self.issuers[0], aud: &self.audience, sub: account, iat, exp };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.hs256.0)
            .expect("claims of text and numbers, and a key of the algorithm")
    }

    fn check(&self, token: &str, now_s: u64) -> Result<Claims, Error> {
        let claims = match Bought::unsealed(token, &self.seal) {
            Some(Bought { account, mark, expires_s }) => {
                let iat = f64::from(expires_s) - BOUGHT_FOR_S as f64;
                Claims { sub: account, password_mark: Some(mark), exp: expires_s.into(), nbf: None, iat: Some(iat) }
            }
            None => self.check_jwt(token)?,
        };
        if claims.good_until_s() < now_s {
            return Err(Error::new(ErrorCode::TokenExpired, "the token is past its `exp`"));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now_s.saturating_add(LEEWAY_S) as f64) {
            return Err(bad("its `nbf` is still to come"));
        }
        Ok(claims)
    }

    /// The algorithm comes from the key that is configured for it, never from
    /// the token alone: a token that claims another one has no key here.
    fn check_jwt(&self, token: &str) -> Result<Claims, Error> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("it is no JSON Web Token"))?;
        match (header.alg, &self.eddsa) {
            (Algorithm::HS256, _) => self.verify(token, &self.hs256.1, Algorithm::HS256),
            (Algorithm::EdDSA, Some(key)) => self.verify(token, key, Algorithm::EdDSA),
            (Algorithm::EdDSA, None) => Err(bad("EdDSA, but no auth.eddsa_public_key_file is configured")),
            _ => Err(bad("its algorithm is neither HS256 nor EdDSA")),
        }
    }

    fn verify(&self, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, Error> {
        let mut rules = Validation::new(algorithm);
        // By the clock that all nodes share, and not by this machine's.
        rules.validate_exp = false;
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&self.issuers);
        rules.set_audience(&[&self.audience]);
        let claims = jsonwebtoken::decode::<Claims>(token, key, &rules).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => bad("its signature does not fit the key"),
            ErrorKind::InvalidIssuer => bad("its `iss` is not among auth.issuers"),
            ErrorKind::InvalidAudience => bad("its `aud` is not auth.audience"),
            ErrorKind::MissingRequiredClaim(claim) => bad(&format!("it has no `{claim}`")),
            _ => bad("it is malformed"),
        })?;
        check_ascii_id("sub", &claims.claims.sub).map_err(|error| bad(&error.to_string()))?;
        Ok(claims.claims)
    }
}

fn bad(why: &str) -> Error {
    Error::new(ErrorCode::BadToken, format!("bad token: {why}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_password_bought_from_an_older_server_is_good_no_longer_than_that_password() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let keys = Keys::load(&config::Auth::default(), dir.path()).expect("a new secret");
        let mark = |mark: serde_json::Value| {
            let claims = json!({"iss": "anser", "aud": "anser", "sub": "ada", "exp": 100, "password_mark": mark});
            let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &keys.hs256.0).expect("claims");
            keys.check(&token, 50).map(|claims| claims.password_mark).map_err(|error| error.code)
        };
        assert_eq!(mark(json!("AAAAAAAAAAAAAAAB")), Ok(Some([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])));
        for none in [json!(null), json!(""), json!("AAAA"), json!(7)] {
            assert_eq!(mark(none), Err(ErrorCode::BadToken));
        }
    }
}
