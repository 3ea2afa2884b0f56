//! What a request may be, and what is answered.

use super::*;
use hilum_pipeline::ResourceUrl;
use hilum_words::config::Secret;

#[test]
fn a_message_reaches_the_door_whole_with_what_its_headers_say() {
    let bench = Bench::new();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = format!(
        "content-type: application/hl7-v2; charset=ISO-8859-1\r\nidempotency-key: \"k 1\"\r\n\
         x-request-id: r-1\r\ntraceparent: {trace}\r\n"
    );
    let answer = bench.ask(post(&headers, "MSH|..."));
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntook 7"), "{answer}");
    assert_eq!(header(&answer, "content-type"), Some("application/hl7-v2; charset=utf-8"));
    assert_eq!(header(&answer, "x-request-id"), Some("r-1"));
    assert_eq!(header(&answer, "cache-control"), Some("no-store"));
    assert!(header(&answer, "hilum-message-id").is_some_and(|it| it.starts_with("msg_")));
    assert!(header(&answer, "date").is_some_and(|it| it.ends_with(" GMT")));
    bench.last(|inbound| {
        assert_eq!(inbound.format, BodyFormat::Hl7v2);
        assert_eq!(inbound.charset.as_deref(), Some("ISO-8859-1"));
        assert_eq!(inbound.content, "MSH|...");
        assert_eq!(inbound.wish, Wish::Hl7v2);
        assert_eq!(inbound.idempotency_key.as_deref(), Some("k 1"));
        assert_eq!(inbound.request_id, "r-1");
        assert_eq!(inbound.trace.as_deref(), Some(trace));
        assert_eq!(inbound.peer.address, "192.0.2.1:4711");
    });
}

#[test]
fn each_format_is_told_from_its_type() {
    let bench = Bench::new();
    for (text, format, wish) in [
        ("x-application/hl7-v2+er7", BodyFormat::Hl7v2, Wish::Hl7v2),
        ("application/fhir+json; charset=utf-8", BodyFormat::FhirJson, Wish::Fhir),
        ("application/json", BodyFormat::FhirJson, Wish::Fhir),
        ("application/pdf", BodyFormat::Opaque(Name::from("application/pdf")), Wish::Problem),
    ] {
        let answer = bench.ask(post(&format!("content-type: {text}\r\n"), "body"));
        assert_eq!(status(&answer), 202, "{answer}");
        bench
            .last(|inbound| assert_eq!((&inbound.format, inbound.wish), (&format, wish), "{text}"));
    }
    let er7 = bench.ask(post("content-type: x-application/hl7-v2+er7\r\n", "body"));
    assert_eq!(header(&er7, "content-type"), Some("x-application/hl7-v2+er7; charset=utf-8"));
}

#[test]
fn a_chunked_body_arrives_as_one() {
    let bench = Bench::new();
    let request = format!(
        "POST /in HTTP/1.1\r\nhost: a\r\n{HL7}transfer-encoding: chunked\r\n\r\n\
         3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\ntrailer: t\r\n\r\n"
    );
    assert!(bench.ask(request).ends_with("took 8"));
    bench.last(|inbound| assert_eq!(inbound.content, "abcdefgh"));
}

#[test]
fn who_expects_to_be_asked_is_asked_only_for_what_is_taken() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    let head = |kind: &str, length: usize| {
        format!(
            "POST /in HTTP/1.1\r\nhost: a\r\n{kind}content-length: {length}\r\n\
             expect: 100-Continue\r\n\r\n"
        )
    };
    let good = head(HL7, 3);
    let answers = bench.run(async move {
        peer.write_all(good.as_bytes()).await.expect("written");
        let go_on = one_answer(&mut peer).await;
        peer.write_all(b"abc").await.expect("written");
        (go_on, one_answer(&mut peer).await)
    });
    assert_eq!(answers.0, "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(answers.1.ends_with("took 3"), "{}", answers.1);
    for (request, expected) in [(head(HL7, (1 << 20) + 1), 413), (head("", 3), 415)] {
        let mut peer = bench.connect();
        let answer = bench.run(async move {
            peer.write_all(request.as_bytes()).await.expect("written");
            rest(&mut peer).await
        });
        assert_eq!(status(&answer), expected, "{answer}");
        assert_eq!(header(&answer, "connection"), Some("close"), "the body may follow or not");
    }
    assert_eq!(bench.received(), 1);
    let other = post(&format!("{HL7}expect: a miracle\r\n"), "abc");
    assert_eq!(status(&bench.ask(other)), 417);
}

#[test]
fn requests_that_come_without_waiting_are_answered_in_order() {
    let bench = Bench::new();
    let all: String = (1..=20).map(|length| post(HL7, &"x".repeat(length))).collect();
    let answer = bench.ask(all);
    let took: Vec<&str> = answer
        .split("took ")
        .skip(1)
        .map(|it| it.split("HTTP").next().unwrap_or_default())
        .collect();
    let expected: Vec<String> = (1..=20).map(|it: usize| it.to_string()).collect();
    assert_eq!(took, expected);
    let lengths: Vec<usize> = bench
        .story
        .received
        .lock()
        .expect("held by nobody")
        .iter()
        .map(|it| it.content.len())
        .collect();
    assert_eq!(lengths, (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_refused_request_does_not_end_the_connection_where_its_body_is_small() {
    let bench = Bench::new();
    let both = post("", "no type") + &post(HL7, "good");
    let answer = bench.ask(both);
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
    assert!(answer.ends_with("took 4"), "{answer}");
    // A long one is not read for nothing.
    let both = post("", &"x".repeat(100 << 10)) + &post(HL7, "good");
    let answer = bench.ask(both);
    assert_eq!(header(&answer, "connection"), Some("close"));
    assert!(!answer.contains("took"), "{answer}");
}

#[test]
fn the_older_protocol_is_spoken_too() {
    let bench = Bench::new();
    let request = format!("POST /in HTTP/1.0\r\n{HL7}content-length: 3\r\n\r\nabc");
    let answer = bench.ask(request.clone() + &request);
    assert!(answer.starts_with("HTTP/1.0 202"), "{answer}");
    assert_eq!(answer.matches("took 3").count(), 1, "without keep-alive it closes: {answer}");
    let request = request.replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n");
    let answer = bench.ask(request.clone() + &request);
    assert_eq!(answer.matches("took 3").count(), 2, "{answer}");
}

#[test]
fn a_line_after_a_body_begins_no_request() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    let clock = bench.twin.doors().clock;
    let answers = bench.run(async move {
        let mut answers = Vec::new();
        for _ in 0..3 {
            peer.write_all((post(HL7, "x") + "\r\n").as_bytes()).await.expect("written");
            answers.push(one_answer(&mut peer).await);
            clock.sleep_until(clock.instant().plus(READ_TIMEOUT * 3)).await;
        }
        answers
    });
    assert!(answers.iter().all(|it| it.ends_with("took 1")), "{answers:?}");
}

#[test]
fn other_methods_and_paths_are_told_apart() {
    let bench = Bench::new();
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "FROB", "TRACE"] {
        let answer = bench.ask(format!("{method} /in HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert_eq!(status(&answer), 405, "{answer}");
        assert_eq!(header(&answer, "allow"), Some("POST"));
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        assert_eq!(body.is_empty(), method == "HEAD", "{answer}");
    }
    for path in ["/", "/in/x", "/IN", "*", "/in%2f", "/in//"] {
        let answer = bench.ask(post(HL7, "x").replacen("/in", path, 1));
        assert_eq!(status(&answer), 404, "{answer}");
    }
    for path in ["/in/", "/in?x=y", "http://a/in"] {
        let answer = bench.ask(post(HL7, "x").replacen("/in", path, 1));
        assert_eq!(status(&answer), 202, "{answer}");
    }
    assert_eq!(bench.received(), 3);
}

#[test]
fn a_client_of_fhir_may_name_the_resource_in_its_url() {
    let bench = Bench::new();
    let to = |method: &str, path: &str, kind: &str| {
        let request = post(kind, "{}").replacen("POST /in", &format!("{method} /in{path}"), 1);
        bench.ask(request)
    };
    assert_eq!(status(&to("POST", "/Patient", FHIR)), 202);
    bench.last(|it| assert_eq!(it.resource.as_ref().map(|it| it.id.clone()), Some(None)));
    assert_eq!(status(&to("PUT", "/Patient/p1?x=y", FHIR)), 202);
    let expected = ResourceUrl { resource_type: "Patient".to_owned(), id: Some("p1".to_owned()) };
    bench.last(|it| assert_eq!(it.resource, Some(expected)));
    for (method, path, allow) in
        [("PUT", "", "POST"), ("PUT", "/Patient", "POST"), ("POST", "/Patient/p1", "PUT")]
    {
        let answer = to(method, path, FHIR);
        assert_eq!((status(&answer), header(&answer, "allow")), (405, Some(allow)), "{path}");
    }
    // An HL7 v2 message is no Patient.
    assert_eq!(status(&to("POST", "/Patient", HL7)), 404);
    assert_eq!(bench.received(), 2);
}

#[test]
fn what_is_wrong_with_a_head_is_said_in_the_senders_format() {
    let bench = Bench::new();
    for (headers, expected, says) in [
        ("", 415, "Content-Type"),
        ("content-type: text\r\n", 415, "Content-Type"),
        ("content-type: multipart/form-data; boundary=x\r\n", 415, "form"),
        ("content-type: application/fhir+xml\r\n", 415, "send it as application/fhir+json"),
        ("content-type: application/fhir+xml\r\naccept: application/fhir+xml\r\n", 415, "XML"),
        ("content-type: application/fhir+json\r\ncontent-encoding: gzip\r\n", 415, "compressed"),
        ("content-type: application/fhir+json\r\naccept: text/html\r\n", 406, "Accept"),
        ("content-type: application/fhir+json\r\nidempotency-key: \r\n", 400, "Idempotency-Key"),
        ("host: b\r\ncontent-type: application/fhir+json\r\n", 400, "Host"),
    ] {
        let answer = bench.ask(post(headers, "{}"));
        assert_eq!(status(&answer), expected, "{answer}");
        assert!(answer.contains(says), "{answer}");
        let is_fhir = headers.contains("fhir");
        let kind = if is_fhir { "application/fhir+json" } else { "application/problem+json" };
        assert_eq!(header(&answer, "content-type"), Some(kind), "{answer}");
        assert_eq!(answer.contains("OperationOutcome"), is_fhir, "{answer}");
        assert!(header(&answer, "x-request-id").is_some());
    }
    let gzip = bench.ask(post(&format!("{HL7}content-encoding: gzip\r\n"), "{}"));
    assert_eq!(header(&gzip, "accept-encoding"), Some("identity"));
    let plain = bench.ask(post(&format!("{HL7}content-encoding: identity\r\n"), "{}"));
    assert_eq!(status(&plain), 202);
    let no_host = bench.ask(post(HL7, "x").replace("host: a\r\n", ""));
    assert_eq!(status(&no_host), 400);
    let no_length = bench.ask(post(HL7, "x").replace("content-length: 1\r\n", ""));
    assert_eq!((status(&no_length), header(&no_length, "connection")), (411, Some("close")));
    assert_eq!(no_length.matches("HTTP/1.1").count(), 1, "what follows is no request");
    let empty = bench.ask(post(HL7, ""));
    assert_eq!(status(&empty), 400);
    assert_eq!(bench.troubles(Trouble::Empty), 1);
    assert_eq!(bench.received(), 1);
    let answered = |status| {
        let labels = ResponseLabels { listener: "web".to_owned(), status };
        bench.metrics.responses.get_or_create(&labels).get()
    };
    assert_eq!([202, 400, 406, 415].map(answered), [1, 4, 1, 7]);
}

#[test]
fn nothing_of_a_request_is_in_a_refusal() {
    let bench = Bench::new();
    for request in [
        post("content-type: x/zedlitz\r\naccept: zedlitz/x\r\n", "zedlitz"),
        post(&format!("{HL7}idempotency-key: zedlitz\u{e9}\r\n"), "zedlitz"),
        post(&format!("{HL7}x-request-id: zedlitz was here\r\n{HL7}"), "zedlitz"),
        post(HL7, "zedlitz").replace("/in", "/zedlitz?zedlitz"),
        post(HL7, "zedlitz").replace("POST", "ZEDLITZ"),
    ] {
        let answer = bench.ask(request);
        assert!((400..500).contains(&status(&answer)), "{answer}");
        assert!(!answer.to_lowercase().contains("zedlitz"), "{answer}");
    }
}

#[test]
fn a_busy_door_says_when_to_come_again() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").retry_after =
        Some(Duration::from_millis(1500));
    let answer = bench.ask(post(HL7, "x"));
    assert_eq!((status(&answer), header(&answer, "retry-after")), (503, Some("2")));
}

#[test]
fn only_who_proves_it_may_send() {
    let mut bench = Bench::new();
    let config = AuthConfig::bearer_of("T");
    bench.auth = Some(Auth::new(&config, &Secret::from_bytes(b"t0ken".to_vec()).expect("one")));
    let without = bench.ask(post(HL7, "x"));
    assert_eq!(status(&without), 401);
    assert_eq!(header(&without, "www-authenticate"), Some("Bearer realm=\"hilum\""));
    let wrong = bench.ask(post(&format!("{HL7}authorization: Bearer token\r\n"), "x"));
    assert_eq!(status(&wrong), 401);
    // What paths there are is told to nobody else.
    let elsewhere = bench.ask(post(HL7, "x").replacen("/in", "/out", 1));
    assert_eq!(status(&elsewhere), 401);
    assert_eq!(bench.received(), 0);
    let right = bench.ask(post(&format!("{HL7}authorization: Bearer t0ken\r\n"), "x"));
    assert_eq!(status(&right), 202);
}
