use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::Method;

use super::*;
use crate::dial::Security;
use crate::http::Url;

/// A server that is a script: one closure per connection, in order.
fn server(script: Vec<fn(TcpStream)>) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let url = format!("http://{}/x", listener.local_addr().expect("an address"));
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let serve = move || {
        for act in script {
            let (stream, _) = listener.accept().expect("accepted");
            count.fetch_add(1, Ordering::SeqCst);
            act(stream);
        }
    };
    std::thread::Builder::new().spawn(serve).expect("a thread");
    (Url::parse(&url).expect("a URL"), accepted)
}

/// Reads one request with a body of two bytes.
fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    let mut byte = [0; 1];
    while !read.ends_with(b"\r\n\r\nhi") {
        match stream.read(&mut byte) {
            Ok(1) => read.push(byte[0]),
            _ => return false,
        }
    }
    true
}

fn answer(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).expect("written");
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

fn limits() -> Limits {
    Limits {
        answer: Duration::from_secs(5),
        head_bytes_max: 16 << 10,
        body_bytes_max: 1 << 10,
        idle: Duration::from_secs(5),
    }
}

struct Site {
    runtime: tokio::runtime::Runtime,
    client: Client,
    accepted: Arc<AtomicUsize>,
}

impl Site {
    fn new(limits: Limits, script: Vec<fn(TcpStream)>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("tokio");
        let (url, accepted) = server(script);
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let dialer = Dialer::new(url.address(), Security::Plain, Duration::from_secs(5), &doors);
        let client = Client::new(dialer, limits, &doors);
        Self { runtime, client, accepted }
    }

    fn post(&self) -> Result<u16, Lost> {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/x")
            .header("host", "x")
            .body(Full::new(Bytes::from_static(b"hi")))
            .expect("a request");
        self.runtime.block_on(self.client.exchange(request)).map(|it| it.status)
    }

    /// Gives the connection's own task the time to notice that the server has closed it.
    fn let_it_notice(&self) {
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let site = Site::new(
        limits(),
        vec![|mut stream| {
            while read_request(&mut stream) {
                answer(&mut stream, OK);
            }
        }],
    );
    for _ in 0..5 {
        assert_eq!(site.post(), Ok(200));
    }
    assert_eq!(site.accepted.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_costs_nothing() {
    let once: fn(TcpStream) = |mut stream| {
        read_request(&mut stream);
        answer(&mut stream, OK);
    };
    let site = Site::new(limits(), vec![once, once]);
    assert_eq!(site.post(), Ok(200));
    site.let_it_notice();
    assert_eq!(site.post(), Ok(200), "it went out on a fresh connection");
    assert_eq!(site.accepted.load(Ordering::SeqCst), 2);
}

#[test]
fn a_kept_connection_that_closes_on_the_request_leaves_the_outcome_unknown() {
    let site = Site::new(
        limits(),
        vec![|mut stream| {
            read_request(&mut stream);
            answer(&mut stream, OK);
            // It takes the second request whole, and dies before it answers.
            read_request(&mut stream);
        }],
    );
    assert_eq!(site.post(), Ok(200));
    assert_eq!(site.post(), Err(Lost::Unknown("the connection closed without an answer".into())));
    assert_eq!(site.accepted.load(Ordering::SeqCst), 1, "it was not sent again");
}

#[test]
fn a_connection_that_waited_too_long_is_not_used() {
    let keep: fn(TcpStream) = |mut stream| {
        read_request(&mut stream);
        answer(&mut stream, OK);
        // Kept open by a thread of its own.
        std::thread::Builder::new()
            .spawn(move || drop(stream.read(&mut [0; 1])))
            .expect("a thread");
    };
    let site = Site::new(Limits { idle: Duration::ZERO, ..limits() }, vec![keep, keep]);
    assert_eq!(site.post(), Ok(200));
    assert_eq!(site.post(), Ok(200));
    assert_eq!(site.accepted.load(Ordering::SeqCst), 2);
}

#[test]
fn every_bound_of_an_answer_bites() {
    let site = Site::new(
        Limits { answer: Duration::from_millis(50), ..limits() },
        vec![
            |mut stream| {
                read_request(&mut stream);
                let head = "HTTP/1.1 200 OK\r\nX: ".to_owned() + &"x".repeat(64 << 10);
                let _ = stream.write_all(head.as_bytes());
            },
            |mut stream| {
                read_request(&mut stream);
                answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
            },
            |mut stream| {
                read_request(&mut stream);
                answer(&mut stream, "SSH-2.0-OpenSSH_9.2\r\n");
            },
            |mut stream| {
                read_request(&mut stream);
                answer(&mut stream, "HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\nhi");
            },
            |mut stream| {
                read_request(&mut stream);
                answer(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
                std::thread::park_timeout(Duration::from_secs(1));
            },
        ],
    );
    let unknown = |text: &str| Err(Lost::Unknown(text.into()));
    assert_eq!(site.post(), unknown("the answer's head is too long"));
    assert_eq!(site.post(), unknown("the answer broke off"));
    assert_eq!(site.post(), unknown("the answer is not HTTP"));
    assert_eq!(site.post(), Ok(422), "a refusal is a refusal, however it ends");
    assert_eq!(site.post(), unknown("no answer in time"));
}

#[test]
fn nobody_there_is_not_sent() {
    let site = Site::new(limits(), Vec::new());
    // The script is empty, so the listener is closed.
    site.let_it_notice();
    assert_eq!(site.post(), Err(Lost::NotSent("connection refused".into())));
}
