use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use webpubsub_protocol::limits::TOKEN_CLOCK_SKEW;
use webpubsub_protocol::name::{GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::error::TokenError;

/// What a client's token says about the client.
///
/// Source: client spec, section 2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientClaims {
    /// Whom the client acts for; `None` for an anonymous user.
    pub user_id: Option<UserId>,
    /// Its roles as written, unknown ones included.
    pub roles: Vec<String>,
    /// The groups that it is a member of from the start.
    pub groups: Vec<GroupName>,
    /// Every claim of the token, those above included: what the `connect` event passes on. Numbers
    /// and the like are as JSON prints them.
    pub claims: Vec<(String, Vec<String>)>,
}

/// The claims of a token whose signature is good.
///
/// In the order written; one that is repeated stands there as often.
pub(crate) struct Claims(Vec<(String, Value)>);

/// How far a token's times may be off from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skew {
    /// By [`TOKEN_CLOCK_SKEW`].
    Tolerated,
    /// Not at all: the token is one of ours.
    None,
}

impl Claims {
    /// Checks `exp`, which has to be there, and `nbf`, which need not be. At the very moments that
    /// they name a token is good.
    pub(crate) fn check_times(&self, now: Timestamp, skew: Skew) -> Result<(), TokenError> {
        let now = now.as_millis() as f64 / 1000.0;
        let skew = match skew {
            Skew::Tolerated => TOKEN_CLOCK_SKEW.as_secs_f64(),
            Skew::None => 0.0,
        };
        if self.moment("exp")?.ok_or(TokenError::NoExpiry)? < now - skew {
            return Err(TokenError::Expired);
        }
        if self.moment("nbf")?.is_some_and(|not_before| not_before > now + skew) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }

    /// Checks that an audience, of which there may be several, is the expected one.
    pub(crate) fn check_audience(&self, is_expected: impl Fn(&str) -> bool) -> Result<(), TokenError> {
        let is_expected = |audience: &Value| audience.as_str().is_some_and(&is_expected);
        if self.all("aud").any(is_expected) { Ok(()) } else { Err(TokenError::Audience) }
    }

    /// The text of a claim that stands there once.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, TokenError> {
        match self.one(name)? {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(TokenError::Malformed),
        }
    }

    /// What a client's claims say, all of them checked.
    pub(crate) fn into_client_claims(self) -> Result<ClientClaims, TokenError> {
        let group = |value: &Value| GroupName::parse(value.as_str()?).ok();
        let mut claims: Vec<(String, Vec<String>)> = Vec::new();
        for (name, _) in &self.0 {
            if claims.iter().all(|(known, _)| known != name) {
                claims.push((name.clone(), self.all(name).map(print).collect()));
            }
        }
        let groups = self.all("webpubsub.group").map(group).collect::<Option<_>>();
        Ok(ClientClaims {
            // A blank user id is no user.
            user_id: self.text("sub")?.and_then(|user| UserId::parse(user).ok()),
            roles: self.all("role").map(print).collect(),
            groups: groups.ok_or(TokenError::Group)?,
            claims,
        })
    }

    /// Seconds since the Unix epoch, not necessarily whole.
    fn moment(&self, name: &str) -> Result<Option<f64>, TokenError> {
        match self.one(name)? {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or(TokenError::Malformed),
        }
    }

    /// A claim that cannot be a list, and that nobody may have added a second time.
    fn one(&self, name: &str) -> Result<Option<&Value>, TokenError> {
        let mut given = self.given(name);
        match (given.next(), given.next()) {
            (None | Some(Value::Null), None) => Ok(None),
            (Some(value), None) => Ok(Some(value)),
            (_, Some(_)) => Err(TokenError::Malformed),
        }
    }

    /// A claim that may be one value, a list or repeated. `null` is no value.
    fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        let values = self
            .given(name)
            .flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        values.filter(|value| !value.is_null())
    }

    fn given(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value)
    }
}

fn print(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClaimsVisitor;
        impl<'de> Visitor<'de> for ClaimsVisitor {
            type Value = Claims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = Vec::new();
                while let Some(claim) = map.next_entry()? {
                    claims.push(claim);
                }
                Ok(Claims(claims))
            }
        }
        deserializer.deserialize_map(ClaimsVisitor)
    }
}
