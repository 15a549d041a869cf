-- What image to image started from, as it was given to the engine: PNG, and its SHA-256. It enters with its comparison.
CREATE TABLE start_pictures (
  comparison INTEGER PRIMARY KEY REFERENCES comparisons (id) ON DELETE CASCADE,
  sha256 TEXT NOT NULL,
  png BLOB NOT NULL
);
