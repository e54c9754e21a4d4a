//! Which token and key a signer uses, and how it finds the key.

use cryptoki::{
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::Session,
};

use crate::Pkcs11Error;

/// The names of a key: its label, its ID, or both.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyNames {
    pub(crate) label: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
}

impl KeyNames {
    pub(crate) fn is_empty(&self) -> bool {
        self.label.is_none() && self.id.is_none()
    }

    /// Finds the only private or public key with these names and this type.
    pub(crate) fn find(
        &self,
        session: &Session,
        key_type: KeyType,
        is_private: bool,
    ) -> Result<ObjectHandle, Pkcs11Error> {
        let (class, kind) = if is_private {
            (ObjectClass::PRIVATE_KEY, "private")
        } else {
            (ObjectClass::PUBLIC_KEY, "public")
        };
        let mut template = vec![Attribute::Class(class), Attribute::KeyType(key_type)];
        if let Some(label) = &self.label {
            template.push(Attribute::Label(label.clone().into_bytes()));
        }
        if let Some(id) = &self.id {
            template.push(Attribute::Id(id.clone()));
        }
        match session.find_objects(&template)?[..] {
            [key] => Ok(key),
            [] => Err(Pkcs11Error::NoKey { kind }),
            _ => Err(Pkcs11Error::SeveralKeys { kind }),
        }
    }
}
