-- Pictures may be rated: the list of tasks is longer. A new list takes a new table, and with it those that refer to it.
CREATE TABLE trials_next (
  id INTEGER PRIMARY KEY,
  comparison INTEGER NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
  task TEXT NOT NULL CHECK (task IN ('name-each', 'spot', 'rate')),
  chance REAL NOT NULL,
  counted INTEGER NOT NULL
);
INSERT INTO trials_next SELECT id, comparison, task, chance, counted FROM trials;
CREATE TABLE slots_next (
  trial INTEGER NOT NULL REFERENCES trials_next (id) ON DELETE CASCADE,
  slot INTEGER NOT NULL,
  sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  choice TEXT NOT NULL,
  PRIMARY KEY (trial, slot)
) WITHOUT ROWID;
INSERT INTO slots_next SELECT trial, slot, sample, choice FROM slots;
CREATE TABLE responses_next (
  trial INTEGER PRIMARY KEY REFERENCES trials_next (id) ON DELETE CASCADE,
  confidence INTEGER NOT NULL CHECK (confidence BETWEEN 0 AND 5),
  response_ms INTEGER NOT NULL,
  hits INTEGER NOT NULL,
  tiles INTEGER NOT NULL,
  answered TEXT NOT NULL
);
INSERT INTO responses_next SELECT trial, confidence, response_ms, hits, tiles, answered FROM responses;
DROP TABLE slots;
DROP TABLE responses;
DROP TABLE trials;
ALTER TABLE trials_next RENAME TO trials;
ALTER TABLE slots_next RENAME TO slots;
ALTER TABLE responses_next RENAME TO responses;
CREATE INDEX trials_by_comparison ON trials (comparison);
CREATE INDEX slots_by_sample ON slots (sample);
-- Words of the user's own, to find comparisons by.
CREATE TABLE tags (
  comparison INTEGER NOT NULL REFERENCES comparisons (id) ON DELETE CASCADE,
  tag TEXT NOT NULL CHECK (tag <> ''),
  PRIMARY KEY (comparison, tag)
) WITHOUT ROWID;
