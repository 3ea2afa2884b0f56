use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// What came between us and the other side, in words of our own: nothing that the other side said
/// stands in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// Nobody whom we know vouches for its certificate.
    UnknownIssuer,
    /// Its certificate is for another name.
    WrongName,
    /// Its certificate, or one above it, has expired.
    Expired,
    /// Its certificate is not valid yet.
    NotYetValid,
    /// Its certificate is not acceptable for another reason.
    BadCertificate,
    /// It asks for a certificate and got none.
    WantsCertificate,
    /// It does not accept the certificate that it got.
    RefusesCertificate,
    /// It speaks no version or cipher that we speak.
    NothingInCommon,
    /// What it says is not TLS.
    NotTls,
    /// It broke the protocol, or gave up with another alert.
    Broken,
}

impl TlsFault {
    /// What an error of a handshake or an encrypted stream means; none if it is not TLS's own.
    pub fn of(error: &io::Error) -> Option<Self> {
        let fault = error.get_ref()?.downcast_ref::<Error>()?;
        Some(match fault {
            Error::InvalidCertificate(why) => of_certificate(why),
            Error::NoCertificatesPresented => Self::BadCertificate,
            Error::AlertReceived(alert) => of_alert(*alert),
            Error::PeerIncompatible(_) => Self::NothingInCommon,
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Self::NotTls,
            _ => Self::Broken,
        })
    }

    /// Whether a person has to act: it will be the same the next time.
    pub fn is_lasting(self) -> bool {
        self != Self::Broken
    }
}

fn of_certificate(why: &CertificateError) -> TlsFault {
    match why {
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::WrongName
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFault::NotYetValid
        }
        _ => TlsFault::BadCertificate,
    }
}

fn of_alert(alert: AlertDescription) -> TlsFault {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired | Alert::NoCertificate => TlsFault::WantsCertificate,
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => TlsFault::RefusesCertificate,
        Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            TlsFault::NothingInCommon
        }
        _ => TlsFault::Broken,
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer => {
                "TLS: its certificate is from an authority that is not known here"
            }
            Self::WrongName => "TLS: its certificate is for another name",
            Self::Expired => "TLS: its certificate has expired",
            Self::NotYetValid => "TLS: its certificate is not valid yet",
            Self::BadCertificate => "TLS: its certificate is not acceptable",
            Self::WantsCertificate => "TLS: it asks for a client certificate",
            Self::RefusesCertificate => "TLS: it does not accept our certificate",
            Self::NothingInCommon => "TLS: no version or cipher in common",
            Self::NotTls => "TLS: what it says is not TLS",
            Self::Broken => "TLS: the handshake or the stream broke off",
        })
    }
}
