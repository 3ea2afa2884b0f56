use std::time::Duration;

use hilum_peers::{HttpReceiver, Say, TokenEndpoint};

use crate::http::tests::{Sender, delivery};

/// A service that answers 200 to every request, and what sends to it with this `[auth]`.
fn service(auth: &str, files: &[(&str, &str)]) -> (HttpReceiver, Sender) {
    let receiver = HttpReceiver::start().expect("a receiver");
    let sender = sender(&receiver, auth, files);
    (receiver, sender)
}

fn sender(receiver: &HttpReceiver, auth: &str, files: &[(&str, &str)]) -> Sender {
    let url = receiver.url("/in");
    Sender::new(&format!("kind = \"http\"\nurl = \"{url}\"\n[auth]\n{auth}"), files)
}

fn header(receiver: &HttpReceiver, name: &str) -> Option<String> {
    receiver.received().last()?.header(name).map(str::to_owned)
}

#[test]
fn a_password_a_token_and_a_header_go_with_each_request() {
    let basic = "kind = \"basic\"\nuser = \"Aladdin\"\npassword_file = \"p\"\n";
    let (receiver, sender) = service(basic, &[("p", "open sesame\n")]);
    assert_eq!(sender.say("json", "{}"), "200");
    // RFC 7617 §2.
    let expected = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    assert_eq!(header(&receiver, "authorization").as_deref(), Some(expected));

    let (receiver, sender) = service("kind = \"bearer\"\ntoken_file = \"t\"\n", &[("t", "abc")]);
    assert_eq!(sender.say("json", "{}"), "200");
    assert_eq!(header(&receiver, "authorization").as_deref(), Some("Bearer abc"));
    receiver.answer_next([Say::Status(401)]);
    assert_eq!(sender.say("json", "{}"), "SetUp: the set-up is at fault: 401 Unauthorized");
    assert_eq!(receiver.received().len(), 2, "there is no other token to try");

    let text = "kind = \"header\"\nname = \"X-API-Key\"\nvalue_file = \"k\"\n";
    let (receiver, sender) = service(text, &[("k", "key")]);
    assert_eq!(sender.say("json", "{}"), "200");
    assert_eq!(header(&receiver, "x-api-key").as_deref(), Some("key"));
    assert_eq!(header(&receiver, "authorization"), None);
}

/// `hilum:geheim` as HTTP Basic.
const BASIC: &str = "aGlsdW06Z2VoZWlt";

struct Site {
    tokens: TokenEndpoint,
    receiver: HttpReceiver,
    sender: Sender,
}

impl Site {
    fn new(more: &str) -> Self {
        let tokens = TokenEndpoint::start(BASIC).expect("a token endpoint");
        let receiver = HttpReceiver::answering(tokens.guard()).expect("a receiver");
        let auth = format!(
            "kind = \"oauth2\"\ntoken_url = \"{}\"\nclient_id = \"hilum\"\nclient_secret_file = \"s\"\n{more}",
            tokens.url()
        );
        let sender = sender(&receiver, &auth, &[("s", "geheim")]);
        Self { tokens, receiver, sender }
    }

    fn say(&self) -> String {
        self.sender.say("json", "{}")
    }
}

#[test]
fn a_token_is_fetched_once_and_kept() {
    let site = Site::new("scope = \"system/*.write x\"\n");
    for _ in 0..3 {
        assert_eq!(site.say(), "200");
    }
    assert_eq!(site.tokens.issued(), 1);
    assert_eq!(header(&site.receiver, "authorization").as_deref(), Some("Bearer token-1"));
    let asked = site.tokens.receiver().received().remove(0);
    assert_eq!(asked.body, "grant_type=client_credentials&scope=system%2F%2A.write%20x");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.header("authorization"), Some(&*format!("Basic {BASIC}")));
}

#[test]
fn many_at_once_fetch_one_token() {
    let site = Site::new("");
    assert_eq!(site.sender.deliver_at_once(20), vec!["200"; 20]);
    assert_eq!(site.tokens.issued(), 1);
    site.tokens.revoke();
    assert_eq!(site.sender.deliver_at_once(20), vec!["200"; 20]);
    assert_eq!(site.tokens.issued(), 2, "whoever was refused with the old one uses the new one");
}

#[test]
fn many_at_once_hear_of_one_failure() {
    let site = Site::new("");
    let slow = Say::After(Duration::from_millis(500), Box::new(Say::Status(503)));
    site.tokens.receiver().answer(slow);
    let down = "Destination: not reached: the token endpoint answered 503 Service Unavailable";
    assert_eq!(site.sender.deliver_at_once(20), vec![down; 20]);
    // Whoever comes while it is asked hears what it answered; one that comes later asks again.
    let asked = site.tokens.receiver().received().len();
    assert!((1..=2).contains(&asked), "{asked}");
}

#[test]
fn a_token_near_its_end_is_not_used() {
    let site = Site::new("");
    // Good for nothing: it is fetched anew for each request.
    site.tokens.expire_in(Some(0));
    assert_eq!((site.say(), site.say()), ("200".into(), "200".into()));
    assert_eq!(site.tokens.issued(), 2);
    site.tokens.expire_in(None);
    assert_eq!((site.say(), site.say()), ("200".into(), "200".into()));
    assert_eq!(site.tokens.issued(), 3, "one that does not say is kept for a while");
}

#[test]
fn after_401_one_other_token_is_tried_and_no_more() {
    let site = Site::new("");
    assert_eq!(site.say(), "200");
    site.tokens.revoke();
    assert_eq!(site.say(), "200");
    assert_eq!(site.tokens.issued(), 2);
    site.receiver.answer(Say::Status(401));
    assert_eq!(site.say(), "SetUp: the set-up is at fault: 401 Unauthorized");
    assert_eq!(site.tokens.issued(), 3);
    assert_eq!(site.receiver.received().len(), 5);
}

#[test]
fn a_token_endpoint_that_fails_says_so_and_nothing_of_the_secret() {
    let site = Site::new("");
    let check = |say: Say, expected: &str| {
        site.tokens.receiver().answer_next([say]);
        assert_eq!(site.say(), expected);
    };
    let set_up = |what: &str| format!("SetUp: the set-up is at fault: the token endpoint{what}");
    check(
        Say::json(401, r#"{"error":"invalid_client"}"#),
        &set_up(" answered 401 Unauthorized (invalid_client)"),
    );
    check(Say::json(400, r#"{"error":"geheim"}"#), &set_up(" answered 400 Bad Request"));
    check(Say::Status(404), &set_up(" answered 404 Not Found"));
    let redirect =
        " answered 302 Found; redirects are never followed, so the URL must be the last one";
    check(Say::Status(302), &set_up(redirect));
    check(Say::json(200, "token"), &set_up(": the answer is not JSON"));
    check(
        Say::json(200, r#"{"token_type":"mac","access_token":"x"}"#),
        &set_up(": the token is no bearer token"),
    );
    for body in [
        r#"{"token_type":"bearer"}"#,
        r#"{"token_type":"bearer","access_token":""}"#,
        r#"{"token_type":"bearer","access_token":"a\nb"}"#,
    ] {
        check(Say::json(200, body), &set_up(": the answer holds no token"));
    }
    let down = |what: &str| format!("Destination: not reached: the token endpoint{what}");
    check(Say::Status(503), &down(" answered 503 Service Unavailable"));
    check(Say::Status(429), &down(" answered 429 Too Many Requests"));
    check(Say::HangUp, &down(": the connection closed without an answer"));
    // A site that says what 401 of the service means has not said it of the token endpoint.
    site.tokens.receiver().answer_next([Say::Status(401)]);
    let fault = site.sender.deliver(delivery("json", "{}")).expect_err("a fault");
    assert_eq!(fault.code().map(|it| it.word()), Some("the"));
    assert!(site.receiver.received().is_empty(), "without a token nothing is sent");
    assert_eq!(site.say(), "200");
}

#[test]
fn the_clients_credentials_may_go_in_the_body() {
    let site = Site::new("client_auth = \"body\"\n");
    site.tokens.receiver().answer_next([Say::json(
        200,
        r#"{"token_type":"BEARER","access_token":"t","expires_in":"60"}"#,
    )]);
    site.receiver.answer(Say::Status(200));
    assert_eq!(site.say(), "200");
    let asked = site.tokens.receiver().received().remove(0);
    assert_eq!(asked.body, "grant_type=client_credentials&client_id=hilum&client_secret=geheim");
    assert_eq!(asked.header("authorization"), None);
}
