//! What an HTTP status means for a delivery: one table.

use std::time::Duration;

use crate::SendFault;

/// The fault that a status stands for; `None` for success. `after` is the answer's `Retry-After`.
pub(crate) fn fault_of(status: u16, after: Option<Duration>) -> Option<SendFault> {
    let code = answered(status);
    Some(match status {
        200..=299 => return None,
        // Something is wrong with what we sent: bad request, conflict, gone, a condition that does
        // not hold, too large, another media type, unprocessable.
        400 | 409 | 410 | 411 | 412 | 413 | 414 | 415 | 416 | 417 | 422 | 424 | 431 => {
            SendFault::Refused { code }
        }
        // Something is wrong with where or how we send it: redirects, credentials, payment,
        // permission, address, method, media types, protocol, policy, a captive network.
        300..=399 | 401..=407 | 421 | 426 | 428 | 451 | 511 => SendFault::Misconfigured { code },
        // The destination as a whole asks for patience: too many requests, or a proxy in front of
        // it that has nobody behind.
        429 | 502..=504 => SendFault::Busy { code, after, whole: true },
        // This request met a bad moment: time-out, locked, too early, an error inside. It may be
        // this content that upsets it, so others are not kept waiting.
        408 | 423 | 425 | 500..=599 => SendFault::Busy { code, after, whole: false },
        // No code that a server sends. 418 is here, too.
        _ => SendFault::Misconfigured { code },
    })
}

/// A status, and what an operator has to know of it. Where a redirect leads is not said: a service
/// may quote what we sent.
pub(crate) fn answered(status: u16) -> String {
    let words = in_words(status);
    match status {
        300..=303 | 307 | 308 => {
            format!("{words}; redirects are never followed, so the URL must be the last one")
        }
        _ => words,
    }
}

/// `503 Service Unavailable`: the words are RFC 9110's, not the server's.
pub(crate) fn in_words(status: u16) -> String {
    let known = hyper::StatusCode::from_u16(status).ok();
    match known.as_ref().and_then(hyper::StatusCode::canonical_reason) {
        Some(words) => format!("{status} {words}"),
        None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Whose;

    #[test]
    fn every_row_of_the_table() {
        let rows: &[(&[u16], Option<Whose>)] = &[
            (&[200, 201, 202, 204], None),
            (&[400, 409, 410, 412, 413, 415, 422], Some(Whose::Content)),
            (&[411, 414, 416, 417, 424, 431], Some(Whose::Content)),
            (&[401, 403, 404, 407], Some(Whose::SetUp)),
            (
                &[301, 302, 307, 308, 402, 405, 406, 418, 421, 426, 428, 451, 511],
                Some(Whose::SetUp),
            ),
            (&[408, 423, 425, 500, 501, 505, 507], Some(Whose::Moment)),
            (&[429, 502, 503, 504], Some(Whose::Destination)),
        ];
        for (codes, whose) in rows {
            for code in *codes {
                let fault = fault_of(*code, None);
                assert_eq!(fault.as_ref().map(SendFault::whose), *whose, "{code}");
                assert!(
                    fault.is_none_or(|it| it.to_string().contains(&code.to_string())),
                    "{code}"
                );
            }
        }
    }

    #[test]
    fn a_redirect_is_said_not_to_be_followed() {
        for code in [300, 301, 302, 303, 307, 308] {
            let fault = fault_of(code, None).expect("a fault");
            assert!(fault.to_string().contains("redirects are never followed"), "{fault}");
            assert_eq!(fault.code().map(|it| it.word().to_owned()), Some(code.to_string()));
        }
        for code in [304, 404] {
            let fault = fault_of(code, None).expect("a fault");
            assert!(!fault.to_string().contains("redirect"), "{fault}");
        }
    }

    #[test]
    fn retry_after_is_kept_where_there_is_something_to_wait_for() {
        let after = Some(Duration::from_secs(7));
        for code in [408, 423, 425, 429, 500, 503] {
            let fault = fault_of(code, after).expect("a fault");
            assert_eq!(fault.after(), after, "{code}");
        }
        assert_eq!(fault_of(422, after).expect("a fault").after(), None);
    }
}
