-- Comparisons and the guesses about them. Times are UTC, ISO 8601.
CREATE TABLE comparisons (
  id INTEGER PRIMARY KEY,
  created TEXT NOT NULL,
  model TEXT NOT NULL,
  prompt TEXT NOT NULL,
  recipe TEXT NOT NULL
);
-- position: the place in the request. scores: JSON, NULL until measured. Without a picture there is a reason.
CREATE TABLE samples (
  id INTEGER PRIMARY KEY,
  comparison INTEGER NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  precision TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  png BLOB,
  report TEXT NOT NULL,
  scores TEXT,
  failure TEXT NOT NULL,
  UNIQUE (comparison, position),
  CHECK (png IS NOT NULL OR failure <> '')
);
-- A trial enters together with its response, so that no slot order lies here before the answer.
CREATE TABLE trials (
  id INTEGER PRIMARY KEY,
  comparison INTEGER NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
  task TEXT NOT NULL CHECK (task IN ('name-each', 'spot')),
  chance REAL NOT NULL,
  counted INTEGER NOT NULL
);
CREATE TABLE slots (
  trial INTEGER NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
  slot INTEGER NOT NULL,
  sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  choice TEXT NOT NULL,
  PRIMARY KEY (trial, slot)
) WITHOUT ROWID;
CREATE TABLE responses (
  trial INTEGER PRIMARY KEY REFERENCES trials (id) ON DELETE CASCADE,
  confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 5),
  response_ms INTEGER NOT NULL,
  hits INTEGER NOT NULL,
  tiles INTEGER NOT NULL,
  answered TEXT NOT NULL
);
CREATE INDEX trials_by_comparison ON trials (comparison);
CREATE INDEX slots_by_sample ON slots (sample);
