-- Frozen studies. Pictures are named by their SHA-256; which is which lies sealed in studies.sealed.
CREATE TABLE studies (
  hash TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  frozen TEXT NOT NULL,
  sealed BLOB NOT NULL,
  added TEXT NOT NULL
);
CREATE TABLE study_pictures (
  study TEXT NOT NULL REFERENCES studies (hash),
  hash TEXT NOT NULL,
  png BLOB NOT NULL,
  PRIMARY KEY (study, hash)
);
-- cell: the row of the order design; no two people of a study share one.
CREATE TABLE seats (
  study TEXT NOT NULL REFERENCES studies (hash),
  participant TEXT NOT NULL,
  cell INTEGER NOT NULL,
  PRIMARY KEY (study, participant),
  UNIQUE (study, cell)
);
-- Only added to. An erased record keeps commitment and hash. No slot's content lies here: the plan is drawn again at the reveal.
CREATE TABLE chain (
  study TEXT NOT NULL REFERENCES studies (hash),
  number INTEGER NOT NULL,
  participant TEXT,
  commitment TEXT NOT NULL,
  hash TEXT NOT NULL,
  salt TEXT,
  record TEXT,
  PRIMARY KEY (study, number)
);
CREATE INDEX chain_by_participant ON chain (study, participant, number);
