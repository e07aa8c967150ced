//! JSON Web Tokens: which are believed, and those that the server makes itself.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anser_proto::{ErrorCode, ids::check_ascii_id};
use anyhow::Context as _;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use crate::{config, error::Error, secrets};

/// Clocks of the app's server and this one may differ by so much.
const LEEWAY_S: u64 = 10;

/// Whose tokens are believed now.
pub struct Tokens(RwLock<Arc<Keys>>);

/// What tokens are checked and signed with.
pub struct Keys {
    hs256: (EncodingKey, DecodingKey),
    eddsa: Option<DecodingKey>,
    issuers: Vec<String>,
    audience: String,
}

/// What is read of a token once it is believed; its issuer and audience are checked before, in whichever form RFC 7519 allows.
#[derive(Deserialize)]
pub struct Claims {
    /// The user's account.
    pub sub: String,
    /// Of a token that was given for a password: that password's mark.
    pub password_mark: Option<String>,
    /// Seconds since 1970; some libraries write fractions.
    exp: f64,
    nbf: Option<f64>,
}

impl Claims {
    /// Seconds since 1970 until which it is believed: the clocks' difference included.
    pub fn good_until_s(&self) -> u64 {
        (self.exp as u64).saturating_add(LEEWAY_S)
    }

    /// The first login of an account that is not there may create its user, where the app's server vouches for it.
    pub fn may_create(&self, create_users: bool) -> bool {
        create_users && self.password_mark.is_none()
    }
}

/// What the server's own tokens say.
#[derive(Serialize)]
struct Minted<'m> {
    iss: &'m str,
    aud: &'m str,
    sub: &'m str,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_mark: Option<&'m str>,
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

    /// A token of the server's own for `account`, good until `expires_s` (seconds since 1970).
    pub fn mint(&self, account: &str, expires_s: u64) -> String {
        self.keys().sign(account, expires_s, None)
    }

    /// One that is good no longer than the password that it was given for.
    pub fn mint_for_password(&self, account: &str, expires_s: u64, password_mark: &str) -> String {
        self.keys().sign(account, expires_s, Some(password_mark))
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
            eddsa,
            issuers: config.issuers.clone(),
            audience: config.audience.clone(),
        })
    }

    fn sign(&self, account: &str, exp: u64, password_mark: Option<&str>) -> String {
        let claims = Minted { iss: &self.issuers[0], aud: &self.audience, sub: account, exp, password_mark };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.hs256.0)
            .expect("claims of text and numbers, and a key of the algorithm")
    }

    /// The algorithm comes from the key that is configured for it, never from
    /// the token alone: a token that claims another one has no key here.
    fn check(&self, token: &str, now_s: u64) -> Result<Claims, Error> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| bad("it is no JSON Web Token"))?;
        let claims = match (header.alg, &self.eddsa) {
            (Algorithm::HS256, _) => self.verify(token, &self.hs256.1, Algorithm::HS256)?,
            (Algorithm::EdDSA, Some(key)) => self.verify(token, key, Algorithm::EdDSA)?,
            (Algorithm::EdDSA, None) => return Err(bad("EdDSA, but no auth.eddsa_public_key_file is configured")),
            _ => return Err(bad("its algorithm is neither HS256 nor EdDSA")),
        };
        if claims.good_until_s() < now_s {
            return Err(Error::new(ErrorCode::TokenExpired, "the token is past its `exp`"));
        }
        if claims.nbf.is_some_and(|nbf| nbf > now_s.saturating_add(LEEWAY_S) as f64) {
            return Err(bad("its `nbf` is still to come"));
        }
        Ok(claims)
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
