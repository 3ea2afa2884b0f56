use std::io::Read;

use super::*;

const MESSAGE: &[u8] = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|ID7|P|2.5\rPID|1\r";

fn connect(receiver: &MllpReceiver) -> TcpStream {
    TcpStream::connect(receiver.address()).expect("connected")
}

fn send(stream: &mut TcpStream) {
    for part in [b"\x0b".as_slice(), MESSAGE, b"\x1c\x0d"] {
        stream.write_all(part).expect("written");
    }
}

fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x1c\x0d") {
        let mut more = [0; 1];
        let count = stream.read(&mut more).expect("read");
        assert_ne!(count, 0, "it answers");
        answer.extend_from_slice(&more[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn frames_are_received_and_acknowledged() {
    let receiver = MllpReceiver::start().expect("started");
    let mut stream = connect(&receiver);
    send(&mut stream);
    assert!(answer(&mut stream).contains("\rMSA|AA|ID7\r"));
    assert_eq!(receiver.received(), [MESSAGE.to_vec()]);

    receiver.answer(Ack::HangUp);
    send(&mut stream);
    assert_eq!(stream.read(&mut [0; 16]).expect("closed"), 0);
    assert_eq!((receiver.received().len(), receiver.connections()), (2, 1));
}

#[test]
fn answers_come_as_they_were_ordered() {
    let receiver = MllpReceiver::start().expect("started");
    let mut stream = connect(&receiver);
    receiver.answer_next([
        Ack::All(vec![Ack::Code("CA"), Ack::Code("AA")]),
        Ack::Error("AR", "207"),
        Ack::Of("X"),
    ]);
    send(&mut stream);
    assert!(answer(&mut stream).contains("\rMSA|CA|ID7\r"));
    assert!(answer(&mut stream).contains("\rMSA|AA|ID7\r"));
    send(&mut stream);
    let error = answer(&mut stream);
    assert!(error.contains("\rMSA|AR|ID7|") && error.contains("\rERR||PID^1^5|207|E"), "{error}");
    send(&mut stream);
    assert!(answer(&mut stream).contains("\rMSA|AA|X\r"));
    send(&mut stream);
    assert!(answer(&mut stream).contains("\rMSA|AA|ID7\r"), "as before");
    receiver.say(b"\x0bhello\x1c\r");
    assert_eq!(answer(&mut stream), "\u{b}hello\u{1c}\r");
}

#[test]
fn it_goes_down_and_comes_back_on_its_port() {
    let receiver = MllpReceiver::start().expect("started");
    let mut stream = connect(&receiver);
    send(&mut stream);
    answer(&mut stream);
    receiver.down();
    assert_eq!(stream.read(&mut [0; 16]).expect("closed"), 0);
    assert!(TcpStream::connect(receiver.address()).is_err());
    receiver.recover().expect("it listens again");
    send(&mut connect(&receiver));
}
