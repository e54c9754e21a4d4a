//! Taking the answers of Redis apart.

use redis::Value;

use super::super::StoreError;

/// Whether something is this text.
pub(super) fn is_text(value: Option<&Value>, text: &str) -> bool {
    value.and_then(as_text) == Some(text)
}

/// Something as text.
pub(super) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The elements of an array.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for anything else.
pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(unexpected()),
    }
}

/// The bytes of a field, if it is there.
///
/// # Errors
///
/// [`StoreError::Corrupt`] for anything else.
pub(super) fn field(value: Option<Value>) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
        Some(Value::Nil) => Ok(None),
        _ => Err(unexpected()),
    }
}

/// The answer that no script and no command gives.
pub(super) fn unexpected() -> StoreError {
    StoreError::corrupt("an answer of Redis is of another kind than was asked for")
}
