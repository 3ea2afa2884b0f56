//! Who may send: `Authorization`, as bearer token or user and password.

use hilum_words::Digest;
use hilum_words::config::{Placed, Secret, SecretRef, Section};
use hyper::header::{AUTHORIZATION, HeaderMap};

/// What `[listener.x.auth]` asks for. It holds references, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthConfig {
    /// `kind = "bearer"`: a token (RFC 6750).
    Bearer {
        /// Where it is.
        token: Placed<SecretRef>,
    },
    /// `kind = "basic"`: a user and a password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// Where the password is.
        password: Placed<SecretRef>,
    },
}

impl AuthConfig {
    /// Reads `[listener.x.auth]`: `kind`, and `token_*` or `user` and `password_*`.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut auth = section.section("auth")?;
        if !auth.has("kind") {
            auth.required_text("kind");
        }
        let read = match auth.word("kind", &["bearer", "basic"]).map(|it| it.value) {
            Some(0) => auth.required_secret("token").map(|token| Self::Bearer { token }),
            Some(_) => {
                let user = auth.required_text("user");
                if let Some(user) = user.as_ref().filter(|it| it.value.contains(':')) {
                    user.problem(auth.problems(), "must not hold a colon (RFC 7617)");
                }
                let password = auth.required_secret("password");
                user.zip(password)
                    .map(|(user, password)| Self::Basic { user: user.value, password })
            }
            None => None,
        };
        auth.finish();
        read
    }

    /// The secret that it needs.
    pub fn secret(&self) -> &Placed<SecretRef> {
        match self {
            Self::Bearer { token } => token,
            Self::Basic { password, .. } => password,
        }
    }
}

#[cfg(test)]
impl AuthConfig {
    /// A token of this variable, which no configuration names.
    pub(crate) fn bearer_of(variable: &str) -> Self {
        let (value, key) = (SecretRef::Env(variable.to_owned()), String::new());
        let place = hilum_words::Place { file: "".into(), line: 0 };
        Self::Bearer { token: Placed { value, place, key } }
    }

    /// The same with a user.
    pub(crate) fn basic_of(user: &str, variable: &str) -> Self {
        let password = Self::bearer_of(variable).secret().clone();
        Self::Basic { user: user.to_owned(), password }
    }
}

/// What is compared with `Authorization`: a digest of what it has to say.
#[derive(Clone)]
pub(crate) struct Auth {
    scheme: &'static str,
    expected: Digest,
}

impl Auth {
    /// With the secret in hand.
    pub(crate) fn new(config: &AuthConfig, secret: &Secret) -> Self {
        match config {
            AuthConfig::Bearer { .. } => {
                let expected = Digest::of(secret.open_secret().as_bytes());
                Self { scheme: "Bearer", expected }
            }
            AuthConfig::Basic { user, .. } => {
                let plain = format!("{user}:{}", secret.open_secret());
                Self { scheme: "Basic", expected: Digest::of(plain.as_bytes()) }
            }
        }
    }

    /// What `WWW-Authenticate` says.
    pub(super) fn scheme(&self) -> &'static str {
        match self.scheme {
            "Bearer" => "Bearer realm=\"hilum\"",
            _ => "Basic realm=\"hilum\", charset=\"UTF-8\"",
        }
    }

    /// Whether the request has the one `Authorization` that holds.
    pub(super) fn holds(&self, headers: &HeaderMap) -> bool {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let (Some(only), None) = (all.next(), all.next()) else { return false };
        let bytes = only.as_bytes();
        let Some(space) = bytes.iter().position(|it| *it == b' ') else { return false };
        let (scheme, said) = bytes.split_at(space);
        if !scheme.eq_ignore_ascii_case(self.scheme.as_bytes()) {
            return false;
        }
        let said = said.trim_ascii();
        match self.scheme {
            "Bearer" => self.is_expected(said),
            _ => base64(said).is_some_and(|it| self.is_expected(&it)),
        }
    }

    /// Compares digests, all of them and to their ends: the time says nothing about the secret.
    fn is_expected(&self, said: &[u8]) -> bool {
        let said = Digest::of(said);
        let pairs = said.bytes().iter().zip(self.expected.bytes());
        std::hint::black_box(pairs.fold(0, |unlike, (a, b)| unlike | (a ^ b))) == 0
    }
}

/// RFC 4648 §4, with or without padding. None if it is none.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let mut bits: u32 = 0;
        for letter in group {
            bits = bits << 6 | u32::from(sextet(*letter)?);
        }
        bits <<= 6 * (4 - u32::try_from(group.len()).ok()?);
        let [_, first, second, third] = bits.to_be_bytes();
        bytes.extend([first, second, third].iter().take(group.len() - 1));
    }
    Some(bytes)
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn secret(text: &str) -> Secret {
        Secret::from_bytes(text.as_bytes().to_vec()).expect("a secret")
    }

    fn holds(auth: &Auth, said: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for said in said {
            headers.append(AUTHORIZATION, HeaderValue::from_str(said).expect("a value"));
        }
        auth.holds(&headers)
    }

    #[test]
    fn a_bearer_token_holds_whole_and_alone() {
        let auth = Auth::new(&AuthConfig::bearer_of("TOKEN"), &secret("s3cret-token"));
        assert!(holds(&auth, &["Bearer s3cret-token"]));
        assert!(holds(&auth, &["bearer  s3cret-token"]));
        for wrong in [
            &[][..],
            &["Bearer s3cret-toke"],
            &["Bearer s3cret-token2"],
            &["Bearer S3cret-token"],
            &["Bearer"],
            &["Bearer "],
            &["Basic s3cret-token"],
            &["s3cret-token"],
            &["Bearer s3cret-token", "Bearer s3cret-token"],
        ] {
            assert!(!holds(&auth, wrong), "{wrong:?}");
        }
    }

    #[test]
    fn user_and_password_hold_together() {
        let config = AuthConfig::basic_of("Aladdin", "PASSWORD");
        // The example of RFC 7617 §2.
        let auth = Auth::new(&config, &secret("open sesame"));
        assert!(holds(&auth, &["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]));
        assert!(holds(&auth, &["basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"]));
        for wrong in ["Basic QWxhZGRpbjpvcGVuIHNlc2Ft", "Basic !!!!", "Basic", "Basic QWxhZGRpbg=="]
        {
            assert!(!holds(&auth, &[wrong]), "{wrong}");
        }
    }

    #[test]
    fn base64_is_read_as_its_standard_says() {
        for (text, plain) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE", "fooba")]
        {
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(plain.as_bytes()), "{text}");
        }
        for text in ["Z", "Zm9vY", "Zm9v\n", "Z-__"] {
            assert_eq!(base64(text.as_bytes()), None, "{text}");
        }
    }
}
