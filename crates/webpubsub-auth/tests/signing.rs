//! What this crate signs, it verifies; what anyone changes on the way, it does not.
#![expect(clippy::unwrap_used, reason = "keys and names here are good ones")]

use std::time::Duration;

use proptest::prelude::*;
use webpubsub_auth::{
    AccessKeys, AudienceError, ClientAudience, ClientClaims, Hosts, TokenError, bearer, sign, sign_client,
    verify_client,
};
use webpubsub_protocol::client::endpoint::EndpointForm;
use webpubsub_protocol::name::{GroupName, HubName, UserId};
use webpubsub_protocol::rest::{ClientType, TokenRequest};
use webpubsub_protocol::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn keys() -> AccessKeys {
    AccessKeys::new("primary", Some("secondary")).unwrap()
}

fn request() -> TokenRequest {
    TokenRequest {
        user_id: None,
        roles: vec![],
        groups: vec![],
        lifetime: Duration::from_secs(60),
        client_type: ClientType::Default,
    }
}

fn verify_at(now: Timestamp, token: &str) -> Result<ClientClaims, TokenError> {
    let hub = HubName::parse("chat").unwrap();
    let hosts = Hosts { requested: "localhost:8080", accepted: &[] };
    verify_client(&keys(), now, token, &ClientAudience { hosts, hub: &hub, form: EndpointForm::Hubs })
}

fn signed(request: &TokenRequest, origin: &str) -> String {
    sign_client(&keys(), NOW, &HubName::parse("Chat").unwrap(), request, origin)
}

#[test]
fn a_generated_token_opens_its_hub_for_its_user() {
    let request = TokenRequest {
        user_id: Some(UserId::parse("alice").unwrap()),
        roles: vec!["webpubsub.sendToGroup".to_owned(), "x".to_owned()],
        groups: vec![GroupName::parse("room").unwrap()],
        ..request()
    };
    let claims = verify_at(NOW, &signed(&request, "http://localhost:8080/")).unwrap();
    assert_eq!(
        (&claims.user_id, &claims.roles, &claims.groups),
        (&request.user_id, &request.roles, &request.groups)
    );
    let mut all: Vec<_> =
        claims.claims.iter().map(|(name, values)| (name.as_str(), values.join(" "))).collect();
    all.sort();
    assert_eq!(
        all,
        [
            ("aud", "http://localhost:8080/client/hubs/chat".to_owned()),
            ("exp", "1700000060".to_owned()),
            ("iat", "1700000000".to_owned()),
            ("nbf", "1700000000".to_owned()),
            ("role", "webpubsub.sendToGroup x".to_owned()),
            ("sub", "alice".to_owned()),
            ("webpubsub.group", "room".to_owned()),
        ]
    );
}

#[test]
fn a_generated_token_has_no_claim_without_a_value() {
    let claims = verify_at(NOW, &signed(&request(), "http://localhost:8080")).unwrap();
    let mut names: Vec<_> = claims.claims.iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["aud", "exp", "iat", "nbf"]);
    assert_eq!(claims.user_id, None);
}

#[test]
fn a_generated_token_lives_as_long_as_asked_and_the_skew_more() {
    let token = signed(&request(), "http://localhost:8080");
    let at = |seconds| verify_at(NOW.after(Duration::from_secs(seconds)), &token);
    assert!(at(60 + 300).is_ok());
    assert_eq!(at(60 + 301), Err(TokenError::Expired));
    assert!(verify_at(Timestamp::from_millis(NOW.as_millis() - 300_000), &token).is_ok());
    assert_eq!(
        verify_at(Timestamp::from_millis(NOW.as_millis() - 300_001), &token),
        Err(TokenError::NotYetValid)
    );
    let forever = TokenRequest { lifetime: Duration::MAX, ..request() };
    assert!(verify_at(NOW, &signed(&forever, "http://localhost:8080")).is_ok());
}

#[test]
fn a_token_for_mqtt_opens_nothing_else() {
    let token = signed(&TokenRequest { client_type: ClientType::Mqtt, ..request() }, "http://localhost:8080");
    assert_eq!(verify_at(NOW, &token), Err(TokenError::Audience(AudienceError::Path)));
}

#[test]
fn only_clients_of_mqtt_have_groups_by_the_claim_group() {
    for (form, path, expected) in [
        (EndpointForm::Mqtt, "/clients/mqtt/hubs/chat", &["a", "b", "c"][..]),
        (EndpointForm::Hubs, "/client/hubs/chat", &["a"]),
    ] {
        let claims = format!(
            r#"{{"aud":"http://localhost:8080{path}","exp":1700000060,"group":["b","c"],"webpubsub.group":"a"}}"#
        );
        let hub = HubName::parse("chat").unwrap();
        let hosts = Hosts { requested: "localhost:8080", accepted: &[] };
        let client =
            verify_client(&keys(), NOW, &sign(&keys(), &claims), &ClientAudience { hosts, hub: &hub, form });
        let groups = client.unwrap().groups;
        assert_eq!(groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn the_scheme_of_the_authorization_header_is_bearer_in_any_case() {
    assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
    assert_eq!(bearer(" bEARER  a.b.c "), Some("a.b.c"));
    assert_eq!(bearer("Bearer "), None);
    assert_eq!(bearer("Basic a.b.c"), None);
    assert_eq!(bearer("Bearera.b.c"), None);
    assert_eq!(bearer("a.b.c"), None);
    assert_eq!(bearer(""), None);
}

#[test]
fn errors_never_hold_any_of_the_token() {
    let token = sign(&keys(), r#"{"sub":"secret","exp":1}"#);
    let error = verify_at(NOW, &token).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), format!("{error:?}").as_str()),
        ("The access token has expired (`exp`).", "Expired")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_change_to_a_token_goes_unseen(at in any::<prop::sample::Index>(), bytes in "[ -~]{0,2}", cut in 0_usize..3) {
        let token = signed(&request(), "http://localhost:8080");
        let at = at.index(token.len());
        let end = token.len().min(at + cut);
        let mut mutant = token.clone();
        mutant.replace_range(at..end, &bytes);
        prop_assert!(mutant == token || verify_at(NOW, &mutant).is_err(), "{}", mutant);
    }

    #[test]
    fn nothing_that_is_shown_panics(token in "\\PC{0,40}|[A-Za-z0-9_.-]{0,80}") {
        prop_assert!(verify_at(NOW, &token).is_err());
    }

    #[test]
    fn no_claims_panic(json in "[\\[\\]{}\",:a0-9.e-]{0,30}") {
        // Anyone with the key may say anything; it is read or refused.
        prop_assert!(verify_at(NOW, &sign(&keys(), &json)).is_err());
        let claims = format!(r#"{{"aud":{json},"exp":{json},"nbf":{json}}}"#);
        let _ = verify_at(NOW, &sign(&keys(), &claims));
    }
}
