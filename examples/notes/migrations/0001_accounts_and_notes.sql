CREATE TABLE accounts (
    -- Random, so that no token of an earlier database or a deleted account means another account.
    id TEXT NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))),
    -- `Alice` is taken where `alice` is.
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    created INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE notes (
    -- AUTOINCREMENT never uses the id of a deleted note again.
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE INDEX notes_of_account ON notes (account, id);
