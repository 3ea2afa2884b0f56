//! Messages in any character set, with any delimiters, of any bytes: what nobody edits comes out as it
//! came, and what is hidden stays hidden.

use hilum_message::hl7v2::{Charset, EditLimits, Options};

use super::*;

/// Letters as delimiters are left out: a token holds some, and is not found again.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let delimiters = proptest::sample::select(vec!["|^~\\&", "$%~#@", "|^~\\", "!:;\\*"]);
    let charset = proptest::sample::select(vec![
        "",
        "UNICODE UTF-8",
        "8859/1",
        "ASCII",
        "BIG-5",
        "GB 18030-2000",
        "ISO IR87",
        "klingon",
        "8859/1~UNICODE UTF-8",
    ]);
    (delimiters, charset).prop_map(|(delimiters, charset)| {
        let field = delimiters.chars().next().unwrap_or('|').to_string();
        let charset = charset.replace('~', delimiters.get(2..3).unwrap_or("~"));
        let fields = ["LAB", "ANNA", "", "", "2026", "", "ADT", "7", "P", "2.5.1"];
        format!("MSH{delimiters}{field}{}{}{charset}\r", fields.join(&field), field.repeat(6))
            .into_bytes()
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::sample::select(vec![
        &b"|"[..],
        b"$",
        b"!",
        b"^",
        b"~",
        b"\\",
        b"#",
        b"&",
        b"\r",
        b"\n",
        b"PID|",
        b"PID$3$",
        b"OBX|1|TX|||",
        b"ZPI|",
        b"Mark0001ed",
        b"\xfc",
        b"\xc3\xbc",
        b"\xa4\x7c",
        b"\x81\x30\x81\x30",
        b"\x1b$B$\"\x1b(B",
        b"\\Cxx\\",
        b"\\M2442\\",
        b"\"\"",
        b"ZQ0123456789AB",
        b" ",
        b"\0",
        b"x",
    ]);
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check_bytes(bytes: &[u8], charset: Charset, grant: &Grant) -> Result<(), TestCaseError> {
    let reading = Options { default_charset: charset };
    let bytes = Bytes::copy_from_slice(bytes);
    let Ok(message) = Message::parse_with("hl7v2", bytes.clone(), &reading) else { return Ok(()) };
    let message = Arc::new(message);
    let clear = |template| {
        let input = Input::Template(Arc::new(template));
        let cleared = policy().clear(&input, &message, &Clearance::treatment());
        let cleared = cleared.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        Ok::<_, TestCaseError>(cleared.assemble(message.bytes()).expect("within the input"))
    };
    let mut view = view_of(&message, grant);
    let body = view.body();
    let limits = EditLimits { bytes_max: 1 << 20, number_max: 100 };
    let draft = view.draft_of_message(limits).and_then(|it| it.finish());
    // As text and back: in these there is one way to write a letter.
    let is_plain = matches!(
        message.as_hl7().map(|it| it.charset()),
        Some(Charset::Utf8 | Charset::Latin1 | Charset::Windows1252 | Charset::Ascii)
    );
    if let Some(text) = view.text().ok().filter(|_| is_plain) {
        let encoded = view.encoded("hl7v2", text);
        prop_assert_eq!(encoded.as_ref(), Some(&body));
    }
    let (seals, _) = view.finish();
    for made in [Ok(body), draft] {
        let made = made.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        let template = policy().output(&seals, "hl7v2", made);
        let template = template.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert_eq!(clear(template)?, bytes.clone());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_nobody_edits_comes_out_as_it_came(
        head in any_head(),
        rest in any_bytes(),
        charset in proptest::sample::select(vec![Charset::Utf8, Charset::Latin1, Charset::Windows1252, Charset::Big5]),
        is_open in any::<bool>(),
    ) {
        let grant = if is_open { Grant::open_to_all() } else { Grant::default() };
        check_bytes(&[head, rest].concat(), charset, &grant)?;
    }
}
