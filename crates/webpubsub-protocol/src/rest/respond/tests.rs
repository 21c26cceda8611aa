//! The status, headers and body of every outcome and refusal.

use super::*;
use crate::filter::Filter;
use crate::rest::Member;

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| &**value)
}

#[test]
fn success_has_the_status_that_sdks_insist_on_and_no_body() {
    let cases = [
        (Outcome::Healthy, 200),
        (Outcome::Accepted, 202),
        (Outcome::Exists(Subject::Connection), 200),
        (Outcome::Exists(Subject::Group), 200),
        (Outcome::Exists(Subject::User), 200),
        (Outcome::Exists(Subject::Permission), 200),
        (Outcome::Added, 200),
        (Outcome::Removed, 204),
    ];
    for (outcome, status) in cases {
        let response = respond(&outcome);
        assert_eq!((response.status, response.body.as_str()), (status, ""));
        assert_eq!(header(&response, "x-ms-error-code"), None);
    }
}

#[test]
fn what_is_missing_is_named_in_a_header() {
    let cases = [
        (Subject::Connection, "Warning.Connection.NotExisted"),
        (Subject::Group, "Warning.Group.NotExisted"),
        (Subject::User, "Warning.User.NotExisted"),
        (Subject::Permission, "Info.Connection.NotExisted"),
    ];
    for (subject, code) in cases {
        let response = respond(&Outcome::Missing(subject));
        assert_eq!((response.status, response.body.as_str()), (404, ""));
        assert_eq!(header(&response, "x-ms-error-code"), Some(code));
    }
}

#[test]
fn whoever_cannot_be_changed_is_named_in_the_body() {
    let connection = || ConnectionId::parse("abc").unwrap();
    let user = UserId::parse("dev").unwrap();
    let cases = [
        (
            Outcome::NoConnectionToAdd(connection()),
            404,
            "Error.Connection.NotExisted",
            r#"{"code":"Error.Connection.NotExisted","message":"Connection `abc` is not found.","target":"Connection","details":null,"innererror":null}"#,
        ),
        (
            Outcome::NoUserToAdd(user),
            404,
            "Error.User.NotExisted",
            r#"{"code":"Error.User.NotExisted","message":"User `dev` is not found.","target":"User","details":null,"innererror":null}"#,
        ),
        (
            Outcome::NoConnectionToGrant(connection()),
            404,
            "Info.Connection.NotExisted",
            r#"{"code":"Info.Connection.NotExisted","message":"Connection `abc` is not found.","target":"Connection","details":null,"innererror":null}"#,
        ),
        (
            Outcome::TooManyPermissions(connection()),
            409,
            "Error.Connection.Conflict",
            r#"{"code":"Error.Connection.Conflict","message":"Connection `abc` has entries of this permission for 1000 groups, which is the limit.","target":"Connection","details":null,"innererror":null}"#,
        ),
    ];
    for (outcome, status, code, body) in cases {
        let response = respond(&outcome);
        assert_eq!((response.status, response.body.as_str()), (status, body));
        assert_eq!(header(&response, "x-ms-error-code"), Some(code));
        assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
    }
}

#[test]
fn a_page_lists_members_and_says_where_the_next_one_is() {
    let member = |connection, user: Option<&str>| Member {
        connection: ConnectionId::parse(connection).unwrap(),
        user: user.map(|user| UserId::parse(user).unwrap()),
    };
    let members = vec![member("c1", Some("alice")), member("c2", None)];
    let next_link = Some("https://example.com/next?a=\"".to_owned());
    let response = respond(&Outcome::Members(MemberPage { members, next_link }));
    assert_eq!(
        (response.status, response.body.as_str()),
        (
            200,
            r#"{"value":[{"connectionId":"c1","userId":"alice"},{"connectionId":"c2","userId":null}],"nextLink":"https://example.com/next?a=\""}"#
        )
    );
    let response = respond(&Outcome::Members(MemberPage { members: vec![], next_link: None }));
    assert_eq!((response.status, response.body.as_str()), (200, r#"{"value":[],"nextLink":null}"#));
    assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn a_token_comes_as_json_and_is_not_printed() {
    let outcome = Outcome::Token("a.b.c".to_owned());
    assert_eq!(format!("{outcome:?}"), "Token");
    let response = respond(&outcome);
    assert_eq!((response.status, response.body.as_str()), (200, r#"{"token":"a.b.c"}"#));
    assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
    assert!(!format!("{response:?}").contains("a.b.c"));
}

#[test]
fn errors_say_what_where_and_what_to_do() {
    let response = refuse(&Refusal::Hub, "POST");
    assert_eq!(response.status, 400);
    assert_eq!(
        response.body,
        r#"{"code":"Error.BadRequest","message":"Invalid hub name.","target":"hub","details":null,"innererror":null}"#
    );
    assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
    assert_eq!(header(&response, "content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn an_answer_to_head_has_its_error_in_the_header_only() {
    let response = refuse(&Refusal::Group, "HEAD");
    assert_eq!((response.status, response.body.as_str()), (400, ""));
    assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
    assert_eq!(header(&response, "content-type"), None);
}

#[test]
fn a_refused_token_is_answered_with_what_failed() {
    let why = "The access token has expired.";
    let body = r#"{"code":"Error.Unauthorized","message":"The access token has expired.","target":"Request","details":null,"innererror":null}"#;
    for method in ["POST", "HEAD"] {
        let response = refuse(&Refusal::Unauthorized { why }, method);
        assert_eq!(response.status, 401);
        assert_eq!(response.body, if method == "HEAD" { "" } else { body });
        assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
        assert_eq!(header(&response, "x-ms-error-code"), Some("Error.Unauthorized"));
    }
    let response = turn_away(401, why);
    assert_eq!((response.status, response.body.as_str()), (401, body));
    assert_eq!(header(&response, "www-authenticate"), Some("Bearer"));
    assert_eq!(header(&response, "api-supported-versions"), None);
    let response = turn_away(403, "The event handler refused the connection.");
    assert_eq!(header(&response, "x-ms-error-code"), Some("Error.Forbidden"));
}

#[test]
fn a_bad_filter_is_a_validation_problem() {
    let error = || Filter::parse("invalid filter").unwrap_err();
    for (refusal, target) in [(Refusal::Filter(error()), "filter"), (Refusal::BodyFilter(error()), "Filter")]
    {
        let response = refuse(&refusal, "POST");
        let message = "Invalid syntax for 'invalid filter': Syntax error at position 14 in 'invalid filter'. (Parameter 'filter')";
        assert_eq!(response.status, 400);
        assert_eq!(
            response.body,
            format!(
                r#"{{"code":"Error.BadRequest","message":"{message}","target":"{target}","errors":{{"{target}":["{message}"]}},"type":null,"title":"One or more validation errors occurred.","status":400,"detail":null,"instance":null,"extensions":{{}}}}"#
            )
        );
        assert_eq!(header(&response, "content-type"), Some("application/problem+json; charset=utf-8"));
        assert_eq!(header(&response, "x-ms-error-code"), Some("Error.BadRequest"));
        assert_eq!(header(&response, "api-supported-versions"), None);
    }
}

#[test]
fn another_method_gets_405_with_the_allowed_ones() {
    let response = refuse(&Refusal::Method { allow: "POST".to_owned() }, "GET");
    assert_eq!(response.status, 405);
    assert_eq!(header(&response, "allow"), Some("POST"));
}

#[test]
fn every_response_but_a_validation_problem_lists_the_versions() {
    let versions = "2021-10-01, 2022-11-01, 2023-07-01, 2024-01-01, 2024-12-01";
    for response in [
        respond(&Outcome::Accepted),
        respond(&Outcome::Missing(Subject::User)),
        refuse(&Refusal::Unauthorized { why: "" }, "POST"),
        refuse(&Refusal::UnknownPath, "GET"),
        refuse(&Refusal::Internal, "HEAD"),
    ] {
        assert_eq!(header(&response, "api-supported-versions"), Some(versions));
    }
}
