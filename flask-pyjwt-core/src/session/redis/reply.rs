//! Parses the replies of Redis.

use redis::Value;

use super::super::StoreError;

/// Whether a value is this text.
pub(super) fn is_text(value: Option<&Value>, text: &str) -> bool {
    value.and_then(as_text) == Some(text)
}

/// A value as text.
pub(super) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
        _ => None,
    }
}

/// The elements of an array.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for any other value.
pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(unexpected()),
    }
}

/// The bytes of a field, or `None` if the field does not exist.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for any other value.
pub(super) fn field(value: Option<Value>) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
        Some(Value::Nil) => Ok(None),
        _ => Err(unexpected()),
    }
}

/// The error for a reply that no script or command of this store gives.
pub(super) fn unexpected() -> StoreError {
    StoreError::corrupt("a reply of Redis has an unexpected type")
}
