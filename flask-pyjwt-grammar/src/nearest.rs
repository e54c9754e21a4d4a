//! Names that are one slip of the finger apart.

/// Whether one character inserted, left out or exchanged, or two neighbours swapped, makes the
/// second text of the first. Equal texts are none apart, not one.
fn one_edit_apart(a: &str, b: &str) -> bool {
    let (a, b) = (a.chars().collect::<Vec<_>>(), b.chars().collect::<Vec<_>>());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    // Without what both begin and end with, only the edit itself is left.
    let start = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    let end = short[start..]
        .iter()
        .rev()
        .zip(long[start..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    match (
        &short[start..short.len() - end],
        &long[start..long.len() - end],
    ) {
        ([] | [_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

/// The first of the known names that is one edit away from this one.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().find(|known| one_edit_apart(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_an_insertion_a_deletion_a_substitution_or_a_swap() {
        for (a, b, expected) in [
            ("user", "user", false),
            ("", "", false),
            ("", "a", true),
            ("a", "b", true),
            ("user", "users", true),
            ("user", "uuser", true),
            ("user", "usr", true),
            ("user", "ser", true),
            ("user", "use", true),
            ("user", "uber", true),
            ("user", "usre", true),
            ("user", "suer", true),
            ("ab", "ba", true),
            ("aab", "aba", true),
            ("user", "resu", false),
            ("user", "us", false),
            ("user", "userid", false),
            ("user", "uesr_", false),
            ("abcd", "badc", false),
            ("größe", "grösse", false),
            ("größe", "grösße", true),
            ("größe", "große", true),
        ] {
            assert_eq!(one_edit_apart(a, b), expected, "{a:?} {b:?}");
            assert_eq!(one_edit_apart(b, a), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn the_nearest_name_is_never_the_name_itself() {
        assert_eq!(
            nearest("overide", ["optional", "override"]),
            Some("override")
        );
        assert_eq!(nearest("override", ["optional", "override"]), None);
        assert_eq!(nearest("role", ["optional", "override"]), None);
    }
}
