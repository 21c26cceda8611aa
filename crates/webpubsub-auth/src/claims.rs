//! The claims of a token, checked.

use std::borrow::Cow;

use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::limits::TOKEN_CLOCK_SKEW;
use webpubsub_protocol::name::{GroupName, NameError, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::error::{AudienceError, TokenError};

/// What a client's token says about the client.
///
/// Source: docs/spec/client.md#client-tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientClaims {
    /// Whom the client acts for; `None` for an anonymous user.
    pub user_id: Option<UserId>,
    /// Its roles as written, unknown ones included.
    pub roles: Vec<String>,
    /// The groups that it is a member of from the start.
    pub groups: Vec<GroupName>,
    /// The host that the token's audience names; `None` for a client without a token.
    pub host: Option<String>,
    /// Every claim of the token, those above included: what the `connect` event passes on. Numbers
    /// and the like are as JSON prints them.
    pub claims: Vec<(String, Vec<String>)>,
}

/// The claims of a token whose signature is good, or what its header says.
///
/// In the order written; one that is repeated stands there as often.
pub(crate) struct Claims<'a>(Members<'a>);

/// When a token ends, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry(f64);

/// How far a token's times may be off from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skew {
    /// By [`TOKEN_CLOCK_SKEW`].
    Tolerated,
    /// Not at all: the token is one of ours.
    None,
}

impl Expiry {
    /// Whether the end is still to come, or is at this very moment.
    pub(crate) fn is_ahead(self, now: Timestamp, skew: Skew) -> bool {
        self.0 >= seconds(now) - skew.seconds()
    }
}

impl Skew {
    const fn seconds(self) -> f64 {
        match self {
            Self::Tolerated => TOKEN_CLOCK_SKEW.as_secs_f64(),
            Self::None => 0.0,
        }
    }
}

fn seconds(now: Timestamp) -> f64 {
    now.as_millis() as f64 / 1000.0
}

impl<'a> Claims<'a> {
    /// Reads a part of a token, which has to be a JSON object.
    pub(crate) fn parse(text: &'a str) -> Result<Self, TokenError> {
        Members::parse(text).map(Self).ok_or(TokenError::Malformed)
    }

    /// Checks `exp`, which has to be there and is returned, and `nbf`, which need not be. At the very moments that
    /// they name a token is good.
    pub(crate) fn check_times(&self, now: Timestamp, skew: Skew) -> Result<Expiry, TokenError> {
        let expiry = self.moment("exp")?.map(Expiry).ok_or(TokenError::NoExpiry)?;
        if !expiry.is_ahead(now, skew) {
            return Err(TokenError::Expired);
        }
        if self.moment("nbf")?.is_some_and(|not_before| not_before > seconds(now) + skew.seconds()) {
            return Err(TokenError::NotYetValid);
        }
        Ok(expiry)
    }

    /// What `named_by` makes of the first audience, of which there may be several, that it takes for the
    /// expected one.
    pub(crate) fn check_audience<T>(
        &self,
        named_by: &dyn Fn(&str) -> Result<T, AudienceError>,
    ) -> Result<T, TokenError> {
        let mut nearest = AudienceError::Missing;
        for audience in self.all("aud") {
            match audience.text().map_or(Err(AudienceError::Scheme), |text| named_by(&text)) {
                Ok(named) => return Ok(named),
                Err(error) => nearest = nearest.max(error),
            }
        }
        Err(TokenError::Audience(nearest))
    }

    /// The text of a claim that stands there once.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, TokenError> {
        let text = |value: Json<'_>| value.text().map(Cow::into_owned).ok_or(TokenError::Malformed);
        self.one(name)?.map(text).transpose()
    }

    /// What a client's claims say, all of them checked. `group_claims` names those that have its groups.
    pub(crate) fn into_client_claims(
        self,
        host: String,
        group_claims: &[&str],
    ) -> Result<ClientClaims, TokenError> {
        let mut claims: Vec<(String, Vec<String>)> = Vec::new();
        for (name, _) in &self.0.0 {
            if claims.iter().all(|(known, _)| known != name) {
                claims.push((name.to_string(), self.texts(name)));
            }
        }
        let mut groups = Vec::new();
        for claim in group_claims {
            for group in self.all(claim) {
                let name = scalar(group).ok_or(TokenError::Group(NameError::Group))?;
                groups.push(GroupName::parse(name).map_err(TokenError::Group)?);
            }
        }
        // A number is its text, as .NET's reader has it, which refuses all else that is no string.
        let user = self.one("sub")?.map(|user| match user.boolean() {
            None => scalar(user).ok_or(TokenError::Malformed),
            Some(_) => Err(TokenError::Malformed),
        });
        let user = user.transpose()?.map(UserId::parse_unless_blank).transpose();
        Ok(ClientClaims {
            user_id: user.map_err(|_| TokenError::User)?.flatten(),
            roles: self.texts("role"),
            groups,
            host: Some(host),
            claims,
        })
    }

    /// Seconds since the Unix epoch, not necessarily whole; a number in a string too, as .NET's reader
    /// takes it.
    fn moment(&self, name: &str) -> Result<Option<f64>, TokenError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        let text = value.text().unwrap_or(Cow::Borrowed(value.as_str()));
        Json::parse(&text).and_then(number).map(Some).ok_or(TokenError::Malformed)
    }

    /// A claim that cannot be a list, and that must not stand there twice.
    pub(crate) fn one(&self, name: &str) -> Result<Option<Json<'a>>, TokenError> {
        let mut given = self.given(name);
        match (given.next(), given.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_null())),
            (_, Some(_)) => Err(TokenError::Malformed),
        }
    }

    /// A claim that may be one value, a list or repeated. `null` is no value.
    fn all(&self, name: &str) -> Vec<Json<'a>> {
        let mut all = Vec::new();
        for value in self.given(name) {
            match value.elements() {
                Some(list) => all.extend(list),
                None => all.push(value),
            }
        }
        all.retain(|value| !value.is_null());
        all
    }

    /// The same as texts: of what is no string, its JSON.
    fn texts(&self, name: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for value in self.all(name) {
            texts.push(value.text().unwrap_or(Cow::Borrowed(value.as_str())).into_owned());
        }
        texts
    }

    fn given(&self, name: &str) -> impl Iterator<Item = Json<'a>> {
        self.0.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| *value)
    }
}

/// The text of a string, a number or a boolean; `None` for a list, an object and half a surrogate.
fn scalar(value: Json<'_>) -> Option<String> {
    let is_plain = !value.as_str().starts_with(['[', '{', '"']);
    if is_plain { Some(value.as_str().to_owned()) } else { value.text().map(Cow::into_owned) }
}

/// The value of a JSON number, as exactly as moments need it; `None` past all numbers.
fn number(value: Json<'_>) -> Option<f64> {
    let text = value.as_str();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, digits) = mantissa.strip_prefix('-').map_or((1.0, mantissa), |digits| (-1.0, digits));
    let mut places = digits.find('.').map_or(0, |point| digits.len() - point - 1);
    let mut number = 0.0;
    for character in digits.chars().filter(|character| *character != '.') {
        number = number * 10.0 + f64::from(character.to_digit(10)?);
    }
    while places > 0 {
        number /= 10.0;
        places -= 1;
    }
    Some(sign * number * 10_f64.powi(exponent)).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_moments_need_them() {
        for (json, expected) in [
            ("0", 0.0),
            ("1700000000", 1_700_000_000.0),
            ("-5", -5.0),
            ("1700000000.25", 1_700_000_000.25),
            ("1.7e9", 1_700_000_000.0),
            ("17E+8", 1_700_000_000.0),
        ] {
            assert_eq!(number(Json::parse(json).unwrap()), Some(expected), "{json}");
        }
        for json in ["\"1\"", "null", "true", "[1]", "{}", "1e999", "1e99999999999"] {
            assert_eq!(number(Json::parse(json).unwrap()), None, "{json}");
        }
    }
}
