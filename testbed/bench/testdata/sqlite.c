// A mixed workload on a database in memory: inserts, updates, deletes, joins, sorting, text.
#include <sqlite3.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static sqlite3 *db;
static uint64_t sum;

static void must(int result)
{
	if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW) {
		fprintf(stderr, "%s\n", sqlite3_errmsg(db));
		exit(3);
	}
}

static int row(void *unused, int columns, char **values, char **names)
{
	(void)unused, (void)names;
	for (int i = 0; i < columns; i++)
		for (const char *p = values[i] ? values[i] : "NULL"; *p; p++)
			sum = (sum ^ (unsigned char)*p) * 0x100000001b3;
	return 0;
}

static void sql(const char *text) { must(sqlite3_exec(db, text, row, 0, 0)); }

static uint32_t next(void)
{
	static uint32_t x = 12345;
	x ^= x << 13;
	x ^= x >> 17;
	return x ^= x << 5;
}

static void insert(int rows)
{
	static const char *const words[] = {"salt", "iron", "river", "lantern", "stone", "wheel", "copper", "ash"};
	sqlite3_stmt *s;
	must(sqlite3_prepare_v2(db, "INSERT INTO items VALUES (?, ?, ?, ?)", -1, &s, 0));
	for (int i = 0; i < rows; i++) {
		char name[64];
		int n = snprintf(name, sizeof name, "%s %s %u", words[next() % 8], words[next() % 8], next() % 10000);
		must(sqlite3_bind_int(s, 1, i));
		must(sqlite3_bind_text(s, 2, name, n, SQLITE_TRANSIENT));
		must(sqlite3_bind_double(s, 3, (double)(next() % 100000) / 100));
		must(sqlite3_bind_int(s, 4, (int)(next() % 500)));
		must(sqlite3_step(s));
		must(sqlite3_reset(s));
	}
	must(sqlite3_finalize(s));
}

static void look_up(int times)
{
	sqlite3_stmt *s;
	must(sqlite3_prepare_v2(db, "SELECT name, price FROM items WHERE id = ?", -1, &s, 0));
	for (int i = 0; i < times; i++) {
		must(sqlite3_bind_int(s, 1, (int)(next() % 60000)));
		while (sqlite3_step(s) == SQLITE_ROW)
			sum += (uint64_t)sqlite3_column_bytes(s, 0) + (uint64_t)sqlite3_column_double(s, 1);
		must(sqlite3_reset(s));
	}
	must(sqlite3_finalize(s));
}

int main(void)
{
	must(sqlite3_open(":memory:", &db));
	sql("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, shelf INTEGER);"
	    "CREATE TABLE shelves (id INTEGER PRIMARY KEY, room TEXT);"
	    "BEGIN");
	insert(60000);
	sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499)"
	    " INSERT INTO shelves SELECT i, 'room ' || (i % 17) FROM n;"
	    "CREATE INDEX by_shelf ON items(shelf);"
	    "CREATE INDEX by_name ON items(name);"
	    "COMMIT");
	look_up(200000);
	sql("SELECT room, count(*), sum(price), avg(price) FROM items JOIN shelves ON shelf = shelves.id GROUP BY room ORDER BY room");
	sql("SELECT name FROM items WHERE name LIKE '%iron%' AND price > 500 ORDER BY price DESC LIMIT 100");
	sql("SELECT upper(substr(name, 1, 3)) AS k, count(*), max(length(name)) FROM items GROUP BY k ORDER BY k");
	sql("BEGIN; UPDATE items SET price = price * 1.07 WHERE shelf % 3 = 0; DELETE FROM items WHERE id % 7 = 2; COMMIT");
	for (int i = 0; i < 20; i++)
		sql("SELECT a.name, b.name FROM items a JOIN items b ON b.name = a.name AND b.id > a.id WHERE a.shelf < 30 ORDER BY 1, 2 LIMIT 50");
	sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT sum(i * i % 1009) FROM n");
	sql("SELECT shelf, group_concat(id) FROM items WHERE shelf > 480 GROUP BY shelf");
	printf("%016llx\n", (unsigned long long)sum);
	must(sqlite3_close(db));
}
