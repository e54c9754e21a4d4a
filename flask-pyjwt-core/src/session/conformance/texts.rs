//! Tests with texts that a store could misread.

use super::{
    Store,
    fixture::{
        MANY, NOW, answered, auth_token, generation, open_ids, opened, rotation, session, standing,
    },
};
use crate::session::{Rotated, Standing};

/// Subjects, ids, labels, addresses, user agents and claims are stored unchanged, and do not affect other subjects.
pub async fn texts_are_stored_unchanged(store: Store) {
    let long = "x".repeat(4_000);
    let subjects = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "a:b",
        "a:b:c",
        "{a}b",
        "}{",
        "*",
        "a\0b",
        "a\r\nb",
        "\"'\\",
        "e\u{301}",
        "\u{e9}",
        "\u{1f600}",
        "s:0",
        "1e999",
        "null",
        &long,
    ];
    let claims = [
        "{}",
        r#"{"a":[],"b":{},"c":null,"d":[[]],"e":""}"#,
        r#"{"big":18446744073709551615,"small":-9223372036854775808,"f":0.1,"e":1e300}"#,
        r#"{"text":"\u0000\n\"\\/\u2028 é 😀","/":"<\/script>"}"#,
    ];
    for (number, subject) in subjects.iter().enumerate() {
        for id in ["s", "s:t", "{\"\\\u{e9}"] {
            let mut session = session(subject, id, NOW);
            let text = || format!("{subject}\u{7f}\u{1f600}\"\\");
            session.label = (number % 3 > 0).then(text);
            session.address = (number % 2 > 0).then(text);
            session.user_agent = (number % 5 > 1).then(text);
            claims[number % claims.len()].clone_into(&mut session.claims);
            opened(&store, &session, MANY, NOW).await;
            let token = auth_token(&session, "0");
            assert_eq!(standing(&store, &token, NOW).await, Standing::Good);
            for step in 0..2 {
                let (from, to) = (step.to_string(), (step + 1).to_string());
                let rotated = answered(store.rotate(&rotation(&session, &from, &to, NOW))).await;
                let Rotated::Won(after) = rotated else {
                    panic!("{subject:?} {id:?}: {rotated:?}");
                };
                assert_eq!(after.current(), Some(&generation(&to, NOW)));
                let unchanged = |record: &crate::session::SessionRecord| {
                    (
                        record.subject.clone(),
                        record.id.clone(),
                        record.label.clone(),
                        record.address.clone(),
                        record.user_agent.clone(),
                        record.claims.clone(),
                    )
                };
                assert_eq!(unchanged(&after), unchanged(&session));
            }
        }
    }
    for subject in subjects {
        let mut expected = ["s", "s:t", "{\"\\\u{e9}"];
        expected.sort_unstable();
        assert_eq!(
            open_ids(&store, subject, NOW).await,
            expected,
            "{subject:?}"
        );
    }
}
