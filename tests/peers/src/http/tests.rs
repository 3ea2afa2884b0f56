use super::*;

fn post(stream: &mut TcpStream, body: &str) {
    let length = body.len();
    write!(stream, "POST /x HTTP/1.1\r\nHost: y\r\nContent-Length: {length}\r\n\r\n{body}")
        .expect("written");
}

fn hear(stream: &mut TcpStream, until: &str) -> String {
    let mut heard = Vec::new();
    let mut byte = [0; 1];
    while !heard.ends_with(until.as_bytes()) && matches!(stream.read(&mut byte), Ok(1)) {
        heard.push(byte[0]);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

#[test]
fn it_writes_down_what_comes_and_says_what_it_is_told() {
    let receiver = HttpReceiver::start().expect("started");
    let mut stream = TcpStream::connect(receiver.address()).expect("connected");
    post(&mut stream, "one");
    assert!(hear(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
    receiver.answer_next([Say::json(503, "{}"), Say::HangUp]);
    post(&mut stream, "two");
    let answer = hear(&mut stream, "{}");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("application/json"), "{answer}");
    post(&mut stream, "three");
    assert_eq!(hear(&mut stream, "never"), "");
    let received = receiver.received();
    assert_eq!(
        received.iter().map(|it| &it.body[..]).collect::<Vec<_>>(),
        [b"one".as_slice(), b"two", b"three"]
    );
    assert_eq!(
        received.iter().map(|it| it.answered).collect::<Vec<_>>(),
        [Some(200), Some(503), None]
    );
    assert_eq!((received[0].method.as_str(), received[0].header("Host")), ("POST", Some("y")));
    receiver.down();
    assert!(TcpStream::connect(receiver.address()).is_err());
    receiver.recover().expect("it listens again");
    let mut stream = TcpStream::connect(receiver.address()).expect("connected");
    post(&mut stream, "four");
    assert!(hear(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
    assert_eq!(receiver.connections(), 2);
}
