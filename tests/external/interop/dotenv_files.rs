//! `.env` files that both sides read: unusual ones chosen by hand, and generated ones.

use super::random::Random;

/// The environment in which every file is read. It has the same names as the files.
pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    ("OUT", "out side"),
    ("EMPTY", ""),
    ("b", "${a}"),
    ("é", "#'\""),
];

/// Texts of `.env` files.
pub(crate) fn all() -> Vec<String> {
    let mut files: Vec<String> = PICKED.iter().map(|&text| text.to_owned()).collect();
    // What a team writes into its file without thinking about it.
    let typical = "# both fleets\nexport JWT_ISSUER=\"https://${HOST:-localhost}\" # where\n\n\
                   JWT_AUTHTYPE = RS256\nJWT_SECRET='pa$$word#${OUT}'\nJWT_PUBLICKEY=\"-----BEGIN\nMIIB+/=\n\
                   -----END\"\nJWT_AUTHMAXAGE=600 # seconds\n";
    files.extend([
        typical.to_owned(),
        typical.replace('\n', "\r\n"),
        typical.replace('\n', "\r"),
    ]);
    files.push(format!("\u{feff}{typical}"));
    let mut random = Random(0x5eed);
    files.extend((0..600).map(|_| generated(&mut random)));
    files
}

#[rustfmt::skip]
const PICKED: &[&str] = &[
    "", "\n", " ", "\r", "#", "# comment", "  # comment\n a=b", "a", "a\n", "a\nb=1", "a b", "a b=1\nc=2",
    // keys
    "a=b", "a.b-c=1", "1a=2", "é=ü", "a:b=1", "'a'=b", "'a b'=c", "''=b\nc=d", "'a=b\nc=d", "'a\nb'=c", "\"a\"=b",
    "a'b=c", "=b\nc=d", "a#b=c", "a #b=c", "export a=b", "export\ta=b", "export=b", "export", "export ", "export \na=b",
    "export export a=b", "exporta=b", "export 'a'=b", "export #a\nb=c", "\u{feff}a=b", "a\u{1c}=b", "\u{2003}a=b",
    // unquoted values
    "a=", "a= ", "a=\nb=c", "a =b", "a= b", "a \t= \t b \t", "a=b c", "a=b#c", "a=b #c", "a=b\t#c", "a=#b", "a= #b",
    "a=b # c # d", "a=b\u{a0}#c", "a=b\u{85}c\u{85}", "a=b\u{1f}", "a=b\u{2028}c", "a=b\u{b}#c", "a=b=c", "a=b'c'",
    "a=b\"c\"", "a=\\n", "a=b\\", "a=b\\\nc=d", "a=b\r\nc=d\re=f", "a=\0", "a=\u{200b}b\u{200b}", "a==b", "a=- b",
    // single quotes
    "a='b'", "a=''", "a='b' ", "a='b' # c", "a='b'# c", "a='b'c\nd=e", "a='b#c'", "a='b\nc'", "a='b\r\nc\rd'",
    "a='b\\'c'", "a='b\\\\'", "a='b\\\\\\'", "a='b\\'", "a='b\\'\nc='d'", "a='b\\'\nc=d", "a='b\nc=d", "a='\\n\\t\\\"'",
    "a='\"'", "a= 'b'", "a='b' 'c'", "a='b''c'",
    // double quotes
    "a=\"b\"", "a=\"\"", "a=\"b\" # c", "a=\"b\"c\nd=e", "a=\"b\nc\"", "a=\"b\r\nc\rd\"", "a=\"\\\"\"", "a=\"b\\\"c\"",
    "a=\"b\\\\\"", "a=\"b\\\\\\\"", "a=\"b\\\"", "a=\"b\\\"\nc=\"d\"", "a=\"b\\\"\nc=d", "a=\"b\nc=d\n", "a=\"b\\\" # c",
    "a=\"\\a\\b\\f\\n\\r\\t\\v\\'\\\\\\\"\"", "a=\"\\0\\x41\\u0041\\N\\$\\ \"", "a=\"\\\nb\"", "a=\"\\\\n\"", "a=\"'\"",
    "a=\"-----BEGIN KEY-----\\nMIIB\\n-----END KEY-----\\n\"", "a=\"b\"\"c\"", "a=\"b\" \u{2003}\nc=d",
    // variables
    "a=$OUT", "a=${OUT}", "a='${OUT}'", "a=\"${OUT}\"", "a=\\${OUT}", "a=\"\\${OUT}\"", "a=$${OUT}", "a=${OUT}${OUT}",
    "a=${OUT:-b}", "a=${NONE}", "a=${NONE:-b}", "a=${NONE:-}", "a=${NONE:-b c}", "a=${NONE:-${OUT}}", "a=${NONE-b}",
    "a=${NONE:b}", "a=${NONE:=b}", "a=${EMPTY:-b}", "a=${EMPTY}", "a=${}", "a=${:-b}", "a=${OUT", "a=${OUT:-b", "a={OUT}",
    "a=${O UT}", "a=${ OUT }", "a=${a}", "a=1\na=${a}2", "a=1\nb=${a}", "a=1\nc=${b}", "b=1\nc=${b}", "c=${a}\na=1",
    "a\nc=${a:-d}", "a=1\na\nc=${a:-d}", "a=\nc=${a:-d}", "OUT=in\nc=${OUT}", "a='${NONE:-b\nc}'", "a=${é}", "a=${NONE:-b}c}",
    "a=${x:${OUT}", "a=${${OUT}", "a=${${OUT}}", "a=${NONE:-:-}", "a=${a:-${a:-b}}", "a=1\na=2\nb=3\na=4", "a=1\nb\na",
];

/// Lines that are nearly valid, or pieces with a meaning in any order.
fn generated(random: &mut Random) -> String {
    const KEYS: [&str; 8] = ["a", "b", "OUT", "'a b'", "export a", "é", "  b ", "a\t"];
    const PIECES: [&str; 40] = [
        "\"",
        "'",
        "\\",
        "$",
        "{",
        "}",
        ":",
        "-",
        "#",
        "=",
        "\n",
        "\r",
        " ",
        "\t",
        "\u{2003}",
        "\u{85}",
        "\u{1c}",
        "\u{b}",
        "\u{2028}",
        "\u{feff}",
        "é",
        "a",
        "n",
        "export ",
        "${",
        "${a}",
        "${OUT}",
        "${NONE:-b}",
        "${b",
        "\\\"",
        "\\'",
        "\"\n",
        "'\n",
        "\na=",
        "\nb=",
        "\r\n",
        "\0",
        "😀",
        " #",
        "\\\\",
    ];
    const QUOTES: [&str; 4] = ["", "", "\"", "'"];
    const ENDS: [&str; 4] = ["\n", "\r\n", " # c\n", ""];

    let mut text = String::new();
    if random.below(2) == 0 {
        for _ in 0..random.below(40) {
            text += random.of(&PIECES);
        }
        return text;
    }
    for _ in 0..=random.below(8) {
        let quote = random.of(&QUOTES);
        text += random.of(&KEYS);
        text += "=";
        text += quote;
        for _ in 0..random.below(8) {
            text += random.of(&PIECES);
        }
        text += quote;
        text += random.of(&ENDS);
    }
    text
}
