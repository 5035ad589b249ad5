package main

import (
	"strings"
	"testing"

	"github.com/FerretDB/wire/wirebson"
)

func TestHealthChecksAreUnderstood(t *testing.T) {
	for _, script := range []string{
		"db.adminCommand('ping')", `db.adminCommand("ping").ok`, "db.runCommand({ping:1}).ok", "db.runCommand({ ping: 1 }).ok;",
		"quit(db.runCommand({ ping: 1 }).ok ? 0 : 2)", "if (db.adminCommand('ping').ok !== 1) quit(1)",
		"db.hello().isWritablePrimary", "rs.status().ok", "db.stats().ok", "use admin\ndb.auth('a', 'b')\n",
		"db = db.getSiblingDB('app'); // the application's\ndb.createUser({user: 'a', pwd: `b`, roles: [{role: \"readWrite\", db: 'app'}]})",
	} {
		if _, err := parse(script); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestAnythingElseIsRefused(t *testing.T) {
	for _, script := range []string{
		"for (;;) {}", "try { 1 } catch (e) {}", "let x = 1", "1 +", "db.runCommand({ping: 1}", "'open", "`${x}`", "load('x.js')",
	} {
		if _, err := parse(script); err == nil {
			t.Errorf("%s was accepted", script)
		}
	}
}

func TestExpressionsComputeAndPrint(t *testing.T) {
	for script, want := range map[string]string{
		"1 === 1.0 ? 'same' : 'other'":     "same",
		"!({a: {b: 0}}.a.b)":               "true",
		"null || 'x'":                      "x",
		"0 && quit(1)":                     "0",
		"'a' != \"a\"":                     "false",
		"{ok: 1, 'a-b': [1.5, null, 'x']}": "{ ok: 1, 'a-b': [ 1.5, null, 'x' ] }",
		"-3":                               "-3",
		"db.getSiblingDB('x').getName()":   "x",
	} {
		parsed, err := parse(script)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		value, err := parsed[0](&session{})
		if err != nil || inspect(value, "") != want {
			t.Errorf("%s: got %s, %v", script, inspect(value, ""), err)
		}
	}
	if got := inspect(wirebson.MustDocument("long", strings.Repeat("x", 80)), ""); !strings.Contains(got, "{\n  long: 'x") {
		t.Errorf("a long document is on one line: %s", got)
	}
}

func TestArgumentsAndAddressesNameTheServer(t *testing.T) {
	for line, want := range map[string]target{
		"--quiet --eval 1":                                 {"127.0.0.1", "27017", "test", "", "", "admin"},
		"app --port 27018 --eval 1":                        {"127.0.0.1", "27018", "app", "", "", "admin"},
		"localhost:27018/app --eval 1":                     {"localhost", "27018", "app", "", "", "app"},
		"mongodb://u:p%40@h/app?authSource=admin --eval 1": {"h", "27017", "app", "u", "p@", "admin"},
		"--host h:1 -u u -p p --authenticationDatabase d":  {"h", "1", "test", "u", "p", "d"},
	} {
		got, err := parseArguments(strings.Fields(line))
		if err != nil || got.target != want {
			t.Errorf("%s: got %+v, %v", line, got.target, err)
		}
	}
	for _, line := range []string{"script.js", "--file x.js", "--tls", "--shell", "mongodb+srv://h", "a b", "--eval"} {
		if _, err := parseArguments(strings.Fields(line)); err == nil {
			t.Errorf("%s was accepted", line)
		}
	}
}
