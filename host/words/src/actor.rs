use std::fmt;

use crate::{Digest, Name};

/// Who did something: a part of the gateway, a plugin, or a person at the control socket.
///
/// The trail and every operator action carry one. A person signed in elsewhere comes with single
/// sign-on; today a person is a local user id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A part of the gateway, such as `listener/adt-in` or `courier/ehr`.
    System(Name),
    /// A plugin, by name and the digest of its component.
    Plugin(Name, Digest),
    /// A local user of the control socket, by the id that the kernel vouches for.
    LocalUser(u32),
}

impl Actor {
    /// The part of the gateway called `name`.
    pub fn system(name: impl Into<Name>) -> Self {
        Self::System(name.into())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(name) => write!(f, "system:{name}"),
            Self::Plugin(name, digest) => write!(f, "plugin:{name}@{digest}"),
            Self::LocalUser(uid) => write!(f, "uid:{uid}"),
        }
    }
}
