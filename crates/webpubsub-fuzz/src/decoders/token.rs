//! Decoders of tokens and keys.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use webpubsub_auth::{
    AccessKeys, ClientAudience, ClientClaims, Hosts, ServiceAudience, SessionKeys, TokenError, sign,
    sign_continuation, sign_reconnection_token, verify_client, verify_continuation,
    verify_reconnection_token, verify_service, verify_ticket,
};
use webpubsub_protocol::client::endpoint::EndpointForm;
use webpubsub_protocol::limits::TOKEN_CLOCK_SKEW;
use webpubsub_protocol::name::{ConnectionId, GroupName, HubName};
use webpubsub_protocol::role::Role;
use webpubsub_protocol::time::Timestamp;

use super::{Decoder, lines};
use crate::corpus::texts;

/// The keys, the time and the places of the golden vectors.
const PRIMARY: &str = "0123456789abcdef0123456789abcdef";
const SECONDARY: &str = "fedcba9876543210fedcba9876543210";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const CLIENTS_HOST: &str = "example.com";
const SERVERS_HOST: &str = "h";
const PATH: &str = "/api/hubs/chat/:send";
const TICKET: &str = r#"{"aud":"https://h/management/session","exp":1700000060,"jti":"x"}"#;

const TOKEN: &[&[u8]] = &[b".", b"=", b"A", b"-", b"_", b"+", b"/", b" ", b"\n", b"eyJhbGciOiJub25lIn0"];

const CLAIMS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"\\ud800",
    b"null",
    b"[",
    b"]",
    b"{}",
    b",",
    b"1e999",
    b"-1",
    b"0.5",
    b"99999999999999999999",
    b"\"exp\":",
    b"\"exp\":0,",
    b"\"nbf\":9999999999,",
    b"\"aud\":[],",
    b"\"aud\":\"https://other/client/hubs/chat\",",
    b"\"sub\":\"a\",",
    b"\"role\":\"webpubsub.sendToGroups.**a*?\",",
    b"\"webpubsub.group\":[\"g\"],",
    b"\"alg\":\"none\",",
    b"\"alg\":\"HS512\",",
    b"\"crit\":[\"exp\"],",
    b"\n",
];

pub(super) fn decoders() -> Vec<Decoder> {
    let clients =
        || texts(&["tokens/client", "tokens/client-refused", "tokens/client-invalid-group"], "token");
    let servers = || texts(&["tokens/service"], "token");
    let keys = keys();
    let (hub, group, connection) = (hub(), group(), connection());
    let recovering = sign_reconnection_token(&keys, NOW, &connection, &hub);
    let continuing = sign_continuation(&keys, &hub, &group, &connection);
    vec![
        token("client-token", clients(), |keys, token| client(keys, token).is_some()),
        token("rest-token", servers(), server),
        token("reconnection-token", vec![recovering.into_bytes()], move |keys, token| {
            verify_reconnection_token(keys, NOW, token, &connection, &hub).is_ok()
        }),
        token("continuation-token", vec![continuing.into_bytes()], move |keys, token| {
            verify_continuation(keys, &self::hub(), &group, token).is_ok()
        }),
        token("session-token", vec![sessions().sign(NOW).into_bytes()], |_, token| {
            sessions().verify(NOW, token).is_ok()
        }),
        token("ticket", vec![sign(&keys, TICKET).into_bytes()], |keys, token| {
            let hosts = Hosts { requested: SERVERS_HOST, accepted: &[] };
            let audience = ServiceAudience { hosts, path: "/management/session" };
            verify_ticket(keys, NOW, token, &audience).is_ok()
        }),
        claims("client-claims", &clients(), |keys, token| match client(keys, token) {
            Some(Ok(claims)) => {
                for role in &claims.roles {
                    let _ = Role::parse(role);
                }
                true
            }
            Some(Err(_)) | None => false,
        }),
        claims("rest-claims", &servers(), server),
    ]
}

/// No change to a token goes unseen: what is accepted is, letter for letter, one that was signed.
fn token(
    name: &'static str,
    inputs: Vec<Vec<u8>>,
    is_accepted: impl Fn(&AccessKeys, &str) -> bool + Send + Sync + 'static,
) -> Decoder {
    let keys = keys();
    let signed: BTreeSet<_> =
        inputs.iter().map(|input| String::from_utf8_lossy(input).into_owned()).collect();
    let good: BTreeSet<_> = signed.into_iter().filter(|token| is_accepted(&keys, token)).collect();
    assert!(!good.is_empty(), "{name}: no good token");
    Decoder::of_text(name, inputs, TOKEN, move |token| {
        let accepted = is_accepted(&keys, token);
        assert_eq!(accepted, good.contains(token), "a changed token is accepted, or a good one refused");
        accepted.into()
    })
}

/// What somebody who has the key may say: a header and claims, of which mutants are signed.
fn claims(
    name: &'static str,
    tokens: &[Vec<u8>],
    is_accepted: impl Fn(&AccessKeys, &str) -> bool + Send + Sync + 'static,
) -> Decoder {
    let keys = keys();
    let inputs = tokens.iter().filter_map(|token| unsigned(token)).collect();
    Decoder::new(name, inputs, CLAIMS, move |input| {
        let accepted = is_accepted(&keys, &signed(input));
        if accepted {
            expect_good(input);
        }
        accepted.into()
    })
}

/// `None` for bad tokens; of good ones the claims, or an error for a group that cannot be.
fn client(keys: &AccessKeys, token: &str) -> Option<Result<ClientClaims, TokenError>> {
    let hosts = Hosts { requested: CLIENTS_HOST, accepted: &[] };
    let audience = ClientAudience { hosts, hub: &hub(), form: EndpointForm::Hubs };
    let verified = verify_client(keys, NOW, token, &audience);
    match verified.as_ref().map_err(|error| error.answer().0) {
        Ok(claims) => {
            assert_eq!(claims.host.as_deref(), Some(CLIENTS_HOST), "no host but the one that was asked");
            Some(verified)
        }
        Err(400) => Some(verified),
        Err(status) => {
            assert_eq!(status, 401);
            None
        }
    }
}

fn server(keys: &AccessKeys, token: &str) -> bool {
    let hosts = Hosts { requested: SERVERS_HOST, accepted: &[] };
    let origin = verify_service(keys, NOW, token, &ServiceAudience { hosts, path: PATH });
    if let Ok(origin) = &origin {
        assert_eq!(origin.host, SERVERS_HOST, "no host but the one that was asked");
    }
    origin.is_ok()
}

/// The header and the claims of a token, with a line feed between them.
fn unsigned(token: &[u8]) -> Option<Vec<u8>> {
    let mut parts = token.split(|byte| *byte == b'.').map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let (header, claims) = (parts.next()??, parts.next()??);
    Some([header, claims].join(&b'\n'))
}

/// The token of a header and claims.
fn signed(input: &[u8]) -> String {
    let (header, claims) = lines(input);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let key = Hmac::<Sha256>::new_from_slice(PRIMARY.as_bytes()).expect("any length is a key's");
    let signature = key.chain_update(message.as_bytes()).finalize().into_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A good token says HS256, and that it has not expired, to other readers of JSON too. They may balk
/// at escapes and numbers in what means nothing here.
fn expect_good(input: &[u8]) {
    let (header, json) = lines(input);
    let read = |json| serde_json::from_slice::<Value>(json).ok();
    if let Some(header) = read(header) {
        assert_eq!(header["alg"], "HS256");
    }
    if let Some(claims) = read(json) {
        let earliest = NOW.as_seconds() - TOKEN_CLOCK_SKEW.as_secs();
        let expiry = &claims["exp"];
        let expiry = expiry.as_str().map_or(expiry.as_f64(), |expiry| expiry.trim().parse().ok());
        assert!(expiry >= Some(earliest as f64), "expired");
        // Of a claim that is repeated, as this one may be, they have only the last.
        let is_repeated = |text: &[u8]| String::from_utf8_lossy(text).matches("\"aud\"").count() > 1;
        let audience = &claims["aud"];
        assert!(audience.is_string() || audience.is_array() || is_repeated(json), "without an audience");
    }
}

fn keys() -> AccessKeys {
    AccessKeys::new(PRIMARY, Some(SECONDARY)).expect("two keys")
}

fn sessions() -> SessionKeys {
    SessionKeys::new("a secret of operators", PRIMARY).expect("keys of sessions")
}

fn hub() -> HubName {
    HubName::parse("chat").expect("a hub")
}

fn group() -> GroupName {
    GroupName::parse("room").expect("a group")
}

fn connection() -> ConnectionId {
    ConnectionId::parse("c1").expect("a connection")
}
