-- Frozen studies on a server, as in 002.sql. The Compare page's tables stay on each computer.
CREATE TABLE studies (
  hash TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  frozen TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  added TEXT NOT NULL
);
CREATE TABLE study_pictures (
  study TEXT NOT NULL REFERENCES studies (hash),
  hash TEXT NOT NULL,
  png BYTEA NOT NULL,
  PRIMARY KEY (study, hash)
);
CREATE TABLE seats (
  study TEXT NOT NULL REFERENCES studies (hash),
  participant TEXT NOT NULL,
  cell INTEGER NOT NULL,
  PRIMARY KEY (study, participant),
  UNIQUE (study, cell)
);
CREATE TABLE chain (
  study TEXT NOT NULL REFERENCES studies (hash),
  number BIGINT NOT NULL,
  participant TEXT,
  commitment TEXT NOT NULL,
  hash TEXT NOT NULL,
  salt TEXT,
  record TEXT,
  PRIMARY KEY (study, number)
);
CREATE INDEX chain_by_participant ON chain (study, participant, number);
