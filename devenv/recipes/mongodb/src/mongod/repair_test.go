package main

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/FerretDB/wire/wirebson"
)

// Each statement list is what a kill between two of FerretDB's steps leaves of a collection `c` beside a whole one.
func TestRepairFinishesWhatAKillInterrupted(t *testing.T) {
	for name, statements := range map[string]string{
		"created without a catalogue entry": `CREATE TABLE "c_1" (_ferretdb_sjson TEXT NOT NULL) STRICT`,
		"created without its index on _id": `CREATE TABLE "c_1" (_ferretdb_sjson TEXT NOT NULL) STRICT;
			INSERT INTO _ferretdb_collections VALUES ('c', 'c_1', '{}')`,
		"an index that is not noted": `CREATE INDEX "WHOLE_x" ON "WHOLE" (_ferretdb_sjson->"x")`,
		"a noted index that is gone": `UPDATE _ferretdb_collections SET settings = json_insert(settings, '$.indexes[#]',
			json('{"name": "gone", "key": [{"field": "x"}], "unique": false}'))`,
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			whole(t, directory)
			file := filepath.Join(directory, "test.sqlite")
			db := open(t, file)
			var table string
			if err := db.QueryRow("SELECT table_name FROM _ferretdb_collections").Scan(&table); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(strings.ReplaceAll(statements, "WHOLE", table)); err != nil {
				t.Fatal(err)
			}
			db.Close()

			mended, err := repair(file)
			if err != nil || len(mended) != 1 {
				t.Fatalf("mended %v, %v", mended, err)
			}
			if again, err := repair(file); err != nil || len(again) != 0 {
				t.Errorf("a second time: %v, %v", again, err)
			}
			client := serve(t, directory, false)
			client.ok("test", "insert", "c", "documents", documents(`x`))
			client.ok("test", "createIndexes", "whole", "indexes", wirebson.MustArray(
				wirebson.MustDocument("key", wirebson.MustDocument("x", int32(1)), "name", "x")))
			if n := client.count("test", "whole"); n != 1 {
				t.Errorf("%d documents are left of 1", n)
			}
		})
	}
}

func TestRepairRemovesADatabaseThatWasBeingCreated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.sqlite")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if mended, err := repair(file); err != nil || len(mended) != 1 {
		t.Fatalf("mended %v, %v", mended, err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Error("the file is still there")
	}
}

func TestTheDataOfAnotherProductIsRefused(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "WiredTiger"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDataDir(directory, slog.Default()); err == nil || !strings.Contains(err.Error(), "real mongod") {
		t.Errorf("got %v", err)
	}
}

func TestTwoServersDoNotShareADirectory(t *testing.T) {
	directory := t.TempDir()
	first, err := openDataDir(directory, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := openDataDir(directory, slog.Default()); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Errorf("got %v", err)
	}
}

// whole makes a directory with one database, one collection and one document.
func whole(t *testing.T, directory string) {
	client := serve(t, directory, false)
	client.ok("test", "insert", "whole", "documents", documents(`x`))
	client.stop()
}

func open(t *testing.T, file string) *sql.DB {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
