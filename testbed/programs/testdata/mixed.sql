-- A mixed workload for sqlite3's shell: all that it prints depends on nothing but this file.
.mode list
.headers on
CREATE TABLE item(id INTEGER PRIMARY KEY, kind TEXT, weight REAL, note TEXT);
CREATE TABLE stock(item INTEGER REFERENCES item(id), place INTEGER, n INTEGER, PRIMARY KEY(item, place)) WITHOUT ROWID;
CREATE TABLE audit(at INTEGER PRIMARY KEY, what TEXT);
CREATE TRIGGER watch AFTER UPDATE OF n ON stock BEGIN
  INSERT INTO audit(what) VALUES (printf('%d/%d: %d -> %d', new.item, new.place, old.n, new.n));
END;
BEGIN;
WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1500)
INSERT INTO item SELECT i, substr('bolt nut  screwwasherpin', 1 + 5 * (i * 7919 % 5), 5),
  (i * 2654435761 % 100000) / 997.0, hex(i * 40503) FROM c;
WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4000)
INSERT OR IGNORE INTO stock SELECT 1 + i * 31 % 1500, i % 17, i * i % 211 FROM c;
COMMIT;
CREATE INDEX by_kind ON item(kind, weight);
CREATE INDEX by_place ON stock(place);
CREATE VIEW total AS SELECT kind, count(*) AS items, sum(n) AS n, round(sum(weight * n), 3) AS load
  FROM item JOIN stock ON item.id = stock.item GROUP BY kind;
SELECT * FROM total ORDER BY kind;
SELECT place, sum(n), max(weight), min(note) FROM stock JOIN item ON id = item GROUP BY place ORDER BY 2 DESC, 1 LIMIT 8;
SELECT id, kind, round(weight, 4) AS w, rank() OVER (PARTITION BY kind ORDER BY weight DESC) AS place
  FROM item WHERE id % 97 = 3 ORDER BY kind, place, id;
SELECT kind, group_concat(note, '+') FROM (SELECT kind, note FROM item WHERE weight BETWEEN 50 AND 50.5 ORDER BY note) GROUP BY kind;
BEGIN;
UPDATE stock SET n = n + 1 WHERE place = 3 AND item % 5 = 0;
DELETE FROM item WHERE id > 1400;
SELECT count(*), sum(length(what)) FROM audit;
ROLLBACK;
SELECT count(*) FROM audit;
UPDATE stock SET n = n * 2 WHERE place BETWEEN 5 AND 6;
SELECT count(*), sum(length(what)), max(what) FROM audit;
SELECT upper(kind), trim(substr(note, 2)) || '.' AS tail, instr(note, '3'), quote(weight) FROM item WHERE note LIKE '%3F%' OR note GLOB '9*A' ORDER BY id LIMIT 12;
SELECT json_group_array(json_object('k', kind, 'n', n)) FROM total;
SELECT json_extract('{"a":[1,2,{"b":[10,20,30]}]}', '$.a[2].b[1]'), json_valid('{"a":'), json_type('[1.5]', '$[0]');
SELECT date('2024-02-28', '+2 days'), strftime('%j %W %H:%M', '2000-12-31 23:59'), julianday('1970-01-01');
CREATE VIRTUAL TABLE text USING fts4(body);
INSERT INTO text SELECT note || ' ' || kind || ' ' || id FROM item WHERE id % 3 = 0;
SELECT count(*) FROM text WHERE text MATCH 'bolt';
SELECT body FROM text WHERE text MATCH 'screw 9*' ORDER BY rowid LIMIT 5;
CREATE VIRTUAL TABLE box USING rtree(id, x0, x1, y0, y1);
INSERT INTO box SELECT id, id % 50, id % 50 + 3, id / 50, id / 50 + 2 FROM item;
SELECT count(*), sum(id) FROM box WHERE x0 >= 10 AND x1 <= 25 AND y0 >= 4 AND y1 <= 20;
WITH RECURSIVE fib(n, a, b) AS (SELECT 0, 0, 1 UNION ALL SELECT n + 1, b, a + b FROM fib WHERE n < 80)
SELECT n, a FROM fib WHERE n % 10 = 0;
EXPLAIN QUERY PLAN SELECT * FROM item JOIN stock ON id = item WHERE kind = 'bolt ' AND place = 4;
SELECT 1 / 0, 7 % 3, 2.5e300 * 1e10, abs(-9223372036854775807), 0.1 + 0.2, 1e400;
INSERT INTO item VALUES (1, 'twice', 0, NULL);
SELECT nothing FROM item;
ANALYZE;
VACUUM;
PRAGMA integrity_check;
SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY name;
