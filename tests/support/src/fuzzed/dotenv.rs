//! Any bytes as a `.env` file: nothing panics, and both kinds of line ends give the same result.

use std::collections::HashSet;

use flask_pyjwt::__private::dotenv;

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let environment = |name: &str| (name == "OUT").then(|| "out ${a} $".to_owned());
    let bindings = dotenv(&text, &environment);

    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut keys = HashSet::new();
    for (key, _) in &bindings {
        assert!(!key.is_empty() && lines.contains(key.as_str()));
        assert!(keys.insert(key), "{key} is there twice");
    }
    if !text.contains('\r') {
        assert_eq!(dotenv(&text.replace('\n', "\r\n"), &environment), bindings);
        assert_eq!(dotenv(&text.replace('\n', "\r"), &environment), bindings);
    }
}
