package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver that FerretDB opens the same files with
)

const catalogue = "_ferretdb_collections"

// table is one collection, as FerretDB notes it in the catalogue.
type table struct {
	name     string
	settings map[string]any
}

// repair completes or undoes what was interrupted in one database: FerretDB creates and drops collections and indexes
// in several steps, and cannot load what lies between them. It returns what it did.
func repair(file string) ([]string, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=synchronous(full)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)

	tables, err := names(db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(tables, catalogue) {
		if len(tables) > 0 {
			return nil, errors.New("not a database of FerretDB's: move it out of the data directory")
		}
		if err := errors.Join(db.Close(), os.Remove(file)); err != nil {
			return nil, err
		}
		return []string{"removed a database that was being created"}, nil
	}

	tx, err := db.Begin()
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	mended, err := repairTables(tx, tables)
	if err != nil || len(mended) == 0 {
		return nil, err
	}
	return mended, tx.Commit()
}

func repairTables(tx *sql.Tx, tables []string) ([]string, error) {
	known, err := load(tx)
	if err != nil {
		return nil, err
	}
	var mended []string
	for _, name := range tables {
		if name == catalogue {
			continue
		}
		position := slices.IndexFunc(known, func(t table) bool { return t.name == name })
		unfinished := position >= 0 && len(known[position].indexes()) == 0
		if unfinished {
			// Without the index on _id a collection was never handed out, and so is empty.
			if found, err := names(tx, "SELECT 'any' FROM "+quote(name)+" LIMIT 1"); err != nil || len(found) > 0 {
				return nil, errors.Join(err, fmt.Errorf("collection table %s has documents but no index on _id", name))
			}
		}
		if position < 0 || unfinished {
			if err := execute(tx, "DELETE FROM "+quote(catalogue)+" WHERE table_name = ?", name); err != nil {
				return nil, err
			}
			if err := execute(tx, "DROP TABLE "+quote(name)); err != nil {
				return nil, err
			}
			mended = append(mended, "removed collection table "+name)
			continue
		}
		more, err := repairIndexes(tx, known[position])
		if err != nil {
			return nil, err
		}
		mended = append(mended, more...)
	}
	return mended, nil
}

// repairIndexes keeps the indexes that both SQLite and the catalogue have.
func repairIndexes(tx *sql.Tx, t table) ([]string, error) {
	built, err := names(tx, `SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?`, t.name)
	if err != nil {
		return nil, err
	}
	var mended []string
	noted := t.indexes()
	for _, name := range built {
		if _, ok := noted[strings.TrimPrefix(name, t.name+"_")]; !ok {
			if err := execute(tx, "DROP INDEX "+quote(name)); err != nil {
				return nil, err
			}
			mended = append(mended, "removed index "+name)
		}
	}
	kept := make([]any, 0, len(noted))
	for _, index := range t.settings["indexes"].([]any) {
		name := fmt.Sprint(index.(map[string]any)["name"])
		if slices.Contains(built, t.name+"_"+name) {
			kept = append(kept, index)
		} else {
			mended = append(mended, "forgot index "+name)
		}
	}
	if len(kept) == len(noted) {
		return mended, nil
	}
	t.settings["indexes"] = kept
	text, err := json.Marshal(t.settings)
	if err != nil {
		return nil, err
	}
	return mended, execute(tx, "UPDATE "+quote(catalogue)+" SET settings = ? WHERE table_name = ?", string(text), t.name)
}

func (t table) indexes() map[string]bool {
	list, _ := t.settings["indexes"].([]any)
	found := map[string]bool{}
	for _, index := range list {
		found[fmt.Sprint(index.(map[string]any)["name"])] = true
	}
	return found
}

func load(tx *sql.Tx) ([]table, error) {
	rows, err := tx.Query("SELECT table_name, settings FROM " + quote(catalogue))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []table
	for rows.Next() {
		var t table
		var text string
		if err := rows.Scan(&t.name, &text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &t.settings); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

type querier interface {
	Query(query string, arguments ...any) (*sql.Rows, error)
}

func names(on querier, query string, arguments ...any) ([]string, error) {
	rows, err := on.Query(query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

func execute(tx *sql.Tx, statement string, arguments ...any) error {
	_, err := tx.Exec(statement, arguments...)
	return err
}

func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
