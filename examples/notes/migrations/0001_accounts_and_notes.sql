CREATE TABLE accounts (
    -- Random: an id of a deleted account, or of a deleted database, is never used again.
    id TEXT NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))),
    -- `Alice` and `alice` are the same name.
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    is_admin INTEGER NOT NULL,
    created INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE TABLE notes (
    -- AUTOINCREMENT does not reuse the ids of deleted notes.
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT;

CREATE INDEX notes_of_account ON notes (account, id);
