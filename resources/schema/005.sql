-- What a picture shows, so that it is known again: SHA-256 of its pixels as the report has it, else of the bare file. NULL: not known, or sealed.
ALTER TABLE samples ADD COLUMN content TEXT;
UPDATE samples SET content = CASE WHEN json_valid(report) THEN json_extract(report, '$.image_sha256') END WHERE png IS NOT NULL;
CREATE INDEX samples_by_content ON samples (content);
-- Why an answer is in no tally: asked-again, seen-before; empty: it is in them.
ALTER TABLE trials ADD COLUMN uncounted TEXT NOT NULL DEFAULT '';
UPDATE trials SET uncounted = 'asked-again' WHERE counted = 0;
-- Pictures of the history that a study shows, under that study's seal until its reveal: sealed_history.h.
CREATE TABLE sealed_samples (
  id INTEGER PRIMARY KEY,
  study TEXT NOT NULL,
  box BLOB NOT NULL
);
